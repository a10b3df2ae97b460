/**
 * What a question sees, as columns: the codes of a range of rows, and tables that say which of them count. Loops over
 * these arrays are what summaries, groups and sorted pages are made of; a callback for every row would cost more than
 * all they do. A column is only copied where one scan alone does not make it.
 */
import { between } from "./between.ts";
import { complianceStates, nothing } from "./compliance.ts";
import type { KeptCounts } from "./kept-counts.ts";
import type { Mask } from "./mask.ts";
import type { Evaluation } from "./overlay.ts";
import type { Question } from "./question.ts";
import type { Readings } from "./readings.ts";
import { instantOf, type Scan, scanSpread, scansOf } from "./scans.ts";

export interface Sight {
  readonly first: number;
  readonly end: number;
  /** Of the rows [first, end): look them up in `reads`. */
  readonly codes: Uint8Array;
  /** What a code means for the question: itself, or `nothing` where such a row does not count. */
  readonly reads: Uint8Array;
  /** Bits of what else must hold for the row's resource and policy; undefined where nothing must. */
  readonly resources: Uint8Array | undefined;
  readonly policies: Uint8Array | undefined;
  /** What is kept of counting these rows, where they are a whole subscription as one scan found it. */
  readonly kept: KeptCounts | undefined;
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
  const { mask } = question;
  const { extra, hidden } = between(readings, question);
  const extraOf = new Map(question.latestOnly ? extra.map((each) => [each.row, each]) : []);
  const inPlace = { reads: readsOf(mask.compliance), resources: mask.resources, policies: mask.policies };
  const copied = { reads: readsOf(undefined), resources: mask.resources, policies: undefined };
  const sights = question.ranges.flatMap((range): Sight[] => {
    const subscription = estate.subscriptions[range.subscription];
    if (!subscription || range.first >= range.end) return [];
    const { first, end } = range;
    const scans = scansOf(subscription, range.subscription, question.window, question.latestOnly, question.kind);
    const turns: readonly (readonly [Scan | undefined, Scan | undefined])[] = question.latestOnly
      ? [[scans[0], scans[1]]]
      : scans.map((scan) => [scan, undefined]);
    const within = (row: number) => row >= first && row < end;
    const patched = [...hidden, ...extraOf.keys()].some(within);
    return turns.map(([newer, older]) => {
      const scanOf = (row: number) => {
        if (extraOf.has(row)) return undefined;
        const offset = estate.rows.offset[row] ?? 0;
        return newer && offset > newer.after && offset <= newer.until ? newer : older;
      };
      const times = {
        scanOf,
        instantOf: (row: number) =>
          extraOf.get(row)?.instant ?? instantOf(scanOf(row)?.start ?? 0, estate.rows.offset[row] ?? 0),
      };
      if (newer && isWhole(newer) && !patched && !mask.classes && !mask.test) {
        const codes = readings.columnOn(question.kind, newer.day).subarray(first, end);
        const isAll = first === subscription.rows.first && end === subscription.rows.end;
        const kept = isAll ? readings.countsOn(question.kind, newer.day, range.subscription) : undefined;
        return { first, end, codes, ...inPlace, ...times, kept };
      }
      const codes = new Uint8Array(end - first);
      if (!newer) codes.fill(nothing);
      else fill(readings, question, range, { codes, newer, older });
      for (const row of hidden) if (within(row)) codes[row - first] = nothing;
      for (const { row, compliance } of extraOf.values()) if (within(row)) codes[row - first] = compliance;
      return { first, end, codes, ...copied, ...times, kept: undefined };
    });
  });
  return { sights, extra: question.latestOnly ? [] : extra };
}

/** Told of each record in the columns, in the order of the rows. */
export function eachSeen({ estate }: Readings, sight: Sight, visit: (row: number, compliance: number) => void): void {
  const none = nothing; // a local, as every module's binding is in a loop over a million rows
  const { first, end, codes, reads, resources, policies } = sight;
  const { resource: resourceOf, policy: policyOf } = estate.rows;
  const { firstRow } = estate.resources;
  let row = first;
  for (let resource = resourceOf[first] ?? 0; row < end; resource += 1) {
    const last = Math.min(end, firstRow[resource + 1] ?? end);
    if (resources && resources[resource] !== 1) {
      row = last;
      continue;
    }
    for (; row < last; row += 1) {
      const code = reads[codes[row - first] ?? 0] ?? 0;
      if (code !== none && (!policies || policies[policyOf[row] ?? 0] === 1)) visit(row, code);
    }
  }
}

/** Every row was evaluated in it. */
function isWhole({ after, until }: Scan): boolean {
  return after < 0 && until >= scanSpread - 1;
}

function readsOf(compliance: Uint8Array | undefined): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (!compliance || compliance[code] === 1 ? code : nothing));
}

interface Filling {
  readonly codes: Uint8Array;
  readonly newer: Scan;
  readonly older: Scan | undefined;
}

/**
 * Goes resource by resource, so that one look passes over all rows of a resource that does not count. Their codes stay
 * unwritten: memory that nobody touches costs nothing.
 */
function fill(
  readings: Readings,
  { kind, mask }: { readonly kind: Question["kind"]; readonly mask: Mask },
  { first, end }: { readonly first: number; readonly end: number },
  { codes, newer, older }: Filling,
): void {
  const [none, states] = [nothing, complianceStates.length];
  const { rows, resources: estateResources } = readings.estate;
  const { firstRow } = estateResources;
  const { offset: offsets, policy: policyOf } = rows;
  const { resources, policies, compliance, classes, test } = mask;
  const newCodes = readings.columnOn(kind, newer.day);
  const oldCodes = older ? readings.columnOn(kind, older.day) : newCodes;
  const [newAfter, newUntil] = [newer.after, newer.until];
  const [oldAfter, oldUntil] = older ? [older.after, older.until] : [0, -1];
  const always = isWhole(newer);
  const { ofResource, ofPolicy, answers, policyClasses = 0 } = classes ?? {};
  let row = first;
  for (let resource = rows.resource[first] ?? 0; row < end; resource += 1) {
    const last = Math.min(end, firstRow[resource + 1] ?? end);
    if (resources && resources[resource] !== 1) {
      row = last;
      continue;
    }
    const resourceClass = (ofResource?.[resource] ?? 0) * policyClasses;
    for (; row < last; row += 1) {
      const at = row - first;
      codes[at] = none;
      if (policies && policies[policyOf[row] ?? 0] !== 1) continue;
      const offset = always && !test ? 0 : (offsets[row] ?? 0);
      const inNewer = always || (offset > newAfter && offset <= newUntil);
      if (!inNewer && !(offset > oldAfter && offset <= oldUntil)) continue;
      const code = (inNewer ? newCodes[row] : oldCodes[row]) ?? none;
      if (compliance && compliance[code] !== 1) continue;
      if (code === none) continue;
      // What `holdsForClass` looks up, with what all rows have in common outside of the loop.
      if (ofPolicy && answers?.[(resourceClass + (ofPolicy[policyOf[row] ?? 0] ?? 0)) * states + code] !== 1) continue;
      if (test && !test(row, code, instantOf(inNewer || !older ? newer.start : older.start, offset))) continue;
      codes[at] = code;
    }
  }
}
