/** Expressions to closures over rows. */
import { aggregates } from "./aggregates.ts";
import { functions } from "./functions.ts";
import { KqlProblem } from "./problem.ts";
import type { Expression } from "./syntax.ts";
import { asBoolean, asNumber, asText, compare, isLazy, memberOf, type Row, Timespan, type Value } from "./values.ts";

export type Reader = (row: Row) => Value;

export interface Scope {
  readonly columns: readonly string[];
  readonly now: number;
}

/** @throws KqlProblem for an unknown column or function */
export function compile(expression: Expression, scope: Scope): Reader {
  switch (expression.tag) {
    case "literal": {
      const { value } = expression;
      return () => value;
    }
    case "column":
      return column(expression.name, scope, expression.at);
    case "member": {
      const [of, name] = [compile(expression.of, scope), compile(expression.name, scope)];
      return (row) => memberOf(of(row), name(row));
    }
    case "minus": {
      const of = compile(expression.of, scope);
      return (row) => {
        const value = of(row);
        if (value instanceof Timespan) return new Timespan(-value.ms);
        const number = asNumber(value);
        return number === null ? null : -number;
      };
    }
    case "list":
      return listed(expression, scope);
    case "binary":
      return binary(expression, scope);
    case "call":
      return called(expression, scope);
  }
}

export function column(name: string, { columns }: Scope, at: number): Reader {
  const index = columns.indexOf(name);
  if (index < 0)
    throw new KqlProblem(
      "InvalidQuery",
      at,
      `Failed to resolve column or scalar expression named '${name.slice(0, 100)}'`,
      name,
    );
  return (row) => row[index] ?? null;
}

function called({ name, args, at }: Expression & { tag: "call" }, scope: Scope): Reader {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!found) {
    const why = Object.hasOwn(aggregates, name) ? "is an aggregate, which only summarize takes" : "is not known here";
    throw new KqlProblem("InvalidQuery", at, `The function '${name.slice(0, 100)}' ${why}`, name);
  }
  checkCount(name, args.length, found, at);
  const readers = args.map((each) => compile(each, scope));
  const { now } = scope;
  return (row) =>
    found.call(
      readers.map((read) => read(row)),
      now,
    );
}

export function checkCount(
  name: string,
  n: number,
  { least, most }: { least: number; most: number },
  at: number,
): void {
  if (n < least || n > most)
    throw new KqlProblem(
      "InvalidQuery",
      at,
      `${name}() takes ${least === most ? least : `${least} to ${most}`} arguments, not ${n}`,
      name,
    );
}

type Test = (left: Value, right: Value) => boolean;

const fold = (value: Value) => asText(value).toLowerCase();
const both =
  (test: (left: string, right: string) => boolean, exact = false): Test =>
  (left, right) =>
    exact ? test(asText(left), asText(right)) : test(fold(left), fold(right));
const order =
  (test: (difference: number) => boolean): Test =>
  (left, right) => {
    const difference = compare(left, right);
    return difference !== undefined && test(difference);
  };
const equal: Test = (left, right) => {
  if (left === null || right === null) return left === right;
  if (typeof left === "string" && typeof right === "string") return left === right;
  if (typeof left === "boolean" || typeof right === "boolean") return asBoolean(left) === asBoolean(right);
  return compare(left, right) === 0;
};
const includes = (left: string, right: string) => left.includes(right);
const starts = (left: string, right: string) => left.startsWith(right);
const ends = (left: string, right: string) => left.endsWith(right);
const not =
  (test: Test): Test =>
  (left, right) =>
    !test(left, right);

const tests: Readonly<Record<string, Test>> = {
  "==": equal,
  "!=": not(equal),
  "=~": both((left, right) => left === right),
  "!~": not(both((left, right) => left === right)),
  "<": order((difference) => difference < 0),
  "<=": order((difference) => difference <= 0),
  ">": order((difference) => difference > 0),
  ">=": order((difference) => difference >= 0),
  contains: both(includes),
  contains_cs: both(includes, true),
  has: both(hasTerm),
  has_cs: both(hasTerm, true),
  startswith: both(starts),
  startswith_cs: both(starts, true),
  endswith: both(ends),
  endswith_cs: both(ends, true),
};

/** Whether a text has another as a whole term: between signs or at its ends. */
function hasTerm(text: string, term: string): boolean {
  if (term === "") return true;
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1))
    if (!isWordAt(text, at - 1) && !isWordAt(text, at + term.length)) return true;
  return false;
}

function isWordAt(text: string, at: number): boolean {
  return /[a-z0-9]/i.test(text[at] ?? " ");
}

function binary({ sign, left, right, at }: Expression & { tag: "binary" }, scope: Scope): Reader {
  const [a, b] = [compile(left, scope), compile(right, scope)];
  if (sign === "and") return (row) => asBoolean(a(row)) === true && asBoolean(b(row)) === true;
  if (sign === "or") return (row) => asBoolean(a(row)) === true || asBoolean(b(row)) === true;
  const test =
    tests[sign] ?? (sign.startsWith("!") && tests[sign.slice(1)] ? not(tests[sign.slice(1)] ?? equal) : undefined);
  if (test) return (row) => test(plain(a(row)), plain(b(row)));
  const combine = arithmetic[sign];
  if (!combine) throw new KqlProblem("InvalidQuery", at, `'${sign}' is not known here`, sign);
  return (row) => combine(a(row), b(row));
}

function plain(value: Value): Value {
  return isLazy(value) ? value.whole() : value;
}

const numeric =
  (combine: (left: number, right: number) => number) =>
  (left: Value, right: Value): Value => {
    const [a, b] = [asNumber(left), asNumber(right)];
    const found = a === null || b === null ? Number.NaN : combine(a, b);
    return Number.isFinite(found) ? found : null;
  };

const arithmetic: Readonly<Record<string, (left: Value, right: Value) => Value>> = {
  "+": (left, right) => shifted(left, right, 1) ?? numeric((a, b) => a + b)(left, right),
  "-": (left, right) => shifted(left, right, -1) ?? numeric((a, b) => a - b)(left, right),
  "*": numeric((a, b) => a * b),
  // Whole numbers divide to whole numbers only where both were cast; samples cast to real first, so one division does.
  "/": numeric((a, b) => a / b),
  "%": numeric((a, b) => a % b),
};

function shifted(left: Value, right: Value, sign: 1 | -1): Value | undefined {
  if (left instanceof Date && right instanceof Timespan) return new Date(left.getTime() + sign * right.ms);
  if (left instanceof Timespan && right instanceof Timespan) return new Timespan(left.ms + sign * right.ms);
  if (left instanceof Date && right instanceof Date && sign < 0) return new Timespan(left.getTime() - right.getTime());
  return undefined;
}

function listed({ sign, of, items }: Expression & { tag: "list" }, scope: Scope): Reader {
  const value = compile(of, scope);
  const readers = items.map((each) => compile(each, scope));
  if (sign === "between") {
    const [least, most] = readers;
    return (row) => {
      const found = value(row);
      return (compare(found, least?.(row) ?? null) ?? -1) >= 0 && (compare(found, most?.(row) ?? null) ?? 1) <= 0;
    };
  }
  const same = tests[sign.endsWith("~") ? "=~" : "=="] ?? equal;
  const wanted = !sign.startsWith("!");
  return (row) => {
    const found = plain(value(row));
    const isIn = readers.some((read) => {
      const each = read(row);
      return Array.isArray(each) ? each.some((inner: Value) => same(found, inner)) : same(found, each);
    });
    return isIn === wanted;
  };
}
