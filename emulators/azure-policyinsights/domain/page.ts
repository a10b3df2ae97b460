/** One page of records. */

import type { Question } from "./question.ts";
import type { Readings } from "./readings.ts";
import type { Scan } from "./scans.ts";
import { eachSeen, see } from "./sight.ts";
import { type Found, type SortKey, sortFound } from "./sort.ts";
import { ahead, type Place, type Visitor, walkNewestFirst } from "./walk.ts";

export interface PageRequest {
  readonly question: Question;
  readonly orderBy: readonly SortKey[] | undefined;
  /** Most records of this page. */
  readonly size: number;
  /** Where the page before ended: in time order the last record, else how many were shown. */
  readonly after: Place | undefined;
  readonly shown: number;
}

/** Outside the daily scans there is no `scan`. */
export interface PageRecord {
  readonly row: number;
  readonly compliance: number;
  readonly scan: Scan | undefined;
  readonly instant: number;
}

export interface Page {
  /** In order. */
  readonly records: readonly PageRecord[];
  /** Where this page ended. */
  readonly last: Place | undefined;
  readonly shown: number;
  /** True when at least one record comes after it. */
  readonly more: boolean;
}

export function readPage(readings: Readings, request: PageRequest): Page {
  return request.orderBy ? sortedPage(readings, request, request.orderBy) : newestPage(readings, request);
}

/** Rows that a page looks at by time, which is a jump each, before it looks at all of them as they lie. */
const mostSteps = 50_000;
/** After so many it gives up where the rest would not fill the page at the same rate. */
const firstSteps = mostSteps / 8;

function newestPage(readings: Readings, request: PageRequest): Page {
  const { question, size, after, shown } = request;
  const records: PageRecord[] = [];
  const { until } = question.mask;
  // No row is -1: the place is before all of that instant.
  const start = after ?? (until === undefined ? undefined : { row: -1, instant: until });
  const visit: Visitor = (row, compliance, scan, instant) => records.push({ row, compliance, scan, instant }) <= size;
  const walked =
    walkNewestFirst(readings, question, start, visit, firstSteps) ||
    (records.length * 8 > size &&
      walkNewestFirst(readings, question, records.at(-1) ?? start, visit, mostSteps - firstSteps));
  if (!walked) return sparsePage(readings, request);
  const more = records.length > size;
  if (more) records.pop();
  return { records, last: records.at(-1) ?? after, shown: shown + records.length, more };
}

/** The same where what matches lies far apart: everything is looked at as it lies, and only the newest are sorted. */
function sparsePage(readings: Readings, { question, size, after, shown }: PageRequest): Page {
  const found = collect(readings, question);
  const instants = new Float64Array(found.count);
  let count = 0;
  for (let position = 0; position < found.count; position += 1) {
    const instant = found.instant(position);
    const comes = !after || ahead(after, { row: found.row[position] ?? 0, instant });
    instants[position] = comes ? instant : Number.NaN;
    if (comes) count += 1;
  }
  const least = leastOfNewest(instants, size);
  const places: (Place & { readonly position: number })[] = [];
  instants.forEach((instant, position) => {
    if (instant >= least) places.push({ row: found.row[position] ?? 0, instant, position });
  });
  places.sort((left, right) => right.instant - left.instant || left.row - right.row);
  const records = places.slice(0, size).map(({ position }) => found.record(position));
  return { records, last: records.at(-1) ?? after, shown: shown + records.length, more: count > size };
}

const buckets = 4096;

/** An instant at or above which there are at least `many`, and not many more. */
function leastOfNewest(instants: Float64Array, many: number): number {
  let oldest = Number.POSITIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  for (const instant of instants) {
    if (instant < oldest) oldest = instant;
    if (instant > newest) newest = instant;
  }
  if (!(newest > oldest)) return oldest;
  const width = (newest - oldest) / buckets;
  const counts = new Uint32Array(buckets + 1);
  for (const instant of instants) {
    if (Number.isNaN(instant)) continue;
    const bucket = Math.floor((instant - oldest) / width);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  let bucket = buckets;
  for (let above = counts[bucket] ?? 0; above < many && bucket > 0; above += counts[bucket] ?? 0) bucket -= 1;
  return bucket === 0 ? oldest : oldest + bucket * width - width / 2;
}

function sortedPage(readings: Readings, request: PageRequest, keys: readonly SortKey[]): Page {
  const found = collect(readings, request.question);
  const shown = Math.min(found.count, request.shown + request.size);
  const order = sortFound(readings.estate, found, keys, shown);
  const records = Array.from(order.subarray(request.shown, shown), (position) => found.record(position));
  return { records, last: undefined, shown, more: shown < found.count };
}

interface Collected extends Found {
  record(position: number): PageRecord;
}

/** Everything a question sees, in columns, in the order of the rows. */
function collect(readings: Readings, question: Question): Collected {
  const { sights, extra } = see(readings, question);
  const most = sights.reduce((sum, { first, end }) => sum + end - first, extra.length);
  const row = new Uint32Array(most);
  const compliance = new Uint8Array(most);
  /** Position in `sights` of each record, but of the extra ones, which come last. */
  const sightOf = new Uint16Array(most);
  let count = 0;
  sights.forEach((sight, which) => {
    eachSeen(readings, sight, (at, code) => {
      row[count] = at;
      compliance[count] = code;
      sightOf[count] = which;
      count += 1;
    });
  });
  const firstExtra = count;
  for (const each of extra) {
    row[count] = each.row;
    compliance[count] = each.compliance;
    count += 1;
  }
  const instant = (position: number) =>
    (position < firstExtra
      ? sights[sightOf[position] ?? 0]?.instantOf(row[position] ?? 0)
      : extra[position - firstExtra]?.instant) ?? 0;
  return {
    count,
    row,
    compliance,
    instant,
    record: (position) => ({
      row: row[position] ?? 0,
      compliance: compliance[position] ?? 0,
      scan: position < firstExtra ? sights[sightOf[position] ?? 0]?.scanOf(row[position] ?? 0) : undefined,
      instant: instant(position),
    }),
  };
}
