/**
 * A filter as closures over codes. Whatever depends only on a row's policy, or only on its resource, is worked out once
 * for each policy or resource (texts once for each entry of their dictionary) and becomes a table of bits; only time and
 * compliance are looked at row by row.
 */
import { complianceStates } from "../domain/compliance.ts";
import type { Estate } from "../domain/estate.ts";
import { codesOf, type Field, type Level, sizeOf } from "../domain/fields.ts";
import type { Readings } from "../domain/readings.ts";
import type { Expression, Operator } from "./filter-parser.ts";

/** Whether a row passes, given its compliance code and the instant of its evaluation. */
export type Predicate = (row: number, compliance: number, instant: number) => boolean;

type Node =
  | { readonly tag: "policy" | "resource" | "compliance"; readonly bits: Uint8Array }
  | { readonly tag: "row"; readonly test: Predicate };

export function compileFilter(expression: Expression, readings: Readings): Predicate {
  return predicateOf(compile(expression, readings), readings.estate);
}

/** A predicate on policies alone, for scopes that name a definition, an initiative or an assignment. */
export function onPolicies(estate: Estate, bits: Uint8Array): Predicate {
  return predicateOf({ tag: "policy", bits }, estate);
}

function compile(expression: Expression, readings: Readings): Node {
  const { estate } = readings;
  switch (expression.tag) {
    case "and":
    case "or":
      return join(expression.tag, compile(expression.left, readings), compile(expression.right, readings), estate);
    case "not":
      return invert(compile(expression.of, readings));
    case "boolean": {
      const { field, value } = expression;
      return { tag: "compliance", bits: table(complianceStates.length, (code) => field.flag(code) === value) };
    }
    case "date": {
      const { operator, value } = expression;
      return { tag: "row", test: (_row, _compliance, instant) => holds(operator, instant - value) };
    }
    case "member": {
      const value = expression.value.toLowerCase();
      const { field } = expression;
      const has = (code: number) => field.words(estate, code).some((word) => word.toLowerCase() === value);
      return { tag: "policy", bits: table(estate.policies.length, has) };
    }
    case "text":
      return onText(readings, expression.field, textTestOf(expression.test, expression.value.toLowerCase()));
    case "string":
      return compareText(readings, expression.field, expression.operator, expression.value);
  }
}

function compareText(readings: Readings, field: Field & { kind: "string" }, operator: Operator, value: string): Node {
  if (field.level === "resource" && (operator === "eq" || operator === "ne")) {
    const bits = new Uint8Array(readings.estate.resources.count);
    const code = readings.resourceCode(value);
    if (code !== undefined) bits[code] = 1;
    return operator === "eq" ? { tag: "resource", bits } : invert({ tag: "resource", bits });
  }
  const wanted = value.toLowerCase();
  // Older clients write resource types with a leading slash.
  const other = field.level === "type" && wanted.startsWith("/") ? wanted.slice(1) : wanted;
  return onText(readings, field, (text) => holds(operator, text === other ? 0 : text < other ? -1 : 1));
}

function textTestOf(test: "contains" | "startswith" | "endswith", value: string): (text: string) => boolean {
  switch (test) {
    case "contains":
      return (text) => text.includes(value);
    case "startswith":
      return (text) => text.startsWith(value);
    case "endswith":
      return (text) => text.endsWith(value);
  }
}

/** Strings compare without regard to case: records hold lower-case ids while users write mixed case. */
function onText({ estate }: Readings, field: Field & { kind: "string" }, test: (text: string) => boolean): Node {
  const bits = table(sizeOf(estate, field.level), (code) => test(field.text(estate, code).toLowerCase()));
  return lift(estate, field.level, bits);
}

function lift(estate: Estate, level: Level, bits: Uint8Array): Node {
  if (level === "policy" || level === "compliance" || level === "resource") return { tag: level, bits };
  const codes = codesOf(estate, level);
  return { tag: "resource", bits: table(estate.resources.count, (resource) => bits[codes?.[resource] ?? 0] === 1) };
}

function join(how: "and" | "or", left: Node, right: Node, estate: Estate): Node {
  const and = how === "and";
  if (left.tag !== "row" && left.tag === right.tag) {
    const other = right.bits;
    return {
      tag: left.tag,
      bits: left.bits.map((bit, code) => (and ? bit & (other[code] ?? 0) : bit | (other[code] ?? 0))),
    };
  }
  const first = predicateOf(left, estate);
  const second = predicateOf(right, estate);
  return {
    tag: "row",
    test: and
      ? (row, compliance, instant) => first(row, compliance, instant) && second(row, compliance, instant)
      : (row, compliance, instant) => first(row, compliance, instant) || second(row, compliance, instant),
  };
}

function invert(node: Node): Node {
  if (node.tag !== "row") return { tag: node.tag, bits: node.bits.map((bit) => bit ^ 1) };
  const { test } = node;
  return { tag: "row", test: (row, compliance, instant) => !test(row, compliance, instant) };
}

function predicateOf(node: Node, { rows }: Estate): Predicate {
  if (node.tag === "row") return node.test;
  const { bits } = node;
  if (node.tag === "compliance") return (_row, compliance) => bits[compliance] === 1;
  const codes = node.tag === "policy" ? rows.policy : rows.resource;
  return (row) => bits[codes[row] ?? 0] === 1;
}

function table(size: number, holdsFor: (code: number) => boolean): Uint8Array {
  const bits = new Uint8Array(size);
  for (let code = 0; code < size; code += 1) bits[code] = holdsFor(code) ? 1 : 0;
  return bits;
}

function holds(operator: Operator, difference: number): boolean {
  switch (operator) {
    case "eq":
      return difference === 0;
    case "ne":
      return difference !== 0;
    case "gt":
      return difference > 0;
    case "ge":
      return difference >= 0;
    case "lt":
      return difference < 0;
    case "le":
      return difference <= 0;
  }
}
