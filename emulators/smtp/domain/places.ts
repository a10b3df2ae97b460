import type { Region } from "./search-text.ts";
import { lastNotAfter } from "./word-stream.ts";

/** Which text of a message a word is in, as bits. */
export const regionBit: Readonly<Record<Region, number>> = { read: 1, sent: 2 };

/** Where the words of messages stand in a row of words. */
export interface Places {
  count: number;
  /** Where each message begins, and where one more would. */
  readonly starts: Uint32Array;
  /** For each where what is read begins and ends, and where its body as it was sent begins and ends. */
  readonly limits: Uint32Array;
}

export function createPlaces(most: number): Places {
  return { count: 0, starts: new Uint32Array(most + 1), limits: new Uint32Array(most * 4) };
}

export function addPlace(places: Places, end: number, limits: readonly [number, number, number, number]): void {
  places.limits.set(limits, places.count * 4);
  places.count += 1;
  places.starts[places.count] = end;
}

/** The message that has a position; `near` is a guess: it or the one after it often is. */
export function messageAt({ starts, count }: Pick<Places, "starts" | "count">, position: number, near: number): number {
  const start = starts[near] ?? 0;
  if (position >= start) {
    if (position < (starts[near + 1] ?? 0)) return near;
    if (position < (starts[near + 2] ?? 0)) return near + 1;
  }
  return lastNotAfter(starts, position, count);
}

/** In which texts of a message words from `first` to `last` are, as bits. */
export function regionsOf({ starts, limits }: Places, message: number, first: number, last: number): number {
  const at = message * 4;
  const readFrom = limits[at] ?? 0;
  const read = first >= readFrom && last < (limits[at + 1] ?? 0);
  const value = first >= (starts[message] ?? 0) && last < readFrom;
  const sent = value || (first >= (limits[at + 2] ?? 0) && last < (limits[at + 3] ?? 0));
  return (read ? regionBit.read : 0) | (sent ? regionBit.sent : 0);
}

/** Writes for each position its message, times four, and the texts that it is in as bits. */
export function fillTags({ count, starts, limits }: Places, tags: Uint16Array): void {
  for (let message = 0; message < count; message += 1) {
    const [readFrom = 0, readTo = 0, sentFrom = 0, sentTo = 0] = limits.subarray(message * 4, message * 4 + 4);
    const tag = message * 4;
    tags.fill(tag | regionBit.sent, starts[message], readFrom);
    tags.fill(tag | regionBit.read, readFrom, readTo);
    tags.fill(tag | regionBit.sent | (sentFrom < readTo ? regionBit.read : 0), sentFrom, sentTo);
  }
}
