/** The way over the records of a scope from the newest on: what pages are read by. */

import { between } from "./between.ts";
import { holdsForClass } from "./classes.ts";
import type { Range } from "./estate.ts";
import type { Evaluation } from "./overlay.ts";
import type { Question } from "./question.ts";
import type { Readings, RecordKind } from "./readings.ts";
import { instantOf, type Scan, scansOf } from "./scans.ts";

/** Where a walk stands: the row it visited last and when that was evaluated. */
export interface Place {
  readonly row: number;
  /** Epoch milliseconds with fractions. */
  readonly instant: number;
}

/** Told of each record; false stops the walk. Outside the daily scans there is no `scan`. */
export type Visitor = (row: number, compliance: number, scan: Scan | undefined, instant: number) => boolean;

interface Stream {
  readonly order: Uint32Array;
  readonly scans: readonly Scan[];
  which: number;
  /** Next position in `order`, counting down to `low`. */
  at: number;
  low: number;
  compliance: Uint8Array;
  row: number;
  instant: number;
}

/** How many more rows a walk may look at. */
interface Steps {
  left: number;
}

/**
 * Visits what matches by time, newest first; records of one instant by row. Starts after `after`, in a time that does
 * not depend on how much comes before it. False when it gave up after `most` rows that it looked at.
 */
export function walkNewestFirst(
  readings: Readings,
  question: Question,
  after: Place | undefined,
  visit: Visitor,
  most = Number.POSITIVE_INFINITY,
): boolean {
  const steps: Steps = { left: most };
  const { extra, hidden } = between(readings, question);
  const streams = question.ranges.flatMap((range) => streamOf(readings, question, range, after) ?? []);
  let next = after ? firstAfter(extra, after) : 0;
  for (;;) {
    const [stream, other] = foremost(streams);
    const own = extra[next];
    if (own && (!stream || ahead(own, stream))) {
      next += 1;
      if (!visit(own.row, own.compliance, undefined, own.instant)) return true;
    } else {
      if (!stream) return true;
      const limit = own && (!other || ahead(own, other)) ? own : other;
      if (!follow(readings, question, { stream, limit, steps }, hidden, visit)) return true;
      if (steps.left <= 0) return false;
    }
  }
}

function firstAfter(extra: readonly Evaluation[], after: Place): number {
  const found = extra.findIndex((each) => ahead(after, each));
  return found < 0 ? extra.length : found;
}

interface Leg {
  readonly stream: Stream;
  readonly limit: Place | undefined;
  readonly steps: Steps;
}

/** Visits along one stream, to the end of its scan or as long as it is ahead of the limit; false when told to stop. */
function follow(
  readings: Readings,
  { mask, kind }: Question,
  { stream, limit, steps }: Leg,
  hidden: ReadonlySet<number>,
  visit: Visitor,
): boolean {
  const { offset, resource: resourceOf, policy: policyOf } = readings.estate.rows;
  const { order, compliance, at: start } = stream;
  const low = Math.max(stream.low, start - steps.left + 1);
  const { resources, policies, compliance: states, classes, test } = mask;
  const scan = stream.scans[stream.which];
  if (!scan) return false;
  const until = limit?.instant ?? Number.NEGATIVE_INFINITY;
  const absent = kind === "events" || readings.overlay.newestFirst.length > 0 ? 255 : 256;
  for (let at = stream.at; at >= low; at -= 1) {
    const row = order[at] ?? 0;
    // What does not match may be passed over even beyond the limit.
    if (policies && policies[policyOf[row] ?? 0] !== 1) continue;
    if (resources && resources[resourceOf[row] ?? 0] !== 1) continue;
    const code = compliance[row] ?? 0;
    if (code === absent || (states && states[code] !== 1)) continue;
    if (classes && !holdsForClass(classes, resourceOf[row] ?? 0, policyOf[row] ?? 0, code)) continue;
    const instant = instantOf(scan.start, offset[row] ?? 0);
    if (instant < until || (instant === until && limit && row > limit.row)) {
      steps.left -= start - at;
      stream.at = at;
      look(readings, stream);
      return true;
    }
    if (test && !test(row, code, instant)) continue;
    if (hidden.size > 0 && hidden.has(row)) continue;
    if (!visit(row, code, scan, instant)) return false;
  }
  steps.left -= start - low + 1;
  stream.at = low;
  step(readings, kind, stream);
  return true;
}

