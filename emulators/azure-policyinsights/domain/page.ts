/** One page of records. */
import type { Readings } from "./readings.ts";
import { instantOf, type Scan } from "./scans.ts";
import { eachSeen, see } from "./sight.ts";
import { type Found, type SortKey, sortFound } from "./sort.ts";
import { ahead, type Place, type Question, walkNewestFirst } from "./walk.ts";

export interface PageRequest {
  readonly question: Question;
  readonly orderBy: readonly SortKey[] | undefined;
  /** Most records of this page. */
  readonly size: number;
  /** Where the page before ended: in time order the last record, else how many were shown. */
  readonly after: Place | undefined;
  readonly shown: number;
}

export interface Page {
  /** Where this page ended. */
  readonly last: Place | undefined;
  readonly shown: number;
  /** True when at least one record comes after it. */
  readonly more: boolean;
}

/** Told of each record in order; outside the daily scans there is no `scan`. */
export type Emit = (row: number, compliance: number, scan: Scan | undefined, instant: number) => void;

export function readPage(readings: Readings, request: PageRequest, emit: Emit): Page {
  return request.orderBy ? sortedPage(readings, request, request.orderBy, emit) : newestPage(readings, request, emit);
}

/** Rows that a page looks at by time, which is a jump each, before it looks at all of them as they lie. */
const mostSteps = 50_000;

function newestPage(readings: Readings, request: PageRequest, emit: Emit): Page {
  const { question, size, after, shown } = request;
  const found: Parameters<Emit>[] = [];
  const { until } = question.mask;
  // No row is -1: the place is before all of that instant.
  const start = after ?? (until === undefined ? undefined : { row: -1, instant: until });
  const walked = walkNewestFirst(readings, question, start, (...record) => found.push(record) <= size, mostSteps);
  if (!walked) return sparsePage(readings, request, emit);
  const more = found.length > size;
  if (more) found.pop();
  for (const record of found) emit(...record);
  const [row, , , instant] = found.at(-1) ?? [];
  const last = row === undefined || instant === undefined ? after : { row, instant };
  return { last, shown: shown + found.length, more };
}

/** The same where what matches lies far apart: everything is looked at as it lies, and only the newest are sorted. */
function sparsePage(readings: Readings, { question, size, after, shown }: PageRequest, emit: Emit): Page {
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
  const page = places.slice(0, size);
  for (const { row, instant, position } of page)
    emit(row, found.compliance[position] ?? 0, found.scans[found.scan[position] ?? 0], instant);
  return { last: page.at(-1) ?? after, shown: shown + page.length, more: count > size };
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

function sortedPage(readings: Readings, request: PageRequest, keys: readonly SortKey[], emit: Emit): Page {
  const found = collect(readings, request.question);
  const wanted = request.shown + request.size;
  const order = sortFound(readings.estate, found, keys);
  const end = Math.min(order.length, wanted);
  for (let at = request.shown; at < end; at += 1) {
    const position = order[at] ?? 0;
    const scan = found.scans[found.scan[position] ?? 0];
    emit(found.row[position] ?? 0, found.compliance[position] ?? 0, scan, found.instant(position));
  }
  return { last: undefined, shown: end, more: end < order.length };
}

interface Collected extends Found {
  readonly scans: readonly (Scan | undefined)[];
  /** Position in `scans` of each record. */
  readonly scan: Uint16Array;
}

/** Everything a question sees, in columns, in the order of the rows. */
function collect(readings: Readings, question: Question): Collected {
  const { sights, extra } = see(readings, question);
  const most = sights.reduce((sum, { first, end }) => sum + end - first, extra.length);
  const row = new Uint32Array(most);
  const compliance = new Uint8Array(most);
  const scan = new Uint16Array(most);
  const scans: (Scan | undefined)[] = [undefined];
  const between = new Map<number, number>();
  let count = 0;
  for (const sight of sights)
    eachSeen(readings, sight, (at, code) => {
      const seen = sight.scanOf(at);
      let known = seen ? scans.lastIndexOf(seen) : 0;
      if (known < 0) known = scans.push(seen) - 1;
      if (!seen) between.set(count, sight.instantOf(at));
      row[count] = at;
      compliance[count] = code;
      scan[count] = known;
      count += 1;
    });
  for (const each of extra) {
    between.set(count, each.instant);
    row[count] = each.row;
    compliance[count] = each.compliance;
    count += 1;
  }
  const { offset } = readings.estate.rows;
  return {
    count,
    row,
    compliance,
    scan,
    scans,
    instant(position) {
      const seen = scans[scan[position] ?? 0];
      return seen ? instantOf(seen.start, offset[row[position] ?? 0] ?? 0) : (between.get(position) ?? 0);
    },
  };
}
