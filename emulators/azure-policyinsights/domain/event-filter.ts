/** Filters of Event Grid subscriptions. https://learn.microsoft.com/azure/event-grid/event-filtering */
import { valueAt } from "./event-subscription.ts";
import { type Json, list, member, text } from "./json.ts";

type Test = (value: Json, wanted: readonly Json[]) => boolean;

const lower = (value: Json) => (typeof value === "string" ? value.toLowerCase() : undefined);
const some =
  (holds: (value: string, wanted: string) => boolean): Test =>
  (value, wanted) => {
    const own = lower(value);
    return own !== undefined && wanted.some((each) => holds(own, lower(each) ?? "\u0000"));
  };
const not =
  (test: Test): Test =>
  (value, wanted) =>
    !test(value, wanted);
const number =
  (holds: (value: number, wanted: number) => boolean): Test =>
  (value, wanted) =>
    typeof value === "number" && wanted.some((each) => typeof each === "number" && holds(value, each));
const between: Test = (value, wanted) =>
  typeof value === "number" &&
  wanted.some((each) => {
    const [least, most] = list(each);
    return typeof least === "number" && typeof most === "number" && value >= least && value <= most;
  });

const equal = some((value, wanted) => value === wanted);
const begins = some((value, wanted) => value.startsWith(wanted));
const ends = some((value, wanted) => value.endsWith(wanted));
const contains = some((value, wanted) => value.includes(wanted));
const oneOf = number((value, wanted) => value === wanted);

const tests: Readonly<Record<string, Test>> = {
  stringin: equal,
  stringnotin: not(equal),
  stringbeginswith: begins,
  stringnotbeginswith: not(begins),
  stringendswith: ends,
  stringnotendswith: not(ends),
  stringcontains: contains,
  stringnotcontains: not(contains),
  numberin: oneOf,
  numbernotin: not(oneOf),
  numberlessthan: number((value, wanted) => value < wanted),
  numbergreaterthan: number((value, wanted) => value > wanted),
  numberlessthanorequals: number((value, wanted) => value <= wanted),
  numbergreaterthanorequals: number((value, wanted) => value >= wanted),
  numberinrange: between,
  numbernotinrange: not(between),
  boolequals: (value, wanted) => wanted.includes(value),
  isnullorundefined: (value) => value === undefined || value === null,
  isnotnull: (value) => value !== undefined && value !== null,
};

export function isKnownOperator(name: string): boolean {
  return Object.hasOwn(tests, name.toLowerCase());
}

/** `event` is the event as it is sent; its type and subject stand in different members in the two schemas. */
export function passes(
  filter: Json,
  event: Json,
  { type, subject }: { readonly type: string; readonly subject: string },
): boolean {
  const types = list(member(filter, "includedEventTypes"));
  if (types.length > 0 && !types.some((each) => lower(each) === type.toLowerCase() || each === "All")) return false;
  const fold =
    member(filter, "isSubjectCaseSensitive") === true
      ? (value: string) => value
      : (value: string) => value.toLowerCase();
  const own = fold(subject);
  if (!own.startsWith(fold(text(filter, "subjectBeginsWith")))) return false;
  if (!own.endsWith(fold(text(filter, "subjectEndsWith")))) return false;
  return list(member(filter, "advancedFilters")).every((each) => {
    const test = tests[text(each, "operatorType").toLowerCase()];
    const wanted = [...list(member(each, "values")), member(each, "value")].filter((value) => value !== undefined);
    return test?.(valueAt(event, text(each, "key")), wanted) ?? false;
  });
}