function streamOf(
  readings: Readings,
  { window, latestOnly, kind }: Question,
  range: Question["ranges"][number],
  past: Place | undefined,
): Stream | undefined {
  const subscription = readings.estate.subscriptions[range.subscription];
  if (!subscription || range.first >= range.end) return undefined;
  const scans = scansOf(subscription, range.subscription, window, latestOnly, kind);
  const order = orderOf(readings, range, subscription.rows);
  const stream: Stream = { order, scans, which: -1, at: -1, low: 0, compliance: new Uint8Array(), row: 0, instant: 0 };
  step(readings, kind, stream);
  if (past) skipTo(readings, kind, stream, past);
  return stream;
}

/** Rows of a range by time: part of the subscription's order, or of its own when the range is small. */
function orderOf(readings: Readings, range: Range, whole: Range): Uint32Array {
  if (range.first === whole.first && range.end === whole.end) return readings.byTime.subarray(range.first, range.end);
  const length = range.end - range.first;
  if (length > 2000) {
    const own = new Uint32Array(length);
    let at = 0;
    for (const row of readings.byTime.subarray(whole.first, whole.end))
      if (row >= range.first && row < range.end) {
        own[at] = row;
        at += 1;
      }
    return own;
  }
  const { offset } = readings.estate.rows;
  const own = new Uint32Array(length).map((_, index) => range.first + index);
  return own.sort((left, right) => (offset[left] ?? 0) - (offset[right] ?? 0) || right - left);
}

/** Moves to the next evaluation; `at` is -1 at the end. */
function step(readings: Readings, kind: RecordKind, stream: Stream): void {
  stream.at -= 1;
  while (stream.at < stream.low) {
    stream.which += 1;
    const scan = stream.scans[stream.which];
    if (!scan) {
      stream.at = -1;
      return;
    }
    stream.low = firstAbove(readings, stream.order, scan.after);
    stream.at = firstAbove(readings, stream.order, scan.until) - 1;
    stream.compliance = readings.columnOn(kind, scan.day);
  }
  look(readings, stream);
}

function look({ estate }: Readings, stream: Stream): void {
  stream.row = stream.order[stream.at] ?? 0;
  stream.instant = instantOf(stream.scans[stream.which]?.start ?? 0, estate.rows.offset[stream.row] ?? 0);
}

/** Position of the first row in `order` whose offset is above. */
function firstAbove({ estate }: Readings, order: Uint32Array, offset: number): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((estate.rows.offset[order[middle] ?? 0] ?? 0) > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Leaves out everything up to and including the place. */
function skipTo(readings: Readings, kind: RecordKind, stream: Stream, past: Place): void {
  const passed = () => !ahead(past, stream);
  while (stream.at >= 0) {
    // Within a scan what is left out comes first: find where it ends, between `low` (perhaps in) and `at` (perhaps out).
    let kept = stream.low - 1;
    let left = stream.at + 1;
    while (left - kept > 1) {
      stream.at = (kept + left) >> 1;
      look(readings, stream);
      if (passed()) left = stream.at;
      else kept = stream.at;
    }
    stream.at = left;
    const scan = stream.which;
    step(readings, kind, stream);
    if (stream.which === scan || !passed()) return;
  }
}

/** The streams with the newest and the second newest evaluation; of one instant, the lower row is first. */
function foremost(streams: readonly Stream[]): readonly [Stream | undefined, Stream | undefined] {
  let first: Stream | undefined;
  let second: Stream | undefined;
  for (const stream of streams) {
    if (stream.at < 0) continue;
    if (!first || ahead(stream, first)) [first, second] = [stream, first];
    else if (!second || ahead(stream, second)) second = stream;
  }
  return [first, second];
}

export function ahead(left: Place, right: Place): boolean {
  return left.instant > right.instant || (left.instant === right.instant && left.row < right.row);
}
