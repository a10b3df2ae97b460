/**
 * The records of a region's series: one at an instant, or by segments of time that are kept while they are at hand. What is
 * kept stands packed in one piece of memory of fixed size and is dropped whole when that is full: fresh memory costs more
 * than making the records again.
 */
import { type Pool, type PricePath, type Records, type Span, segmentSeconds } from "./price-path.ts";

export interface Segments {
  readonly records: Records;
  /** Place in `records` of the first record of the segment that holds an instant (seconds); good until the next call. */
  at(series: number, instant: number): number;
  /** Place after the last record of the segment that begins at `first`. */
  end(first: number): number;
  /** The last record of a series at or before an instant, and when the next one is published. Keeps nothing. */
  current(series: number, instant: number): Current;
}

/** The same object at each call. */
export interface Current {
  readonly time: number;
  readonly ticks: number;
  readonly next: number;
}

export interface SegmentsOptions {
  /** One more than the highest series number. */
  readonly size: number;
  /** How many series there are. */
  readonly count: number;
  /** Instant of each series' first keyframe. */
  readonly offsets: Uint32Array;
  readonly path: PricePath;
  readonly poolOf: (series: number) => Pool;
}

const none = -(2 ** 31);
/** Records of about two segments. */
const recordsOfSeries = 24;

export function createSegments({ size, count, offsets, path, poolOf }: SegmentsOptions): Segments {
  const capacity = Math.max(4_096, count * recordsOfSeries);
  const made = path.segmentRecords;
  // Two segments a series, by the parity of their numbers: neighbours never push each other out.
  const held = new Int32Array(size * 2).fill(none);
  const places = new Uint32Array(size * 2);
  const records: Records = { times: new Uint32Array(capacity), ticks: new Uint32Array(capacity) };
  // At each place where a segment begins.
  const lengths = new Uint8Array(capacity);
  const current = { time: 0, ticks: 0, next: 0 };
  let used = 0;

  const spanAt = (series: number, instant: number): Span => {
    const offset = offsets[series] ?? 0;
    const index = Math.floor((instant - offset) / segmentSeconds);
    return { start: offset + index * segmentSeconds, index };
  };

  const keep = (length: number): number => {
    if (used + length > capacity) {
      held.fill(none);
      used = 0;
    }
    const place = used;
    for (let index = 0; index < length; index += 1) {
      records.times[place + index] = made.times[index] ?? 0;
      records.ticks[place + index] = made.ticks[index] ?? 0;
    }
    lengths[place] = length;
    used += length;
    return place;
  };

  return {
    records,
    at(series, instant) {
      const span = spanAt(series, instant);
      const slot = series * 2 + (span.index & 1);
      if (held[slot] === span.index) return places[slot] ?? 0;
      const place = keep(path.segment(poolOf(series), span));
      held[slot] = span.index;
      places[slot] = place;
      return place;
    },
    end: (first) => first + (lengths[first] ?? 0),
    current(series, instant) {
      const span = spanAt(series, instant);
      const length = path.segment(poolOf(series), span, instant);
      let last = length - 1;
      while (last > 0 && (made.times[last] ?? 0) > instant) last -= 1;
      current.time = made.times[last] ?? 0;
      current.ticks = made.ticks[last] ?? 0;
      current.next = last + 1 < length ? (made.times[last + 1] ?? 0) : span.start + segmentSeconds;
      return current;
    },
  };
}
