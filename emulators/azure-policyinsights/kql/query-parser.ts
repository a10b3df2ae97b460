/** Queries of Kusto: a table and operators after bars, as far as Azure Resource Graph's samples for policy go. */
import {
  accept,
  type Cursor,
  expectName,
  expectSign,
  failAt,
  nested,
  parseExpression,
  peek,
} from "./expression-parser.ts";
import type { Expression, JoinKind, Named, Operator, Order, Query } from "./syntax.ts";
import { type Token, tokenize } from "./tokens.ts";

const mostOperators = 100;

/** @throws KqlProblem */
export function parseQuery(text: string): Query {
  const cursor: Cursor = { text, tokens: tokenize(text), at: 0, depth: 0 };
  const query = parseTable(cursor);
  accept(cursor, ";");
  const rest = peek(cursor);
  return rest.kind === "end" ? query : failAt(rest, "an operator after '|' is expected");
}

/** An expression alone, as facets name them. @throws KqlProblem */
export function parseAlone(text: string): Expression {
  const cursor: Cursor = { text, tokens: tokenize(text), at: 0, depth: 0 };
  const found = parseExpression(cursor);
  return peek(cursor).kind === "end" ? found : failAt(peek(cursor), "nothing more is expected");
}

function parseTable(cursor: Cursor): Query {
  const table = expectName(cursor);
  const operators: Operator[] = [];
  while (accept(cursor, "|")) {
    if (operators.length >= mostOperators) return failAt(peek(cursor), "there are too many operators");
    operators.push(parseOperator(cursor));
  }
  return { table: table.text, at: table.at, operators };
}

const readers: Readonly<Record<string, (cursor: Cursor, token: Token) => Operator>> = {
  where: (cursor) => ({ tag: "where", condition: parseExpression(cursor) }),
  filter: (cursor) => ({ tag: "where", condition: parseExpression(cursor) }),
  extend: (cursor) => ({ tag: "extend", items: namedItems(cursor) }),
  project: (cursor) => ({ tag: "project", items: namedItems(cursor) }),
  distinct: (cursor) => ({ tag: "distinct", items: namedItems(cursor) }),
  "project-away": (cursor, { at }) => ({ tag: "projectAway", names: names(cursor), at }),
  "project-keep": (cursor, { at }) => ({ tag: "projectKeep", names: names(cursor), at }),
  summarize,
  order: sort,
  sort,
  top(cursor) {
    const most = wholeNumber(cursor);
    if (!accept(cursor, "by")) return failAt(peek(cursor), "'by' is expected");
    return { tag: "sort", orders: orders(cursor), most };
  },
  take: (cursor) => ({ tag: "take", most: wholeNumber(cursor) }),
  limit: (cursor) => ({ tag: "take", most: wholeNumber(cursor) }),
  count: () => ({ tag: "count" }),
  join,
  "mv-expand": expand,
  mvexpand: expand,
};

function parseOperator(cursor: Cursor): Operator {
  const token = expectName(cursor);
  const read = Object.hasOwn(readers, token.text.toLowerCase()) ? readers[token.text.toLowerCase()] : undefined;
  return read ? read(cursor, token) : failAt(token, `'${token.text.slice(0, 40)}' is no operator that is known here`);
}

function namedItem(cursor: Cursor): Named {
  const [first, second] = [cursor.tokens[cursor.at], cursor.tokens[cursor.at + 1]];
  if (first?.kind === "name" && second?.kind === "sign" && second.text === "=") {
    cursor.at += 2;
    return { alias: first.text, of: parseExpression(cursor) };
  }
  return { alias: undefined, of: parseExpression(cursor) };
}

function namedItems(cursor: Cursor): readonly Named[] {
  const found: Named[] = [];
  do found.push(namedItem(cursor));
  while (accept(cursor, ","));
  return found;
}

