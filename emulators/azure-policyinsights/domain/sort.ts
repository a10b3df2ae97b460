/** Sorting by codes: stable counting sorts from the last key to the first, so the time depends on no comparison. */
import { complianceStates } from "./compliance.ts";
import type { Estate } from "./estate.ts";
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

/** Positions in `found` in the order of the keys; ties in the order of rows. */
export function sortFound(estate: Estate, found: Found, keys: readonly SortKey[]): Uint32Array {
  let order = new Uint32Array(found.count).map((_, index) => index);
  const last = keys.findIndex(({ field }) => field.kind === "date");
  const used = last < 0 ? keys : keys.slice(0, last + 1);
  for (const { field, descending } of used.toReversed()) {
    if (field.kind === "date") order = sortByTime(found, order, descending);
    else {
      const { ranks, many } = rankCodes(estate, field);
      const code = codeReader(estate, found, field);
      const of = new Uint32Array(found.count);
      for (let at = 0; at < found.count; at += 1) of[at] = ranks[code(at)] ?? 0;
      order = countingSort(order, of, many, descending);
    }
  }
  return order;
}

/** By instant, in units of 800 ns from the earliest, 11 bits at a time; stable. */
function sortByTime(found: Found, order: Uint32Array<ArrayBuffer>, descending: boolean): Uint32Array<ArrayBuffer> {
  const instants = new Float64Array(found.count);
  let earliest = Number.POSITIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < found.count; at += 1) {
    const instant = found.instant(at);
    instants[at] = instant;
    if (instant < earliest) earliest = instant;
    if (instant > latest) latest = instant;
  }
  const unit = 0.0008;
  const digits = 65_536;
  const of = new Uint32Array(found.count);
  let sorted = order;
  for (let divisor = 1; divisor === 1 || (latest - earliest) / unit >= divisor; divisor *= digits) {
    for (let at = 0; at < found.count; at += 1)
      of[at] = Math.floor(Math.round(((instants[at] ?? 0) - earliest) / unit) / divisor) % digits;
    sorted = countingSort(sorted, of, digits, descending);
  }
  return sorted;
}

/** The order of a field's codes. */
export interface Ranks {
  readonly ranks: Uint32Array;
  readonly many: number;
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

function countingSort(
  order: Uint32Array,
  ranks: Uint32Array,
  many: number,
  descending: boolean,
): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(many + 1);
  const slot = (position: number) => (descending ? many - 1 - (ranks[position] ?? 0) : (ranks[position] ?? 0));
  for (const position of order) starts[slot(position) + 1] = (starts[slot(position) + 1] ?? 0) + 1;
  for (let rank = 0; rank < many; rank += 1) starts[rank + 1] = (starts[rank + 1] ?? 0) + (starts[rank] ?? 0);
  const sorted = new Uint32Array(order.length);
  for (const position of order) {
    const at = starts[slot(position)] ?? 0;
    sorted[at] = position;
    starts[slot(position)] = at + 1;
  }
  return sorted;
}
