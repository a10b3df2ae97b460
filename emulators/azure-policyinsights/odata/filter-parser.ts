/**
 * `$filter` to a typed tree. What it understands: `eq ne gt ge lt le`, `and or not`, parentheses, strings, booleans,
 * dates, `contains startswith endswith`, and `'x' in PolicyDefinitionGroupNames`. Keywords in any case.
 */
import { fieldNamed } from "../domain/fields.ts";
import { type Token, tokenize } from "./filter-tokens.ts";
import { ODataProblem } from "./problem.ts";

export type Operator = "eq" | "ne" | "gt" | "ge" | "lt" | "le";
export type TextTest = "contains" | "startswith" | "endswith";

/** What a name stands for: a member of a record, or an alias that `$apply` made. */
export interface Property {
  readonly name: string;
  readonly kind: "string" | "boolean" | "date" | "list" | "number";
}
/** Finds a property whatever the case of its name. */
export type Schema = (name: string) => Property | undefined;

export type Expression =
  | { readonly tag: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | { readonly tag: "not"; readonly of: Expression }
  | { readonly tag: "string"; readonly field: Property; readonly operator: Operator; readonly value: string }
  | { readonly tag: "boolean"; readonly field: Property; readonly value: boolean }
  | { readonly tag: "date" | "number"; readonly field: Property; readonly operator: Operator; readonly value: number }
  | { readonly tag: "text"; readonly field: Property; readonly test: TextTest; readonly value: string }
  | { readonly tag: "member"; readonly field: Property; readonly value: string };

const operators: readonly Operator[] = ["eq", "ne", "gt", "ge", "lt", "le"];
const textTests: readonly TextTest[] = ["contains", "startswith", "endswith"];
const mirrored = { eq: "eq", ne: "ne", gt: "lt", ge: "le", lt: "gt", le: "ge" } as const;
/** More would only ever be an attack on the stack. */
const deepest = 200;

/** Reads tokens one after another. */
export interface Reader {
  readonly filter: string;
  readonly schema: Schema;
  peek(): Token;
  take(): Token;
  /** Takes the keyword, in any case, if it comes next. */
  word(...words: readonly string[]): string | undefined;
  fail(problem: string, at?: number): never;
}

export function parseFilter(filter: string, schema: Schema = fieldNamed): Expression {
  const reader = readerOf("$filter", filter, schema);
  const expression = parseCondition(reader);
  if (reader.peek().tag !== "end") reader.fail(`Syntax error: '${shown(reader)}' is not expected here`);
  return expression;
}

export function readerOf(option: string, filter: string, schema: Schema): Reader {
  const tokens = tokenize(filter, option);
  const end: Token = { tag: "end", at: filter.length, end: filter.length };
  let at = 0;
  const reader: Reader = {
    filter,
    schema,
    peek: () => tokens[at] ?? end,
    take: () => tokens[at++] ?? end,
    word(...words) {
      const token = reader.peek();
      const word = token.tag === "name" ? token.value.toLowerCase() : "";
      if (!words.includes(word)) return undefined;
      at += 1;
      return word;
    },
    fail(problem, position = reader.peek().at) {
      throw new ODataProblem(option, problem, position);
    },
  };
  return reader;
}

/** A condition from where the reader stands, as far as it goes. */
export function parseCondition(reader: Reader): Expression {
  return either(reader, 0);
}

function either(reader: Reader, depth: number): Expression {
  let left = both(reader, depth);
  while (reader.word("or")) left = { tag: "or", left, right: both(reader, depth) };
  return left;
}

function both(reader: Reader, depth: number): Expression {
  let left = one(reader, depth);
  while (reader.word("and")) left = { tag: "and", left, right: one(reader, depth) };
  return left;
}

function one(reader: Reader, depth: number): Expression {
  if (depth > deepest) reader.fail("The expression is nested too deeply");
  if (reader.word("not")) return { tag: "not", of: one(reader, depth + 1) };
  if (reader.peek().tag === "(") {
    reader.take();
    const inner = either(reader, depth + 1);
    close(reader);
    return inner;
  }
  const test = textTests.find((name) => reader.word(name));
  if (test) return textTest(reader, test);
  return comparison(reader);
}

function textTest(reader: Reader, test: TextTest): Expression {
  if (reader.take().tag !== "(") reader.fail(`'(' is expected after '${test}'`);
  const at = reader.peek().at;
  const field = fieldOf(reader);
  if (field.kind !== "string") return reader.fail(`'${field.name}' is not a string, which '${test}' needs`, at);
  if (reader.take().tag !== ",") reader.fail(`',' is expected after '${field.name}'`);
  const value = reader.take();
  if (value.tag !== "string") return reader.fail(`'${test}' needs a string in single quotes`, value.at);
  close(reader);
  const found: Expression = { tag: "text", field, test, value: value.value };
  if (!reader.word("eq")) return found;
  return reader.word("true")
    ? found
    : reader.word("false")
      ? { tag: "not", of: found }
      : reader.fail("true or false is expected");
}

export function close(reader: Reader): void {
  if (reader.peek().tag !== ")") reader.fail("')' is expected");
  reader.take();
}

function comparison(reader: Reader): Expression {
  const first = reader.peek();
  const literal = literalNext(reader);
  if (literal === undefined) {
    const field = fieldOf(reader);
    const any = anyOf(reader, field);
    if (any) return any;
    if (reader.word("in")) return listed(reader, field);
    const operator = reader.word(...operators);
    if (operator !== undefined) return compare(reader, field, operatorNamed(operator), first.at);
    if (field.kind === "boolean") return { tag: "boolean", field, value: true };
    return reader.fail(`A comparison is expected after '${field.name}'`);
  }
  if (reader.word("in")) {
    const at = reader.peek().at;
    const field = fieldOf(reader);
    if (field.kind !== "list") return reader.fail(`'${field.name}' is not a collection`, at);
    if (literal.tag !== "string") return reader.fail("A string in single quotes is expected before 'in'", first.at);
    return { tag: "member", field, value: literal.value };
  }
  const operator = reader.word(...operators);
  if (operator === undefined) return reader.fail(`Syntax error: '${shown(reader)}' is not expected here`);
  return compareTo(reader, fieldOf(reader), mirrored[operatorNamed(operator)], literal);
}

/** `property in ('a', 'b')`. */
function listed(reader: Reader, field: Property): Expression {
  if (reader.take().tag !== "(") reader.fail("'(' is expected after 'in'");
  let found = compare(reader, field, "eq", reader.peek().at);
  while (reader.peek().tag === ",") {
    reader.take();
    found = { tag: "or", left: found, right: compare(reader, field, "eq", reader.peek().at) };
  }
  close(reader);
  return found;
}

/** `policyDefinitionGroupNames/any(g: g eq 'x')`; the tokenizer keeps `name/any` together. */
function anyOf(reader: Reader, field: Property): Expression | undefined {
  if (field.kind !== "list" || reader.peek().tag !== "(") return undefined;
  reader.take();
  const variable = reader.take();
  if (variable.tag !== "name" || reader.take().tag !== ":")
    return reader.fail("A variable and ':' are expected", variable.at);
  const again = reader.take();
  if (again.tag !== "name" || again.value !== variable.value)
    return reader.fail(`'${variable.value}' is expected`, again.at);
  if (!reader.word("eq")) return reader.fail("Only 'eq' is known inside any()");
  const value = reader.take();
  if (value.tag !== "string") return reader.fail("A string in single quotes is expected", value.at);
  close(reader);
  return { tag: "member", field, value: value.value };
}

function operatorNamed(word: string): Operator {
  return operators.find((operator) => operator === word) ?? "eq";
}

type Literal = { readonly at: number } & (
  | { readonly tag: "string"; readonly value: string }
  | { readonly tag: "date" | "number"; readonly value: number }
  | { readonly tag: "boolean"; readonly value: boolean }
  | { readonly tag: "null" }
);

function literalNext(reader: Reader): Literal | undefined {
  const token = reader.peek();
  switch (token.tag) {
    case "string":
    case "date":
    case "number":
      reader.take();
      return token;
    case "name": {
      const word = reader.word("true", "false", "null");
      if (word === undefined) return undefined;
      return word === "null" ? { tag: "null", at: token.at } : { tag: "boolean", value: word === "true", at: token.at };
    }
    default:
      return undefined;
  }
}

function compare(reader: Reader, field: Property, operator: Operator, at: number): Expression {
  const literal = literalNext(reader);
  if (literal === undefined) return reader.fail(`A value is expected to compare '${field.name}' with`);
  return compareTo(reader, field, operator, literal, at);
}

function compareTo(reader: Reader, field: Property, operator: Operator, literal: Literal, at = literal.at): Expression {
  switch (field.kind) {
    case "string":
      // Records show "" where nothing is set.
      if (literal.tag === "null") return { tag: "string", field, operator, value: "" };
      if (literal.tag === "string") return { tag: "string", field, operator, value: literal.value };
      break;
    case "boolean":
      if (literal.tag === "boolean" && (operator === "eq" || operator === "ne"))
        return { tag: "boolean", field, value: literal.value === (operator === "eq") };
      break;
    case "date":
      if (literal.tag === "date") return { tag: "date", field, operator, value: literal.value };
      break;
    case "number":
      if (literal.tag === "number") return { tag: "number", field, operator, value: literal.value };
      break;
    case "list":
      return reader.fail(`'${field.name}' is a collection: write 'value' in ${field.name}`, at);
  }
  return reader.fail(
    `A ${literal.tag} cannot be compared with '${field.name}' (a ${field.kind}) by '${operator}'`,
    literal.at,
  );
}

export function fieldOf(reader: Reader): Property {
  const token = reader.peek();
  if (token.tag !== "name") return reader.fail("The name of a property is expected");
  const name = token.value.toLowerCase().endsWith("/any") ? token.value.slice(0, -4) : token.value;
  const field = reader.schema(name);
  if (!field) return reader.fail(`Could not find a property named '${name}' on type 'PolicyState'`);
  reader.take();
  return field;
}

export function shown(reader: Reader): string {
  const token = reader.peek();
  return token.tag === "end" ? "the end" : reader.filter.slice(token.at, token.end);
}
