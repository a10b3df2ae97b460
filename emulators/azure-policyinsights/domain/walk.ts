/** Ways over the rows of a scope: newest first for pages, in row order for counting. */
import type { Range } from "./estate.ts";
import type { Readings } from "./readings.ts";
import { dayMs, instantOf, type Scan, scansOf, type Window } from "./scans.ts";

/** Whether a row counts, given its compliance code and the instant of its evaluation. */
type Predicate = (row: number, compliance: number, instant: number) => boolean;

export interface Question {
  /** Ranges of rows, each inside one subscription. */
  readonly ranges: readonly (Range & { readonly subscription: number })[];
  readonly window: Window;
  /** Only the newest evaluation of each row, or every one in the window. */
  readonly latestOnly: boolean;
  readonly tests: readonly Predicate[];
}

/** An evaluation: a row on a day. */
export interface Place {
  readonly row: number;
  readonly day: number;
}

/** Told of each evaluation; false stops the walk. */
type Visitor = (row: number, compliance: number, scan: Scan, instant: number) => boolean;

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

/**
 * Visits what matches by time, newest first; evaluations of one instant by row. Starts after `after`, in a time that does
 * not depend on how much comes before it.
 */
export function walkNewestFirst(
  readings: Readings,
  question: Question,
  after: Place | undefined,
  visit: Visitor,
): void {
  const matches = everyOf(question.tests);
  const past = after && { row: after.row, instant: instantOfPlace(readings, question, after) };
  const streams = question.ranges.flatMap((range) => streamOf(readings, question, range, past) ?? []);
  for (;;) {
    const [stream, other] = foremost(streams);
    if (!stream) return;
    if (!follow(readings, stream, other, matches, visit)) return;
  }
}

/** Visits along one stream, to the end of its scan or as long as it is ahead of the other; false when told to stop. */
function follow(
  readings: Readings,
  stream: Stream,
  other: Stream | undefined,
  matches: Predicate,
  visit: Visitor,
): boolean {
  const { offset } = readings.estate.rows;
  const { order, compliance, low } = stream;
  const scan = stream.scans[stream.which];
  if (!scan) return false;
  const until = other?.instant ?? Number.NEGATIVE_INFINITY;
  for (let at = stream.at; at >= low; at -= 1) {
    const row = order[at] ?? 0;
    const instant = instantOf(scan.start, offset[row] ?? 0);
    if (instant < until || (instant === until && other && row > other.row)) {
      stream.at = at;
      look(readings, stream);
      return true;
    }
    const code = compliance[row] ?? 0;
    if (matches(row, code, instant) && !visit(row, code, scan, instant)) return false;
  }
  stream.at = low;
  step(readings, stream);
  return true;
}

/** Visits the newest evaluation of what matches in row order, which keeps a resource's rows together. */
export function walkRows(
  readings: Readings,
  question: Question,
  visit: (row: number, compliance: number) => void,
): void {
  const { rows, subscriptions } = readings.estate;
  const matches = everyOf(question.tests);
  for (const { first, end, subscription } of question.ranges) {
    const about = subscriptions[subscription];
    if (!about) continue;
    const [newer, older] = scansOf(about, subscription, question.window, true);
    if (!newer) continue;
    const newCodes = readings.complianceOn(newer.day);
    const oldCodes = older && readings.complianceOn(older.day);
    for (let row = first; row < end; row += 1) {
      const offset = rows.offset[row] ?? 0;
      const inNewer = offset > newer.after && offset <= newer.until;
      if (!inNewer && !(older && offset > older.after && offset <= older.until)) continue;
      const compliance = (inNewer ? newCodes[row] : oldCodes?.[row]) ?? 0;
      const start = inNewer || !older ? newer.start : older.start;
      if (matches(row, compliance, instantOf(start, offset))) visit(row, compliance);
    }
  }
}

function everyOf(tests: readonly Predicate[]): Predicate {
  const [first, second] = tests;
  if (!first) return () => true;
  if (!second) return first;
  const rest = everyOf(tests.slice(1));
  return (row, compliance, instant) => first(row, compliance, instant) && rest(row, compliance, instant);
}

function instantOfPlace({ estate }: Readings, { ranges }: Question, { row, day }: Place): number {
  const range = ranges.find(({ first, end }) => row >= first && row < end);
  const subscription = estate.subscriptions[range?.subscription ?? -1];
  if (!subscription) return Number.NEGATIVE_INFINITY;
  return instantOf(day * dayMs + subscription.scanAt, estate.rows.offset[row] ?? 0);
}

function streamOf(
  readings: Readings,
  { window, latestOnly }: Question,
  range: Question["ranges"][number],
  past: { readonly row: number; readonly instant: number } | undefined,
): Stream | undefined {
  const subscription = readings.estate.subscriptions[range.subscription];
  if (!subscription || range.first >= range.end) return undefined;
  const scans = scansOf(subscription, range.subscription, window, latestOnly);
  const order = orderOf(readings, range, subscription.rows);
  const stream: Stream = { order, scans, which: -1, at: -1, low: 0, compliance: new Uint8Array(), row: 0, instant: 0 };
  step(readings, stream);
  if (past) skipTo(readings, stream, past.instant, past.row);
  return stream;
}

/** Rows of a range by time: part of the subscription's order, or of its own when the range is small. */
function orderOf(readings: Readings, range: Range, whole: Range): Uint32Array {
  if (range.first === whole.first && range.end === whole.end) return readings.byTime.subarray(range.first, range.end);
  const { offset } = readings.estate.rows;
  const own = new Uint32Array(range.end - range.first).map((_, index) => range.first + index);
  return own.sort((left, right) => (offset[left] ?? 0) - (offset[right] ?? 0) || right - left);
}

/** Moves to the next evaluation; `at` is -1 at the end. */
function step(readings: Readings, stream: Stream): void {
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
    stream.compliance = readings.complianceOn(scan.day);
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

/** Leaves out everything up to and including the evaluation at `instant` of `row`. */
function skipTo(readings: Readings, stream: Stream, instant: number, row: number): void {
  const passed = () => stream.instant > instant || (stream.instant === instant && stream.row <= row);
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
    step(readings, stream);
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

function ahead(left: Stream, right: Stream): boolean {
  return left.instant > right.instant || (left.instant === right.instant && left.row < right.row);
}
