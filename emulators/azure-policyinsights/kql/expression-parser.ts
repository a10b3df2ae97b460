/** Expressions of Kusto, by precedence: or, and, comparisons, sums, products, members. */
import { KqlProblem } from "./problem.ts";
import type { Expression } from "./syntax.ts";
import type { Token } from "./tokens.ts";
import { Timespan, type Value } from "./values.ts";

export interface Cursor {
  readonly text: string;
  readonly tokens: readonly Token[];
  at: number;
  depth: number;
}

const deepest = 60;
const comparisons = new Set(["==", "!=", "=~", "!~", "<", ">", "<=", ">="]);
const words = new Set([
  "contains",
  "!contains",
  "contains_cs",
  "!contains_cs",
  "has",
  "!has",
  "has_cs",
  "!has_cs",
  "startswith",
  "!startswith",
  "startswith_cs",
  "!startswith_cs",
  "endswith",
  "!endswith",
  "endswith_cs",
  "!endswith_cs",
]);
const lists = new Set(["in", "in~", "!in", "!in~"]);

export function peek(cursor: Cursor): Token {
  return cursor.tokens[cursor.at] ?? { kind: "end", text: "", at: cursor.text.length, end: cursor.text.length };
}

export function failAt({ at, text }: Token, message: string): never {
  throw new KqlProblem("ParserFailure", at, message, text);
}

export function accept(cursor: Cursor, text: string): boolean {
  const token = peek(cursor);
  const same = token.kind === "sign" ? token.text === text : token.kind === "name" && token.text.toLowerCase() === text;
  if (same) cursor.at += 1;
  return same;
}

export function expectSign(cursor: Cursor, text: string): Token {
  const token = peek(cursor);
  if (token.kind !== "sign" || token.text !== text) return failAt(token, `'${text}' is expected`);
  cursor.at += 1;
  return token;
}

export function expectName(cursor: Cursor): Token {
  const token = peek(cursor);
  if (token.kind !== "name") return failAt(token, "a name is expected");
  cursor.at += 1;
  return token;
}

/** Runs one level deeper; what is nested without end is refused rather than let run out of stack. */
export function nested<T>(cursor: Cursor, read: () => T): T {
  cursor.depth += 1;
  if (cursor.depth > deepest) return failAt(peek(cursor), "it is nested too deeply");
  const result = read();
  cursor.depth -= 1;
  return result;
}

export function parseExpression(cursor: Cursor): Expression {
  return nested(cursor, () => chain(cursor, ["or"], () => chain(cursor, ["and"], () => comparison(cursor))));
}

function chain(cursor: Cursor, signs: readonly string[], below: () => Expression): Expression {
  let left = below();
  for (;;) {
    const { at } = peek(cursor);
    const sign = signs.find((each) => accept(cursor, each));
    if (sign === undefined) return left;
    left = { tag: "binary", sign, left, right: below(), at };
  }
}

function comparison(cursor: Cursor): Expression {
  const left = sum(cursor);
  const token = peek(cursor);
  const sign = token.text.toLowerCase();
  if (token.kind === "sign" && comparisons.has(sign)) {
    cursor.at += 1;
    return { tag: "binary", sign, left, right: sum(cursor), at: token.at };
  }
  if (token.kind !== "name") return left;
  if (words.has(sign)) {
    cursor.at += 1;
    return { tag: "binary", sign, left, right: sum(cursor), at: token.at };
  }
  if (lists.has(sign)) {
    cursor.at += 1;
    expectSign(cursor, "(");
    return { tag: "list", sign, of: left, items: items(cursor, ")"), at: token.at };
  }
  if (sign !== "between") return left;
  cursor.at += 1;
  expectSign(cursor, "(");
  const least = sum(cursor);
  expectSign(cursor, "..");
  const most = sum(cursor);
  expectSign(cursor, ")");
  return { tag: "list", sign, of: left, items: [least, most], at: token.at };
}

