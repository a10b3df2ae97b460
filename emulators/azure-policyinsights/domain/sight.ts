/**
 * What a question sees, as columns: for a range of rows one code each, `nothing` where the row does not count. Loops over
 * these arrays are what summaries, groups and sorted pages are made of; a callback for every row would cost more than
 * all they do.
 */
import { between } from "./between.ts";
import { nothing } from "./compliance.ts";
import type { Mask } from "./mask.ts";
import type { Evaluation } from "./overlay.ts";
import type { Readings } from "./readings.ts";
import { instantOf, type Scan, scansOf } from "./scans.ts";
import type { Question } from "./walk.ts";

export interface Sight {
  readonly first: number;
  readonly end: number;
  /** Of the rows [first, end). */
  readonly codes: Uint8Array;
  /** The scan in which a row was seen; undefined for an evaluation between the scans. */
  scanOf(row: number): Scan | undefined;
  instantOf(row: number): number;
}

export interface Seen {
  readonly sights: readonly Sight[];
  /** Records that have no place in the columns: a row may have several of them. */
  readonly extra: readonly Evaluation[];
}

export function see(readings: Readings, question: Question): Seen {
  const { estate } = readings;
  const { extra, hidden } = between(readings, question);
  const extraOf = new Map(question.latestOnly ? extra.map((each) => [each.row, each]) : []);
  const sights = question.ranges.flatMap((range): Sight[] => {
    const subscription = estate.subscriptions[range.subscription];
    if (!subscription || range.first >= range.end) return [];
    const scans = scansOf(subscription, range.subscription, question.window, question.latestOnly, question.kind);
    const turns: readonly (readonly [Scan | undefined, Scan | undefined])[] = question.latestOnly
      ? [[scans[0], scans[1]]]
      : scans.map((scan) => [scan, undefined]);
    return turns.map(([newer, older]) => {
      const codes = new Uint8Array(range.end - range.first).fill(nothing);
      if (newer) fill(readings, question, range, { codes, newer, older });
      for (const row of hidden) if (row >= range.first && row < range.end) codes[row - range.first] = nothing;
      for (const { row, compliance } of extraOf.values())
        if (row >= range.first && row < range.end) codes[row - range.first] = compliance;
      const scanOf = (row: number) => {
        if (extraOf.has(row)) return undefined;
        const offset = estate.rows.offset[row] ?? 0;
        return newer && offset > newer.after && offset <= newer.until ? newer : older;
      };
      return {
        first: range.first,
        end: range.end,
        codes,
        scanOf,
        instantOf: (row) =>
          extraOf.get(row)?.instant ?? instantOf(scanOf(row)?.start ?? 0, estate.rows.offset[row] ?? 0),
      };
    });
  });
  return { sights, extra: question.latestOnly ? [] : extra };
}

interface Filling {
  readonly codes: Uint8Array;
  readonly newer: Scan;
  readonly older: Scan | undefined;
}

/** Goes resource by resource, so that one look passes over all rows of a resource that does not count. */
function fill(
  readings: Readings,
  { kind, mask }: { readonly kind: Question["kind"]; readonly mask: Mask },
  { first, end }: { readonly first: number; readonly end: number },
  { codes, newer, older }: Filling,
): void {
  const none = nothing;
  const { rows, resources: estateResources } = readings.estate;
  const { firstRow } = estateResources;
  const { offset: offsets, policy: policyOf } = rows;
  const { resources, policies, compliance, test } = mask;
  const newCodes = readings.columnOn(kind, newer.day);
  const oldCodes = older ? readings.columnOn(kind, older.day) : newCodes;
  const [newAfter, newUntil] = [newer.after, newer.until];
  const [oldAfter, oldUntil] = older ? [older.after, older.until] : [0, -1];
  let row = first;
  for (let resource = rows.resource[first] ?? 0; row < end; resource += 1) {
    const last = Math.min(end, firstRow[resource + 1] ?? end);
    if (resources && resources[resource] !== 1) {
      row = last;
      continue;
    }
    for (; row < last; row += 1) {
      if (policies && policies[policyOf[row] ?? 0] !== 1) continue;
      const offset = offsets[row] ?? 0;
      const inNewer = offset > newAfter && offset <= newUntil;
      if (!inNewer && !(offset > oldAfter && offset <= oldUntil)) continue;
      const code = (inNewer ? newCodes[row] : oldCodes[row]) ?? none;
      if (compliance && compliance[code] !== 1) continue;
      if (test && code !== none && !test(row, code, instantOf(inNewer || !older ? newer.start : older.start, offset)))
        continue;
      codes[row - first] = code;
    }
  }
}
