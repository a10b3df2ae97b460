/**
 * A filter as a mask over codes. Whatever depends only on a row's policy, or only on its resource, is worked out once
 * for each policy or resource (texts once for each entry of their dictionary) and becomes a table of bits; only times
 * are looked at row by row.
 */
import { complianceStates } from "../domain/compliance.ts";
import { recordFieldNamed } from "../domain/event-fields.ts";
import { codesOf, type Field, sizeOf } from "../domain/fields.ts";
import { idTable } from "../domain/id-table.ts";
import { both, either, inverse, type Mask } from "../domain/mask.ts";
import type { Readings } from "../domain/readings.ts";
import type { Expression, Operator } from "./filter-parser.ts";

export function compileFilter(expression: Expression, readings: Readings): Mask {
  const { estate } = readings;
  switch (expression.tag) {
    case "and":
      return both(compileFilter(expression.left, readings), compileFilter(expression.right, readings), estate);
    case "or":
      return either(compileFilter(expression.left, readings), compileFilter(expression.right, readings), estate);
    case "not":
      return inverse(compileFilter(expression.of, readings), estate);
    case "boolean": {
      const { value } = expression;
      const field = stateField(expression.field, "boolean");
      return { compliance: table(complianceStates.length, (code) => field.flag(code) === value) };
    }
    case "date": {
      const { operator, value } = expression;
      const until = operator === "lt" || operator === "le" || operator === "eq" ? value : undefined;
      return { test: (_row, _compliance, instant) => holds(operator, instant - value), until };
    }
    case "number":
      throw new Error("no member of a policy state is a number");
    case "member": {
      const value = expression.value.toLowerCase();
      const field = stateField(expression.field, "list");
      const has = (code: number) => field.words(estate, code).some((word) => word.toLowerCase() === value);
      return { policies: table(estate.policies.length, has) };
    }
    case "text":
      return holdsText(
        readings,
        stateField(expression.field, "string"),
        expression.test,
        expression.value.toLowerCase(),
      );
    case "string":
      return compareText(readings, stateField(expression.field, "string"), expression.operator, expression.value);
  }
}

/** The member that a name of the parser stands for. */
function stateField<Kind extends Field["kind"]>({ name }: { readonly name: string }, kind: Kind): FieldOf<Kind> {
  const field = recordFieldNamed(name);
  if (field && isOf(field, kind)) return field;
  throw new Error(`${name} is no ${kind} of a record`);
}

type FieldOf<Kind extends Field["kind"]> = Extract<Field, { kind: Kind }>;
function isOf<Kind extends Field["kind"]>(field: Field, kind: Kind): field is FieldOf<Kind> {
  return field.kind === kind;
}

function compareText(readings: Readings, field: FieldOf<"string">, operator: Operator, value: string): Mask {
  if (field.level === "resource" && (operator === "eq" || operator === "ne")) {
    const bits = new Uint8Array(readings.estate.resources.count);
    const code = readings.resourceCode(value);
    if (code !== undefined) bits[code] = 1;
    return { resources: operator === "eq" ? bits : bits.map((bit) => bit ^ 1) };
  }
  const wanted = value.toLowerCase();
  if (field.level === "resource") {
    const inOrder = (difference: number) => holds(operator, difference);
    return { resources: idTable(readings.estate, { tag: "order", value: wanted, holds: inOrder }) };
  }
  // Older clients write resource types with a leading slash.
  const other = field.level === "type" && wanted.startsWith("/") ? wanted.slice(1) : wanted;
  return onText(readings, field, (text) => holds(operator, text === other ? 0 : text < other ? -1 : 1));
}

function holdsText(readings: Readings, field: FieldOf<"string">, test: TextTest, value: string): Mask {
  if (field.level === "resource") return { resources: idTable(readings.estate, { tag: test, value }) };
  return onText(readings, field, textTestOf(test, value));
}

type TextTest = "contains" | "startswith" | "endswith";

export function textTestOf(test: TextTest, value: string): (text: string) => boolean {
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
function onText({ estate }: Readings, field: FieldOf<"string">, test: (text: string) => boolean): Mask {
  const bits = table(sizeOf(estate, field.level), (code) => test(field.text(estate, code).toLowerCase()));
  switch (field.level) {
    case "policy":
      return { policies: bits };
    case "compliance":
      return { compliance: bits };
    default: {
      const codes = codesOf(estate, field.level);
      return { resources: table(estate.resources.count, (resource) => bits[codes?.[resource] ?? 0] === 1) };
    }
  }
}

function table(size: number, holdsFor: (code: number) => boolean): Uint8Array {
  const bits = new Uint8Array(size);
  for (let code = 0; code < size; code += 1) bits[code] = holdsFor(code) ? 1 : 0;
  return bits;
}

export function holds(operator: Operator, difference: number): boolean {
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
