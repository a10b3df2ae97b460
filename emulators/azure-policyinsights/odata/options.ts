/** The query options of policy states, checked, from the words of a request or of a skip token. */
import { fieldNamed } from "../domain/fields.ts";
import { type Pipeline, parseApply } from "./apply-parser.ts";
import { type Expression, parseFilter, type Schema } from "./filter-parser.ts";
import { parseInstant } from "./filter-tokens.ts";
import { ODataProblem } from "./problem.ts";
import type { Query } from "./query.ts";

/** Options as text, as a skip token carries them. */
export interface OptionTexts {
  readonly filter?: string | undefined;
  readonly orderBy?: string | undefined;
  readonly select?: string | undefined;
  readonly apply?: string | undefined;
  readonly expand?: string | undefined;
}

/** A name to sort by: a member of a record, or a column that `$apply` made. */
export interface OrderKey {
  readonly name: string;
  readonly descending: boolean;
}

export interface Options {
  readonly filter: Expression | undefined;
  readonly apply: Pipeline | undefined;
  /** Undefined: newest first. */
  readonly orderBy: readonly OrderKey[] | undefined;
  /** Names; undefined: all members. */
  readonly select: readonly string[] | undefined;
  readonly expand: Expand;
}

const dayMs = 86_400_000;

export function optionTexts(query: Query): OptionTexts {
  return {
    filter: given(query, "$filter"),
    orderBy: given(query, "$orderby"),
    select: given(query, "$select"),
    apply: given(query, "$apply"),
    expand: given(query, "$expand"),
  };
}

/** Clients send options they have no value for, e.g. az an empty `$filter`. */
function given(query: Query, name: string): string | undefined {
  const text = query.get(name)?.trim();
  return text === "" ? undefined : text;
}

/** Checks all options; `schema` finds the members of the records. */
export function readOptions(texts: OptionTexts, schema: Schema = fieldNamed): Options {
  const filter = texts.filter === undefined ? undefined : parseFilter(texts.filter, schema);
  const apply = texts.apply === undefined ? undefined : parseApply(texts.apply, schema);
  const names: Schema = (name) =>
    apply?.columns ? apply.columns.find((each) => each.name.toLowerCase() === name.toLowerCase()) : schema(name);
  return {
    filter,
    apply,
    orderBy: texts.orderBy === undefined ? undefined : readOrderBy(texts.orderBy, names),
    select: texts.select === undefined ? undefined : readSelect(texts.select, names),
    expand: readExpand(texts.expand),
  };
}

function readOrderBy(text: string, schema: Schema): readonly OrderKey[] {
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
    return { name: known("$orderby", name, text, schema), descending: word === "desc" };
  });
}

function readSelect(text: string, schema: Schema): readonly string[] {
  return [...new Set(text.split(",").map((name) => known("$select", name.trim(), text, schema)))];
}

function known(option: string, name: string, text: string, schema: Schema): string {
  const property = schema(name);
  if (property) return property.name;
  throw new ODataProblem(
    option,
    `Could not find a property named '${name}' on type 'PolicyState'`,
    Math.max(0, text.indexOf(name)),
  );
}

export interface Expand {
  readonly details: boolean;
  readonly components: boolean;
}

function readExpand(text: string | undefined): Expand {
  const names = withoutParentheses(text ?? "")
    .toLowerCase()
    .split(",");
  const found = { details: false, components: false };
  for (const name of names.map((each) => each.trim())) {
    if (name === "policyevaluationdetails") found.details = true;
    else if (name === "components") found.components = true;
    else if (name !== "")
      throw new ODataProblem("$expand", `'${name}' cannot be expanded: PolicyEvaluationDetails and components can`);
  }
  return found;
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

/** Options of what is expanded stand in parentheses. */
function withoutParentheses(text: string): string {
  let depth = 0;
  let outside = "";
  for (const character of text) {
    if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    else if (depth <= 0) outside += character;
  }
  return outside;
}
