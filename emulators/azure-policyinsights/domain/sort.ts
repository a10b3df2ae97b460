/**
 * Sorting by codes: stable counting sorts from the last key to the first, so the time depends on no comparison. A page
 * needs few of a million, and its first key tells which they can be.
 */
import { complianceStates } from "./compliance.ts";
import type { Estate, Ranks } from "./estate.ts";
import { codesOf, type Field, sizeOf } from "./fields.ts";

export interface SortKey {
  readonly field: Field;
  readonly descending: boolean;
}

/** Evaluations found, in columns. */
export interface Found {
  readonly count: number;
  readonly row: Uint32Array;
  readonly compliance: Uint8Array;
  /** Of the record at a position; epoch milliseconds with fractions. */
  instant(position: number): number;
}

/**
 * The first `wanted` positions in `found`, and perhaps more, in the order of the keys; ties in the order of rows. What
 * the first key alone puts behind them is not sorted.
 */
export function sortFound(estate: Estate, found: Found, keys: readonly SortKey[], wanted: number): Uint32Array {
  let order = new Uint32Array(found.count);
  for (let position = 0; position < found.count; position += 1) order[position] = position;
  const [first] = keys;
  if (first) order = foremost(order, ranking(estate, found, order, first), wanted);
  for (const key of keys.toReversed()) {
    if (key.field.kind === "date") order = sortByTime(found, order, key.descending);
    else order = countingSort(order, ranking(estate, found, order, key));
  }
  return order;
}

/** Where positions come by one key; times that lie close together may have one rank. */
interface Ranking {
  /** By position, for those that are asked about. */
  readonly of: Uint32Array;
  readonly many: number;
}

function ranking(estate: Estate, found: Found, order: Uint32Array, { field, descending }: SortKey): Ranking {
  const of = new Uint32Array(found.count);
  if (field.kind === "date") {
    const { instants, earliest, latest } = times(found, order);
    const many = 65_536;
    const scale = latest > earliest ? (many - 1) / (latest - earliest) : 0;
    for (const at of order) {
      const rank = Math.floor(((instants[at] ?? 0) - earliest) * scale);
      of[at] = descending ? many - 1 - rank : rank;
    }
    return { of, many };
  }
  const { ranks, many } = rankCodes(estate, field);
  const code = codeReader(estate, found, field);
  for (const at of order) {
    const rank = ranks[code(at)] ?? 0;
    of[at] = descending ? many - 1 - rank : rank;
  }
  return { of, many };
}

/** Those of the lowest ranks that have `wanted` positions together. */
function foremost(order: Uint32Array<ArrayBuffer>, { of, many }: Ranking, wanted: number): Uint32Array<ArrayBuffer> {
  if (order.length <= wanted) return order;
  const counts = new Uint32Array(many);
  for (const at of order) counts[of[at] ?? 0] = (counts[of[at] ?? 0] ?? 0) + 1;
  let last = 0;
  let count = counts[0] ?? 0;
  while (count < wanted) {
    last += 1;
    count += counts[last] ?? 0;
  }
  const chosen = new Uint32Array(count);
  let next = 0;
  for (const at of order) {
    if ((of[at] ?? 0) > last) continue;
    chosen[next] = at;
    next += 1;
  }
  return chosen;
}

/** By instant, in units of 800 ns from the earliest, 16 bits at a time; stable. */
function sortByTime(found: Found, order: Uint32Array<ArrayBuffer>, descending: boolean): Uint32Array<ArrayBuffer> {
  const { instants, earliest, latest } = times(found, order);
  const unit = 0.0008;
  const many = 65_536;
  const of = new Uint32Array(found.count);
  let sorted = order;
  for (let divisor = 1; divisor === 1 || (latest - earliest) / unit >= divisor; divisor *= many) {
    for (const at of order) {
      const digit = Math.floor(Math.round(((instants[at] ?? 0) - earliest) / unit) / divisor) % many;
      of[at] = descending ? many - 1 - digit : digit;
    }
    sorted = countingSort(sorted, { of, many });
  }
  return sorted;
}

function times(found: Found, order: Uint32Array) {
  const instants = new Float64Array(found.count);
  let earliest = Number.POSITIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  for (const at of order) {
    const instant = found.instant(at);
    instants[at] = instant;
    if (instant < earliest) earliest = instant;
    if (instant > latest) latest = instant;
  }
  return { instants, earliest, latest };
}

/** The rank of each code of the field's level, by its text without regard to case. Kept: it costs a text a code. */
function rankCodes(estate: Estate, field: Exclude<Field, { kind: "date" }>): Ranks {
  const kept = estate.kept.ranks;
  const known = kept.get(field.name);
  if (known) return known;
  const texts = Array.from({ length: sizeOf(estate, field.level) }, (_, code) => sortText(estate, field, code));
  const distinct = [...new Set(texts)].sort();
  const rankOf = new Map(distinct.map((text, rank) => [text, rank]));
  const made = { ranks: Uint32Array.from(texts, (text) => rankOf.get(text) ?? 0), many: distinct.length };
  kept.set(field.name, made);
  return made;
}

function sortText(estate: Estate, field: Exclude<Field, { kind: "date" }>, code: number): string {
  switch (field.kind) {
    case "string":
      return field.text(estate, code).toLowerCase();
    case "boolean":
      return field.flag(code) ? "1" : "0";
    case "list":
      return field.words(estate, code).join(",").toLowerCase();
  }
}

function codeReader(estate: Estate, found: Found, { level }: Field): (at: number) => number {
  const { rows } = estate;
  if (level === "compliance") return (at) => Math.min(found.compliance[at] ?? 0, complianceStates.length - 1);
  if (level === "policy") return (at) => rows.policy[found.row[at] ?? 0] ?? 0;
  const codes = codesOf(estate, level);
  return (at) => {
    const resource = rows.resource[found.row[at] ?? 0] ?? 0;
    return codes ? (codes[resource] ?? 0) : resource;
  };
}

function countingSort(order: Uint32Array, { of, many }: Ranking): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(many + 1);
  for (const at of order) {
    const after = (of[at] ?? 0) + 1;
    starts[after] = (starts[after] ?? 0) + 1;
  }
  for (let rank = 0; rank < many; rank += 1) starts[rank + 1] = (starts[rank + 1] ?? 0) + (starts[rank] ?? 0);
  const sorted = new Uint32Array(order.length);
  for (const at of order) {
    const rank = of[at] ?? 0;
    const place = starts[rank] ?? 0;
    sorted[place] = at;
    starts[rank] = place + 1;
  }
  return sorted;
}
