/** Aggregate functions: each makes one accumulator a group. */
import { asBoolean, asNumber, compare, keyOf, shown, type Value } from "./values.ts";

export interface Accumulator {
  /** The arguments of the call, worked out for one row, and how many rows it stands for. */
  add(args: readonly Value[], weight: number): void;
  result(): Value;
}

export interface Aggregate {
  readonly least: number;
  readonly most: number;
  start(): Accumulator;
}

const mostInSet = 1_048_576;

const holds = (value: Value | undefined) => asBoolean(value ?? null) === true;

function counter(test: (args: readonly Value[]) => boolean): Accumulator {
  let n = 0;
  return {
    add(args, weight) {
      if (test(args)) n += weight;
    },
    result: () => n,
  };
}

function summing(test: (args: readonly Value[]) => boolean, average = false): Accumulator {
  let [total, n] = [0, 0];
  return {
    add(args, weight) {
      const value = test(args) ? asNumber(args[0] ?? null) : null;
      if (value === null) return;
      total += value * weight;
      n += weight;
    },
    result: () => (average ? (n === 0 ? null : total / n) : total),
  };
}

function best(sign: 1 | -1): Accumulator {
  let found: Value = null;
  return {
    add([value = null]) {
      if (value !== null && (found === null || (compare(value, found) ?? 0) * sign > 0)) found = value;
    },
    result: () => found,
  };
}

function distinct(): Accumulator {
  const seen = new Set<string>();
  return {
    add([value = null]) {
      if (value !== null) seen.add(keyOf(value));
    },
    result: () => seen.size,
  };
}

function gathering(once: boolean): Accumulator {
  const seen = new Set<string>();
  const found: Value[] = [];
  let most = mostInSet;
  return {
    add([value = null, limit]) {
      if (typeof limit === "number") most = limit;
      if (value === null || found.length >= most) return;
      const key = once ? keyOf(value) : "";
      if (once && seen.has(key)) return;
      seen.add(key);
      found.push(typeof value === "object" ? (shown(value) as Value) : value);
    },
    result: () => found,
  };
}

function first(): Accumulator {
  let found: Value = null;
  return {
    add([value = null]) {
      found ??= value;
    },
    result: () => found,
  };
}

export const aggregates: Readonly<Record<string, Aggregate>> = {
  count: { least: 0, most: 0, start: () => counter(() => true) },
  countif: { least: 1, most: 1, start: () => counter(([test]) => holds(test)) },
  sum: { least: 1, most: 1, start: () => summing(() => true) },
  sumif: { least: 2, most: 2, start: () => summing(([, test]) => holds(test)) },
  avg: { least: 1, most: 1, start: () => summing(() => true, true) },
  avgif: { least: 2, most: 2, start: () => summing(([, test]) => holds(test), true) },
  min: { least: 1, most: 1, start: () => best(-1) },
  max: { least: 1, most: 1, start: () => best(1) },
  dcount: { least: 1, most: 2, start: distinct },
  make_set: { least: 1, most: 2, start: () => gathering(true) },
  make_list: { least: 1, most: 2, start: () => gathering(false) },
  any: { least: 1, most: 1, start: first },
  take_any: { least: 1, most: 1, start: first },
};
