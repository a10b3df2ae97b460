/** Scalar functions. */
import { asBoolean, asDate, asNumber, asText, isBag, isLazy, Timespan, type Value } from "./values.ts";

export interface ScalarFunction {
  readonly least: number;
  readonly most: number;
  call(args: readonly Value[], now: number): Value;
}

const of = (least: number, most: number, call: ScalarFunction["call"]): ScalarFunction => ({ least, most, call });
const one = (call: (value: Value, now: number) => Value) => of(1, 1, ([value = null], now) => call(value, now));
const text = (call: (value: string) => Value) => one((value) => call(asText(value)));
const isEmpty = (value: Value) => value === null || value === "";
const int = one((value) => {
  const found = asNumber(value);
  return found === null ? null : Math.trunc(found);
});
const real = one(asNumber);
const bool = one(asBoolean);
const date = one(asDate);
const parse = one((value) => {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as Value;
  } catch {
    return value; // Kusto keeps what is no JSON as a text
  }
});
const iff = of(3, 3, ([test = null, yes = null, no = null]) => (asBoolean(test) === true ? yes : no));
const mostText = 1_000_000;

export const functions: Readonly<Record<string, ScalarFunction>> = {
  tostring: one((value) => asText(value)),
  toint: int,
  tolong: int,
  int,
  long: int,
  todouble: real,
  toreal: real,
  real,
  double: real,
  tobool: bool,
  bool,
  todatetime: date,
  tolower: text((value) => value.toLowerCase()),
  toupper: text((value) => value.toUpperCase()),
  strlen: text((value) => value.length),
  iff,
  iif: iff,
  case: of(3, 61, (args) => {
    for (let at = 0; at + 1 < args.length; at += 2)
      if (asBoolean(args[at] ?? null) === true) return args[at + 1] ?? null;
    return args.at(-1) ?? null;
  }),
  split: of(2, 3, ([value = null, by = null, at]) => {
    const parts = asText(value).split(asText(by));
    return typeof at === "number" ? parts.slice(at, at + 1) : parts;
  }),
  strcat: of(1, 64, (args) => args.map(asText).join("").slice(0, mostText)),
  substring: of(2, 3, ([value = null, from = null, length]) => {
    const start = Math.max(0, asNumber(from) ?? 0);
    return asText(value).slice(start, typeof length === "number" ? start + Math.max(0, length) : undefined);
  }),
  replace_string: of(3, 3, ([value = null, from = null, to = null]) =>
    asText(from) === ""
      ? asText(value)
      : asText(value)
          .replaceAll(asText(from), () => asText(to))
          .slice(0, mostText),
  ),
  indexof: of(2, 2, ([value = null, wanted = null]) => asText(value).indexOf(asText(wanted))),
  isempty: one(isEmpty),
  isnotempty: one((value) => !isEmpty(value)),
  isnull: one((value) => value === null),
  isnotnull: one((value) => value !== null),
  notnull: one((value) => value !== null),
  not: one((value) => {
    const found = asBoolean(value);
    return found === null ? null : !found;
  }),
  coalesce: of(2, 64, (args) => args.find((value) => !isEmpty(value)) ?? null),
  round: of(1, 2, ([value = null, digits = 0]) => {
    const [number, places] = [asNumber(value), Math.min(12, Math.max(0, asNumber(digits) ?? 0))];
    return number === null ? null : Math.round(number * 10 ** places) / 10 ** places;
  }),
  floor: of(1, 2, bin),
  bin: of(2, 2, bin),
  ago: one((value, now) => (value instanceof Timespan ? new Date(now - value.ms) : null)),
  now: of(0, 1, ([offset], now) => new Date(now + (offset instanceof Timespan ? offset.ms : 0))),
  startofday: one((value) => {
    const found = asDate(value);
    return found && new Date(Math.floor(found.getTime() / 86_400_000) * 86_400_000);
  }),
  parse_json: parse,
  todynamic: parse,
  array_length: one((value) => (Array.isArray(value) ? value.length : null)),
  bag_keys: one((value) => {
    const whole = isLazy(value) ? value.whole() : value;
    return isBag(whole) ? Object.keys(whole) : null;
  }),
  pack: of(2, 64, pack),
  bag_pack: of(2, 64, pack),
  pack_array: of(1, 64, (args) => args),
  array_index_of: of(2, 2, ([list = null, wanted = null]) =>
    Array.isArray(list) ? list.findIndex((each: Value) => asText(each) === asText(wanted)) : null,
  ),
};

function bin([value = null, size = 1]: readonly Value[]): Value {
  const span = size instanceof Timespan ? size.ms : asNumber(size);
  if (span === null || span <= 0) return null;
  if (value instanceof Date) return new Date(Math.floor(value.getTime() / span) * span);
  if (value instanceof Timespan) return new Timespan(Math.floor(value.ms / span) * span);
  const number = asNumber(value);
  return number === null ? null : Math.floor(number / span) * span;
}

function pack(args: readonly Value[]): Value {
  const pairs: [string, Value][] = [];
  for (let at = 0; at + 1 < args.length; at += 2) pairs.push([asText(args[at] ?? null), args[at + 1] ?? null]);
  return Object.fromEntries(pairs);
}
