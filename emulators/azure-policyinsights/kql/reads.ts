/**
 * What a query reads of its table before it first counts. A table may then give one row for many that are alike in it,
 * with how many they are.
 */
import type { Expression, Operator } from "./syntax.ts";

/** Column of how many rows one stands for; no name of a query is written like it. */
export const weightColumn = "\u0000weight";

/** Aggregates that need no more than how often each value comes. */
const countable = new Set([
  "count",
  "countif",
  "sum",
  "sumif",
  "avg",
  "avgif",
  "min",
  "max",
  "dcount",
  "make_set",
  "any",
  "take_any",
]);

/** Columns, and members of columns as `column.member`; undefined where rows must come one by one. */
export function readsOf(operators: readonly Operator[]): ReadonlySet<string> | undefined {
  const reads = new Set<string>();
  const made = new Set<string>();
  for (const operator of operators) {
    switch (operator.tag) {
      case "where":
        if (!read(operator.condition, made, reads)) return undefined;
        break;
      case "extend":
      case "project": {
        if (!operator.items.every(({ of }) => read(of, made, reads))) return undefined;
        // A name that is given hides the table's own from here on; one that is only passed on does not.
        for (const { alias } of operator.items) if (alias !== undefined) made.add(alias);
        break;
      }
      case "projectAway":
      case "projectKeep":
        break;
      case "count":
        return reads;
      case "summarize": {
        const counted = operator.items.every(({ of }) => aggregatesOf(of).every((name) => countable.has(name)));
        const all = [...operator.items, ...operator.by].every(({ of }) => read(of, made, reads));
        return counted && all ? reads : undefined;
      }
      default:
        return undefined;
    }
  }
  return undefined;
}

/** Adds what an expression reads; false when that is a whole document. */
function read(expression: Expression, made: ReadonlySet<string>, reads: Set<string>): boolean {
  const all = (parts: readonly Expression[]) => parts.every((part) => read(part, made, reads));
  switch (expression.tag) {
    case "literal":
      return true;
    case "column":
      if (made.has(expression.name)) return true;
      reads.add(expression.name);
      return expression.name !== "properties";
    case "member": {
      const { of, name } = expression;
      if (of.tag !== "column" || made.has(of.name) || name.tag !== "literal") return all([of, name]);
      reads.add(`${of.name}.${String(name.value)}`);
      return true;
    }
    case "call":
      return all(expression.args);
    case "binary":
      return all([expression.left, expression.right]);
    case "list":
      return all([expression.of, ...expression.items]);
    case "minus":
      return read(expression.of, made, reads);
  }
}

function aggregatesOf(expression: Expression): readonly string[] {
  switch (expression.tag) {
    case "call":
      return [expression.name, ...expression.args.flatMap(aggregatesOf)];
    case "binary":
      return [...aggregatesOf(expression.left), ...aggregatesOf(expression.right)];
    case "minus":
      return aggregatesOf(expression.of);
    case "list":
      return [expression.of, ...expression.items].flatMap(aggregatesOf);
    case "member":
      return [expression.of, expression.name].flatMap(aggregatesOf);
    default:
      return [];
  }
}
