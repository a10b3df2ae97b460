/** One page of policy states. */
import { complianceStates } from "./compliance.ts";
import type { Readings } from "./readings.ts";
import type { Scan } from "./scans.ts";
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

/** Told of each record in order. */
export type Emit = (row: number, compliance: number, scan: Scan) => void;

export function readPage(readings: Readings, request: PageRequest, emit: Emit): Page {
  return request.orderBy ? sortedPage(readings, request, request.orderBy, emit) : newestPage(readings, request, emit);
}

function newestPage(readings: Readings, { question, size, after, shown }: PageRequest, emit: Emit): Page {
  let last = after;
  let count = 0;
  let more = false;
  walkNewestFirst(readings, question, after, (row, compliance, scan) => {
    if (count === size) {
      more = true;
      return false;
    }
    emit(row, compliance, scan);
    last = { row, day: scan.day };
    count += 1;
    return true;
  });
  return { last, shown: shown + count, more };
}

function sortedPage(readings: Readings, request: PageRequest, keys: readonly SortKey[], emit: Emit): Page {
  const collected = collect(readings, request.question);
  const order = sortFound(readings.estate, collected, keys);
  const end = Math.min(order.length, request.shown + request.size);
  for (let at = request.shown; at < end; at += 1) {
    const position = order[at] ?? 0;
    const scan = collected.scans[collected.scan[position] ?? 0];
    if (scan) emit(collected.row[position] ?? 0, collected.compliance[position] ?? 0, scan);
  }
  return { last: undefined, shown: end, more: end < order.length };
}

interface Collected extends Found {
  readonly scans: readonly Scan[];
  /** Position in `scans` of each evaluation. */
  readonly scan: Uint16Array;
}

function collect(readings: Readings, question: Question): Collected {
  let room = 1024;
  let row = new Uint32Array(room);
  let compliance = new Uint8Array(room);
  let instants = new Float64Array(room);
  let scan = new Uint16Array(room);
  const scans: Scan[] = [];
  let lastScan = -1;
  let count = 0;
  walkNewestFirst(readings, question, undefined, (found, code, foundScan, instant) => {
    if (count === room) {
      room *= 4;
      row = grown(row, new Uint32Array(room));
      compliance = grown(compliance, new Uint8Array(room));
      instants = grown(instants, new Float64Array(room));
      scan = grown(scan, new Uint16Array(room));
    }
    if (scans[lastScan] !== foundScan) {
      lastScan = scans.indexOf(foundScan);
      if (lastScan < 0) lastScan = scans.push(foundScan) - 1;
    }
    row[count] = found;
    compliance[count] = Math.min(code, complianceStates.length - 1);
    instants[count] = instant;
    scan[count] = lastScan;
    count += 1;
    return true;
  });
  return { count, row, compliance, instant: instants, scan, scans };
}

function grown<Column extends { set(from: Column): void }>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
