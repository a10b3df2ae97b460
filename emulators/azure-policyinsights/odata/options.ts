/** The query options of policy states, checked, from the words of a request or of a skip token. */
import { type Field, fieldNamed } from "../domain/fields.ts";
import type { SortKey } from "../domain/sort.ts";
import { type Expression, parseFilter } from "./filter-parser.ts";
import { parseInstant } from "./filter-tokens.ts";
import { ODataProblem } from "./problem.ts";
import type { Query } from "./query.ts";

/** Options as text, as a skip token carries them. */
export interface OptionTexts {
  readonly filter?: string | undefined;
  readonly orderBy?: string | undefined;
  readonly select?: string | undefined;
}

export interface Options {
  readonly filter: Expression | undefined;
  /** Undefined: newest first. */
  readonly orderBy: readonly SortKey[] | undefined;
  /** Undefined: all members. */
  readonly select: ReadonlySet<Field> | undefined;
}

const dayMs = 86_400_000;

export function optionTexts(query: Query): OptionTexts {
  return { filter: given(query, "$filter"), orderBy: given(query, "$orderby"), select: given(query, "$select") };
}

/** Clients send options they have no value for, e.g. az an empty `$filter`. */
function given(query: Query, name: string): string | undefined {
  const text = query.get(name)?.trim();
  return text === "" ? undefined : text;
}

export function readOptions(texts: OptionTexts): Options {
  return {
    filter: texts.filter === undefined ? undefined : parseFilter(texts.filter),
    orderBy: texts.orderBy === undefined ? undefined : readOrderBy(texts.orderBy),
    select: texts.select === undefined ? undefined : readSelect(texts.select),
  };
}

function readOrderBy(text: string): readonly SortKey[] {
  return text.split(",").map((item) => {
    // Without a word the order is descending: so says the parameter's own description, unlike OData.
    const [name = "", direction = "desc", ...rest] = item.trim().split(/\s+/);
    const word = direction.toLowerCase();
    if (rest.length > 0 || (word !== "asc" && word !== "desc"))
      throw new ODataProblem(
        "$orderby",
        `'${item.trim()}' is not a property followed by asc or desc`,
        text.indexOf(item),
      );
    return { field: known("$orderby", name, text), descending: word === "desc" };
  });
}

function readSelect(text: string): ReadonlySet<Field> {
  return new Set(text.split(",").map((name) => known("$select", name.trim(), text)));
}

function known(option: string, name: string, text: string): Field {
  const field = fieldNamed(name);
  if (field) return field;
  throw new ODataProblem(
    option,
    `Could not find a property named '${name}' on type 'PolicyState'`,
    Math.max(0, text.indexOf(name)),
  );
}

/** How many records are wanted at most; undefined for all. */
export function readTop(query: Query): number | undefined {
  const text = given(query, "$top");
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new ODataProblem("$top", `'${text}' is not a number of records, 0 or more`);
  return Number(text);
}

/**
 * The window of a query: the last 24 hours unless it says otherwise. An end later than now is now: a client under
 * another clock may be ahead of this one.
 */
export function readWindow(query: Query, now: number): { readonly from: number; readonly to: number } {
  const to = Math.min(instant(query, "$to") ?? now, now);
  const asked = instant(query, "$from");
  if (asked !== undefined && asked > (instant(query, "$to") ?? Number.POSITIVE_INFINITY))
    throw new ODataProblem("$from", "$from must not be later than $to");
  return { from: Math.min(asked ?? to - dayMs, to), to };
}

function instant(query: Query, name: string): number | undefined {
  const text = given(query, name);
  if (text === undefined) return undefined;
  const value = parseInstant(text);
  if (value === undefined) throw new ODataProblem(name, `'${text}' is not a date and time in ISO 8601 form`);
  return value;
}

/** Options that exist but are not emulated must not be passed over: the answer would be another one. */
export function refuseUnsupported(query: Query): void {
  for (const name of ["$apply", "$expand"])
    if (given(query, name) !== undefined)
      throw new ODataProblem(name, `${name} is not emulated yet; leave it out and compute the same from the records`);
}