function names(cursor: Cursor): readonly string[] {
  const found: string[] = [];
  do found.push(expectName(cursor).text);
  while (accept(cursor, ","));
  return found;
}

function wholeNumber(cursor: Cursor): number {
  const token = peek(cursor);
  if (token.kind !== "number" || !Number.isInteger(token.value)) return failAt(token, "a whole number is expected");
  cursor.at += 1;
  return token.value;
}

function summarize(cursor: Cursor): Operator {
  const items = accept(cursor, "by") ? undefined : namedItems(cursor);
  const by = items === undefined || accept(cursor, "by") ? namedItems(cursor) : [];
  return { tag: "summarize", items: items ?? [], by };
}

function sort(cursor: Cursor): Operator {
  if (!accept(cursor, "by")) return failAt(peek(cursor), "'by' is expected");
  return { tag: "sort", orders: orders(cursor), most: undefined };
}

function orders(cursor: Cursor): readonly Order[] {
  const found: Order[] = [];
  do {
    const of = parseExpression(cursor);
    const ascending = accept(cursor, "asc");
    if (!ascending) accept(cursor, "desc");
    let nullsFirst: boolean | undefined;
    if (accept(cursor, "nulls")) {
      nullsFirst = accept(cursor, "first");
      if (!nullsFirst && !accept(cursor, "last")) return failAt(peek(cursor), "'first' or 'last' is expected");
    }
    found.push({ of, descending: !ascending, nullsFirst });
  } while (accept(cursor, ","));
  return found;
}

const kinds: readonly JoinKind[] = ["inner", "innerunique", "leftouter", "leftanti", "leftsemi"];

function join(cursor: Cursor, token: Token): Operator {
  let kind: JoinKind = "innerunique";
  if (accept(cursor, "kind")) {
    expectSign(cursor, "=");
    const given = expectName(cursor);
    kind =
      kinds.find((each) => each === given.text.toLowerCase()) ?? failAt(given, "this kind of join is not known here");
  }
  expectSign(cursor, "(");
  const right = nested(cursor, () => parseTable(cursor));
  expectSign(cursor, ")");
  if (!accept(cursor, "on")) return failAt(peek(cursor), "'on' is expected");
  const on: { left: string; right: string }[] = [];
  do on.push(pair(cursor));
  while (accept(cursor, ","));
  return { tag: "join", kind, right, on, at: token.at };
}

/** `name`, or `$left.a == $right.b`. */
function pair(cursor: Cursor): { left: string; right: string } {
  const first = expectName(cursor);
  if (first.text.toLowerCase() !== "$left") return { left: first.text, right: first.text };
  expectSign(cursor, ".");
  const left = expectName(cursor).text;
  expectSign(cursor, "==");
  if (!accept(cursor, "$right")) return failAt(peek(cursor), "'$right' is expected");
  expectSign(cursor, ".");
  return { left, right: expectName(cursor).text };
}

function expand(cursor: Cursor): Operator {
  const { alias, of } = namedItem(cursor);
  if (alias !== undefined) return { tag: "expand", name: alias, of };
  return { tag: "expand", name: nameOf(of) ?? failAt(peek(cursor), "a name for the column is expected"), of };
}

const transparent = new Set([
  "tostring",
  "toint",
  "tolong",
  "todouble",
  "toreal",
  "tobool",
  "todatetime",
  "tolower",
  "toupper",
  "bin",
  "parse_json",
  "todynamic",
]);

/** As Kusto names a column that is given no name. */
export function nameOf(expression: Expression): string | undefined {
  if (expression.tag === "column") return expression.name;
  if (expression.tag === "member") {
    const [of, name] = [nameOf(expression.of), expression.name];
    return of !== undefined && name.tag === "literal" && typeof name.value === "string"
      ? `${of}_${name.value}`
      : undefined;
  }
  const [first] = expression.tag === "call" && transparent.has(expression.name) ? expression.args : [];
  return first && nameOf(first);
}
