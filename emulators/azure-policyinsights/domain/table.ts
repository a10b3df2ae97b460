/**
 * Results of `$apply`: a few columns of codes with a dictionary each, and how many records every row stands for. Groups
 * are made by comparing codes; values are only looked at where an aggregate or a condition needs them.
 */

export type Value = string | number | boolean | readonly string[];
export type AggregateMethod = "sum" | "min" | "max" | "average" | "countdistinct";

export interface Aggregate {
  readonly method: AggregateMethod | "count";
  /** The column it is taken of; `$count` has none. */
  readonly of: string | undefined;
  readonly alias: string;
  readonly kind: "string" | "date" | "number" | "boolean" | "list";
}

export interface Column {
  readonly name: string;
  readonly kind: Aggregate["kind"];
  /** Of each row: position in `values`. Equal values have equal codes. */
  readonly codes: Uint32Array;
  valueOf(code: number): Value;
}

export interface Table {
  readonly size: number;
  readonly columns: readonly Column[];
  /** Records that each row stands for. */
  readonly weights: Float64Array;
}

export function columnNamed({ columns }: Table, name: string): Column | undefined {
  return columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
}

/** Rows for which the test holds. */
export function keep(table: Table, test: (row: number) => boolean): Table {
  const rows: number[] = [];
  for (let row = 0; row < table.size; row += 1) if (test(row)) rows.push(row);
  return pick(table, rows);
}

export function pick({ columns, weights }: Table, rows: readonly number[]): Table {
  return {
    size: rows.length,
    columns: columns.map((column) => ({ ...column, codes: Uint32Array.from(rows, (row) => column.codes[row] ?? 0) })),
    weights: Float64Array.from(rows, (row) => weights[row] ?? 0),
  };
}

/** Groups in the order in which they first occur. Without `by` everything is one group, also when there is nothing. */
export function group(table: Table, by: readonly string[], aggregates: readonly Aggregate[]): Table {
  const keys = by.flatMap((name) => columnNamed(table, name) ?? []);
  const { of, firsts } = groupsOf(table, keys);
  const size = by.length === 0 ? 1 : firsts.length;
  const columns = keys.map((column) => ({
    ...column,
    codes: Uint32Array.from(firsts, (row) => column.codes[row] ?? 0),
  }));
  const made = aggregates.map((aggregate) => aggregateColumn(table, aggregate, of, size));
  return { size, columns: [...columns, ...made], weights: new Float64Array(size).fill(1) };
}

/** The group of each row, and the first row of each group. */
function groupsOf({ size }: Table, keys: readonly Column[]): { of: Uint32Array; firsts: readonly number[] } {
  let of = new Uint32Array(size);
  let firsts: number[] = size === 0 ? [] : [0];
  for (const { codes } of keys) {
    const next = new Uint32Array(size);
    const code = numbering(firsts.length, codes);
    firsts = [];
    for (let row = 0; row < size; row += 1) {
      const found = code(of[row] ?? 0, codes[row] ?? 0, firsts.length);
      if (found === firsts.length) firsts.push(row);
      next[row] = found;
    }
    of = next;
  }
  return { of, firsts };
}

const mostNumbered = 8_000_000;

/** Numbers pairs as they come: `fresh` for one not seen before. In an array where that is not too large. */
function numbering(groups: number, codes: Uint32Array): (group: number, code: number, fresh: number) => number {
  let width = 1;
  for (const code of codes) if (code >= width) width = code + 1;
  if (groups * width > mostNumbered) {
    const known = new Map<number, number>();
    return (group, code, fresh) => {
      const key = group * width + code;
      const found = known.get(key);
      if (found === undefined) known.set(key, fresh);
      return found ?? fresh;
    };
  }
  const known = new Uint32Array(groups * width);
  return (group, code, fresh) => {
    const key = group * width + code;
    const found = known[key] ?? 0;
    if (found === 0) known[key] = fresh + 1;
    return found === 0 ? fresh : found - 1;
  };
}

