/** How heavy an entry is, and how it is kept small. On the path of every request: no JSON, no copy unless there is need. */

import { Pieces } from "./pieces.ts";

/** How much of one body, or of any other long text, is kept. */
export const keptBytes = 64 * 1024;

/** What an entry costs beside its texts. */
const overhead = 256;
const deepest = 3;

/** About how many bytes an entry's data hold; negative when one of them is too long or keeps a larger buffer alive. */
export function weigh(data: Readonly<Record<string, unknown>>): number {
  let weight = overhead;
  let oversized = false;
  for (const name in data) {
    const value = data[name];
    if (typeof value === "string") {
      weight += value.length;
      if (isLong(value)) oversized = true;
    } else if (value instanceof Uint8Array) {
      weight += value.byteLength;
      if (value.byteLength > keptBytes || holdsMore(value)) oversized = true;
    } else if (value instanceof Pieces) {
      weight += value.byteLength;
      if (value.byteLength > keptBytes) oversized = true;
    } else if (typeof value === "object" && value !== null) weight += weighNested(value, 1);
    else weight += 8;
  }
  return oversized ? -weight : weight;
}

function weighNested(value: object, depth: number): number {
  let weight = 0;
  if (Array.isArray(value)) {
    for (const item of value) weight += weighItem(item, depth);
    return weight;
  }
  const items: Readonly<Record<string, unknown>> = value as Readonly<Record<string, unknown>>;
  for (const name in items) weight += weighItem(items[name], depth);
  return weight;
}

function weighItem(item: unknown, depth: number): number {
  if (typeof item === "string") return item.length + 16;
  if (item instanceof Uint8Array) return item.byteLength;
  return typeof item === "object" && item !== null && depth < deepest ? weighNested(item, depth + 1) : 8;
}

/** A character is at most three bytes of UTF-8 per unit of length: short texts need no counting. */
const isLong = (text: string) => text.length > keptBytes / 3 && Buffer.byteLength(text) > keptBytes;

/** A few bytes must not keep a whole read buffer in memory. */
const holdsMore = (value: Uint8Array) => value.buffer.byteLength > 2 * value.byteLength + 4_096;

/** The same data with long texts and bodies cut to what is kept, copied, and their full length beside them. */
export function bounded(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(data)) {
    const value = given instanceof Pieces ? given.whole() : given;
    if (typeof value === "string" && isLong(value)) {
      // A slice of a string would keep all of it; encodeInto copies, and never splits a character.
      const bytes = new Uint8Array(keptBytes);
      const { written } = new TextEncoder().encodeInto(value.slice(0, keptBytes), bytes);
      kept[name] = bytes.subarray(0, written);
      kept[`${name}Bytes`] = Buffer.byteLength(value);
    } else if (value instanceof Uint8Array && value.byteLength > keptBytes) {
      kept[name] = copied(value.subarray(0, wholeCharacters(value)));
      kept[`${name}Bytes`] = value.byteLength;
    } else kept[name] = value instanceof Uint8Array && holdsMore(value) ? copied(value) : value;
  }
  return kept;
}

function copied(value: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(value.byteLength);
  copy.set(value);
  return copy;
}

/** Where to cut so that UTF-8 stays whole: before a character that goes on beyond the limit. */
function wholeCharacters(value: Uint8Array): number {
  let end = keptBytes;
  while (end > keptBytes - 4 && ((value[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end;
}
