/** Runs the steps of `$apply`: the first grouping over the columns of the estate, what follows over its small result. */
import { recordFieldNamed } from "../domain/event-fields.ts";
import { groupRecords, type WriteTime } from "../domain/groups.ts";
import { both } from "../domain/mask.ts";
import type { Question } from "../domain/question.ts";
import type { Readings } from "../domain/readings.ts";
import { columnNamed, group, keep, type Table, type Value } from "../domain/table.ts";
import type { Pipeline, Step } from "./apply-parser.ts";
import { compileFilter, holds, textTestOf } from "./filter-compiler.ts";
import type { Expression } from "./filter-parser.ts";
import { parseInstant } from "./filter-tokens.ts";

/** The question with the filters that stand before the first grouping. */
export function narrowed(readings: Readings, question: Question, { steps }: Pipeline): Question {
  let { mask } = question;
  for (const step of steps) {
    if (step.tag !== "filter") break;
    mask = both(mask, compileFilter(step.condition, readings), readings.estate);
  }
  return { ...question, mask };
}

/** The result, or undefined when the steps only filter and records are to be shown. */
export function applySteps(
  readings: Readings,
  question: Question,
  pipeline: Pipeline,
  writeTime: WriteTime,
): Table | undefined {
  const first = pipeline.steps.findIndex(({ tag }) => tag === "group");
  const rest = pipeline.steps.slice(first);
  const [head] = rest;
  if (first < 0 || head?.tag !== "group") return undefined;
  const sources = head.aggregates.flatMap(({ of }) => of ?? []);
  const names = [...new Set([...head.by.map(({ name }) => name), ...sources])];
  const fields = names.flatMap((name) => recordFieldNamed(name) ?? []);
  let table = groupRecords(readings, narrowed(readings, question, pipeline), fields, writeTime);
  for (const step of rest) table = run(table, step);
  return table;
}

function run(table: Table, step: Step): Table {
  if (step.tag === "filter") return keep(table, (row) => holdsFor(step.condition, (name) => at(table, name, row)));
  return group(
    table,
    step.by.map(({ name }) => name),
    step.aggregates,
  );
}

function at(table: Table, name: string, row: number): Value {
  const column = columnNamed(table, name);
  return column ? column.valueOf(column.codes[row] ?? 0) : "";
}

/** Whether a condition holds for the values of one row. */
export function holdsFor(expression: Expression, read: (name: string) => Value): boolean {
  switch (expression.tag) {
    case "and":
      return holdsFor(expression.left, read) && holdsFor(expression.right, read);
    case "or":
      return holdsFor(expression.left, read) || holdsFor(expression.right, read);
    case "not":
      return !holdsFor(expression.of, read);
    case "boolean":
      return read(expression.field.name) === expression.value;
    case "number":
      return holds(expression.operator, Number(read(expression.field.name)) - expression.value);
    case "date":
      return holds(expression.operator, (parseInstant(String(read(expression.field.name))) ?? 0) - expression.value);
    case "member": {
      const value = read(expression.field.name);
      return Array.isArray(value) && value.some((word) => word.toLowerCase() === expression.value.toLowerCase());
    }
    case "text":
      return textTestOf(
        expression.test,
        expression.value.toLowerCase(),
      )(String(read(expression.field.name)).toLowerCase());
    case "string": {
      const [one, other] = [String(read(expression.field.name)).toLowerCase(), expression.value.toLowerCase()];
      return holds(expression.operator, one === other ? 0 : one < other ? -1 : 1);
    }
  }
}