function aggregateColumn(
  table: Table,
  { method, of: name, alias, kind }: Aggregate,
  of: Uint32Array,
  size: number,
): Column {
  const source = name === undefined ? undefined : columnNamed(table, name);
  const values = method === "count" || !source ? counts(table, of, size) : aggregated(table, source, method, of, size);
  const known = new Map<Value, number>();
  const distinct: Value[] = [];
  const codes = Uint32Array.from({ length: size }, (_, row) => {
    const value = values[row] ?? 0;
    const code = known.get(value) ?? distinct.push(value) - 1;
    known.set(value, code);
    return code;
  });
  return { name: alias, kind, codes, valueOf: (code) => distinct[code] ?? 0 };
}

function counts({ size, weights }: Table, of: Uint32Array, groups: number): Float64Array {
  const found = new Float64Array(groups);
  for (let row = 0; row < size; row += 1) found[of[row] ?? 0] = (found[of[row] ?? 0] ?? 0) + (weights[row] ?? 0);
  return found;
}

function aggregated(
  table: Table,
  source: Column,
  method: AggregateMethod,
  of: Uint32Array,
  groups: number,
): readonly Value[] {
  switch (method) {
    case "countdistinct": {
      const { of: pairs, firsts } = groupsOf(table, [{ ...source, codes: of }, source]);
      const found = new Array<number>(groups).fill(0);
      for (const row of pairs.length === 0 ? [] : firsts) found[of[row] ?? 0] = (found[of[row] ?? 0] ?? 0) + 1;
      return found;
    }
    case "min":
    case "max":
      return extremes(table, source, method === "min" ? -1 : 1, of, groups);
    case "sum":
    case "average": {
      const sums = new Array<number>(groups).fill(0);
      for (let row = 0; row < table.size; row += 1) {
        const value = source.valueOf(source.codes[row] ?? 0);
        const at = of[row] ?? 0;
        sums[at] = (sums[at] ?? 0) + (typeof value === "number" ? value : 0) * (table.weights[row] ?? 0);
      }
      if (method === "sum") return sums;
      const many = counts(table, of, groups);
      return sums.map((sum, at) => ((many[at] ?? 0) === 0 ? 0 : sum / (many[at] ?? 1)));
    }
  }
}

function extremes(table: Table, source: Column, sign: number, of: Uint32Array, groups: number): readonly Value[] {
  const found: (Value | undefined)[] = new Array(groups).fill(undefined);
  for (let row = 0; row < table.size; row += 1) {
    const at = of[row] ?? 0;
    const value = source.valueOf(source.codes[row] ?? 0);
    const best = found[at];
    if (best === undefined || compareValues(value, best) * sign > 0) found[at] = value;
  }
  return found.map((value) => value ?? (source.kind === "number" ? 0 : ""));
}

/** Texts without regard to case, but never equal when they differ. */
export function compareValues(left: Value, right: Value): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  const [one, other] = [String(left), String(right)];
  const [low, high] = [one.toLowerCase(), other.toLowerCase()];
  if (low !== high) return low < high ? -1 : 1;
  return one === other ? 0 : one < other ? -1 : 1;
}

/** Rows in the order of the keys; ties as they are. */
export function sorted(table: Table, keys: readonly { readonly name: string; readonly descending: boolean }[]): Table {
  const columns = keys.flatMap(({ name, descending }) => {
    const column = columnNamed(table, name);
    if (!column) return [];
    const { codes } = column;
    return [{ values: Array.from(codes, (code) => column.valueOf(code)), sign: descending ? -1 : 1 }];
  });
  const rows = Array.from({ length: table.size }, (_, row) => row);
  rows.sort((left, right) => {
    for (const { values, sign } of columns) {
      const difference = compareValues(values[left] ?? "", values[right] ?? "");
      if (difference !== 0) return difference * sign;
    }
    return left - right;
  });
  return pick(table, rows);
}
