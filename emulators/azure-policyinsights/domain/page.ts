/** One page of records. */
import { nothing } from "./compliance.ts";
import type { Readings } from "./readings.ts";
import { instantOf, type Scan } from "./scans.ts";
import { see } from "./sight.ts";
import { type Found, type SortKey, sortFound } from "./sort.ts";
import { type Place, type Question, walkNewestFirst } from "./walk.ts";

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

function newestPage(readings: Readings, { question, size, after, shown }: PageRequest, emit: Emit): Page {
  let last = after;
  let count = 0;
  let more = false;
  walkNewestFirst(readings, question, after, (row, compliance, scan, instant) => {
    if (count === size) {
      more = true;
      return false;
    }
    emit(row, compliance, scan, instant);
    last = { row, instant };
    count += 1;
    return true;
  });
  return { last, shown: shown + count, more };
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
  for (const { first, codes, scanOf, instantOf: instantAt } of sights) {
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at] ?? nothing;
      if (code === nothing) continue;
      const seen = scanOf(first + at);
      let known = seen ? scans.lastIndexOf(seen) : 0;
      if (known < 0) known = scans.push(seen) - 1;
      if (!seen) between.set(count, instantAt(first + at));
      row[count] = first + at;
      compliance[count] = code;
      scan[count] = known;
      count += 1;
    }
  }
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
