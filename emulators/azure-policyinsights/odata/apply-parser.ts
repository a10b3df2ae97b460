/**
 * `$apply` to a list of steps: `filter(condition)`, `groupby((a,b))`, `groupby((a,b), aggregate(...))`,
 * `aggregate(...)`, joined by `/`. Aggregates: `$count as N` and `x with sum|min|max|average|countdistinct as N`.
 */
import { fieldNamed } from "../domain/fields.ts";
import type { Aggregate, AggregateMethod } from "../domain/table.ts";
import {
  close,
  type Expression,
  fieldOf,
  type Property,
  parseCondition,
  type Reader,
  readerOf,
  type Schema,
  shown,
} from "./filter-parser.ts";

export type Step =
  | { readonly tag: "filter"; readonly condition: Expression }
  | { readonly tag: "group"; readonly by: readonly Property[]; readonly aggregates: readonly Aggregate[] };

export interface Pipeline {
  readonly steps: readonly Step[];
  /** What the results have; undefined when they are still records. */
  readonly columns: readonly Property[] | undefined;
}

const methods: readonly AggregateMethod[] = ["sum", "min", "max", "average", "countdistinct"];

export function parseApply(text: string, records: Schema = fieldNamed): Pipeline {
  let columns: readonly Property[] | undefined;
  const schema: Schema = (name) =>
    columns ? columns.find((column) => column.name.toLowerCase() === name.toLowerCase()) : records(name);
  const reader = readerOf("$apply", text, schema);
  const steps: Step[] = [];
  for (;;) {
    const step = readStep(reader);
    steps.push(step);
    if (step.tag === "group") columns = [...step.by, ...step.aggregates.map(columnOf)];
    const next = reader.take();
    if (next.tag === "end") return { steps, columns };
    if (next.tag !== "/")
      reader.fail(`Syntax error: '/' or the end is expected, not '${text.slice(next.at, next.end)}'`, next.at);
  }
}

function readStep(reader: Reader): Step {
  const at = reader.peek().at;
  const word = reader.word("filter", "groupby", "aggregate");
  if (word === undefined) return reader.fail(`'filter', 'groupby' or 'aggregate' is expected, not '${shown(reader)}'`);
  open(reader, word);
  if (word === "filter") {
    const condition = parseCondition(reader);
    close(reader);
    return { tag: "filter", condition };
  }
  if (word === "aggregate") return { tag: "group", by: [], aggregates: readAggregates(reader, []) };
  open(reader, "groupby");
  const by = readProperties(reader);
  let aggregates: readonly Aggregate[] = [];
  if (reader.peek().tag === ",") {
    reader.take();
    if (!reader.word("aggregate")) return reader.fail("'aggregate' is expected");
    open(reader, "aggregate");
    aggregates = readAggregates(reader, by);
  }
  if (by.length === 0 && aggregates.length === 0) return reader.fail("'groupby' needs properties", at);
  close(reader);
  return { tag: "group", by, aggregates };
}

function open(reader: Reader, after: string): void {
  if (reader.peek().tag !== "(") reader.fail(`'(' is expected after '${after}'`);
  reader.take();
}

/** Names up to the closing parenthesis. */
function readProperties(reader: Reader): readonly Property[] {
  const found: Property[] = [];
  for (;;) {
    const at = reader.peek().at;
    const property = fieldOf(reader);
    if (found.some(({ name }) => name === property.name)) reader.fail(`'${property.name}' occurs twice`, at);
    found.push(property);
    const next = reader.take();
    if (next.tag === ")") return found;
    if (next.tag !== ",") return reader.fail("',' or ')' is expected", next.at);
  }
}

function readAggregates(reader: Reader, by: readonly Property[]): readonly Aggregate[] {
  const found: Aggregate[] = [];
  for (;;) {
    const at = reader.peek().at;
    const aggregate = readAggregate(reader);
    const taken = [...by.map(({ name }) => name), ...found.map(({ alias }) => alias)];
    if (taken.some((name) => name.toLowerCase() === aggregate.alias.toLowerCase()))
      reader.fail(`The name '${aggregate.alias}' is taken`, at);
    found.push(aggregate);
    const next = reader.take();
    if (next.tag === ")") return found;
    if (next.tag !== ",") return reader.fail("',' or ')' is expected", next.at);
  }
}

function readAggregate(reader: Reader): Aggregate {
  if (reader.word("$count")) return { method: "count", of: undefined, alias: readAlias(reader), kind: "number" };
  const at = reader.peek().at;
  const of = fieldOf(reader);
  if (!reader.word("with")) return reader.fail(`'with' and a method are expected after '${of.name}'`);
  const methodAt = reader.peek().at;
  const word = reader.word(...methods);
  const method = methods.find((each) => each === word);
  if (!method) return reader.fail(`One of ${methods.join(", ")} is expected`, methodAt);
  if ((method === "sum" || method === "average") && of.kind !== "number")
    return reader.fail(`'${method}' needs numbers; '${of.name}' is a ${of.kind}`, at);
  if ((method === "min" || method === "max") && (of.kind === "list" || of.kind === "boolean"))
    return reader.fail(`'${method}' needs values with an order; '${of.name}' is a ${of.kind}`, at);
  const kind = method === "min" || method === "max" ? of.kind : "number";
  return { method, of: of.name, alias: readAlias(reader), kind };
}

function readAlias(reader: Reader): string {
  if (!reader.word("as")) return reader.fail("'as' and a name are expected");
  const token = reader.take();
  if (token.tag !== "name") return reader.fail("A name is expected after 'as'", token.at);
  return token.value;
}

function columnOf({ alias, kind }: Aggregate): Property {
  return { name: alias, kind };
}
