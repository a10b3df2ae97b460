/**
 * `$filter` of the lists that Azure Resource Manager keeps of policies: functions of a scope such as `atExactScope()` and
 * `name eq 'value'`, joined by `and`. https://learn.microsoft.com/rest/api/policy-authorization/policy-assignments/list
 */
import { ODataProblem } from "./problem.ts";
import type { Query } from "./query.ts";

export interface ListFilter {
  /** Whether a function is called. */
  calls(name: string): boolean;
  /** The value a name must have, in lower case; undefined when it may have any. */
  valueOf(name: string): string | undefined;
}

/** @throws ODataProblem for what is in none of the given forms */
export function readListFilter(
  query: Query,
  { functions = [], names = [] }: { readonly functions?: readonly string[]; readonly names?: readonly string[] },
): ListFilter {
  const called = new Set<string>();
  const values = new Map<string, string>();
  const text = query.get("$filter")?.trim() ?? "";
  for (const clause of text === "" ? [] : text.slice(0, 4096).split(/\s+and\s+/i)) {
    const functionName = /^(\w+)\(\)$/.exec(clause)?.[1]?.toLowerCase();
    // The reference itself writes `-eq` in places.
    const [, name = "", value = ""] = /^(\w+)\s+-?eq\s+'((?:[^']|'')*)'$/i.exec(clause) ?? [];
    if (functionName !== undefined && known(functions, functionName)) called.add(functionName);
    else if (known(names, name)) values.set(name.toLowerCase(), value.replaceAll("''", "'").toLowerCase());
    else {
      const forms = formsOf(functions, names);
      throw new ODataProblem("$filter", `Invalid $filter '${text}' specified in the query string: known are ${forms}`);
    }
  }
  return { calls: (name) => called.has(name.toLowerCase()), valueOf: (name) => values.get(name.toLowerCase()) };
}

function known(names: readonly string[], name: string): boolean {
  return names.some((each) => each.toLowerCase() === name.toLowerCase());
}

function formsOf(functions: readonly string[], names: readonly string[]): string {
  return [...functions.map((name) => `${name}()`), ...names.map((name) => `${name} eq '...'`)].join(", ");
}