function sum(cursor: Cursor): Expression {
  return chain(cursor, ["+", "-"], () => chain(cursor, ["*", "/", "%"], () => unary(cursor)));
}

function unary(cursor: Cursor): Expression {
  const { at } = peek(cursor);
  if (accept(cursor, "-")) return { tag: "minus", of: nested(cursor, () => unary(cursor)), at };
  return postfix(cursor, primary(cursor));
}

function postfix(cursor: Cursor, first: Expression): Expression {
  let of = first;
  for (;;) {
    const { at } = peek(cursor);
    if (accept(cursor, ".")) {
      const token = peek(cursor);
      const name: Expression = { tag: "literal", value: expectName(cursor).text, at: token.at };
      of = { tag: "member", of, name, at };
    } else if (accept(cursor, "[")) {
      const name = parseExpression(cursor);
      expectSign(cursor, "]");
      of = { tag: "member", of, name, at };
    } else return of;
  }
}

function primary(cursor: Cursor): Expression {
  const token = peek(cursor);
  const { at } = token;
  const literal = (value: Value): Expression => ({ tag: "literal", value, at });
  cursor.at += 1;
  switch (token.kind) {
    case "string":
      return literal(token.text);
    case "number":
      return literal(token.value);
    case "timespan":
      return literal(new Timespan(token.value));
    case "name":
      return named(cursor, token);
    case "sign":
      if (token.text === "(") {
        const inner = parseExpression(cursor);
        expectSign(cursor, ")");
        return inner;
      }
      if (token.text === "[") {
        // ['a column whose name is no word']
        const name = peek(cursor);
        if (name.kind !== "string") return failAt(name, "a name in quotes is expected");
        cursor.at += 1;
        expectSign(cursor, "]");
        return { tag: "column", name: name.text, at };
      }
      return failAt(token, "an expression is expected");
    case "end":
      return failAt(token, "an expression is expected");
  }
}

function named(cursor: Cursor, token: Token): Expression {
  const { at } = token;
  const word = token.text.toLowerCase();
  if (!accept(cursor, "(")) {
    if (word === "true" || word === "false") return { tag: "literal", value: word === "true", at };
    if (word === "null") return { tag: "literal", value: null, at };
    return { tag: "column", name: token.text, at };
  }
  if (word === "datetime") return { tag: "literal", value: rawDate(cursor, token), at };
  if (word === "dynamic") return { tag: "literal", value: rawJson(cursor, token), at };
  return { tag: "call", name: word, args: items(cursor, ")"), at };
}

/** Up to and with the closing sign. */
function items(cursor: Cursor, close: string): readonly Expression[] {
  const found: Expression[] = [];
  if (accept(cursor, close)) return found;
  do found.push(parseExpression(cursor));
  while (accept(cursor, ","));
  expectSign(cursor, close);
  return found;
}

/** The text between the parentheses, which is no expression. */
function raw(cursor: Cursor, token: Token): string {
  const start = peek(cursor).at;
  let open = 1;
  for (;;) {
    const each = peek(cursor);
    if (each.kind === "end") return failAt(token, "the parenthesis is not closed");
    cursor.at += 1;
    if (each.kind !== "sign") continue;
    if (each.text === "(") open += 1;
    if (each.text === ")") open -= 1;
    if (open === 0) return cursor.text.slice(start, each.at).trim();
  }
}

function rawDate(cursor: Cursor, token: Token): Value {
  const text = raw(cursor, token).replaceAll(/^["']|["']$/g, "");
  if (text === "null") return null;
  const at = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  return Number.isNaN(at) ? failAt(token, `'${text.slice(0, 40)}' is no instant`) : new Date(at);
}

function rawJson(cursor: Cursor, token: Token): Value {
  const text = raw(cursor, token);
  try {
    return JSON.parse(text) as Value;
  } catch {
    return failAt(token, "the document is no JSON");
  }
}
