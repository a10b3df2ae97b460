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
  /** Epoch milliseconds with fractions. */
  readonly instant: Float64Array;
}

/** Positions in `found`, which come newest first, in the order of the keys; ties stay newest first. */
export function sortFound(estate: Estate, found: Found, keys: readonly SortKey[]): Uint32Array {
  let order = new Uint32Array(found.count).map((_, index) => index);
  for (const { field, descending } of keys.toReversed()) {
    const ranks = ranksOf(estate, found, field);
    order = countingSort(order, ranks.of, ranks.many, descending);
  }
  return order;
}

interface Ranks {
  /** Rank of each position in `found`. */
  readonly of: Uint32Array;
  readonly many: number;
}

function ranksOf(estate: Estate, found: Found, field: Field): Ranks {
  const of = new Uint32Array(found.count);
  if (field.kind === "date") {
    let rank = found.count;
    for (let at = 0; at < found.count; at += 1) {
      if (at === 0 || found.instant[at] !== found.instant[at - 1]) rank -= 1;
      of[at] = rank;
    }
    return { of, many: found.count };
  }
  const { ranks, many } = rankCodes(estate, field);
  const code = codeReader(estate, found, field);
  for (let at = 0; at < found.count; at += 1) of[at] = ranks[code(at)] ?? 0;
  return { of, many };
}

/** The rank of each code of the field's level, by its text without regard to case. */
function rankCodes(estate: Estate, field: Exclude<Field, { kind: "date" }>): { ranks: Uint32Array; many: number } {
  const texts = Array.from({ length: sizeOf(estate, field.level) }, (_, code) => sortText(estate, field, code));
  const distinct = [...new Set(texts)].sort();
  const rankOf = new Map(distinct.map((text, rank) => [text, rank]));
  return { ranks: Uint32Array.from(texts, (text) => rankOf.get(text) ?? 0), many: distinct.length };
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
