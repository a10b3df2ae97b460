import { folded, space, type Text } from "./search-words.ts";

/**
 * Texts as a row of words. Different words are numbered in the order in which they come first, kept in one row of bytes and
 * found by open addressing: a new one costs its bytes and 16 more, and no object.
 */
export interface WordStream {
  /** For each word of the row twice its number, and one more where exactly one space stands before it in its text. */
  row: Uint32Array;
  length: number;
  /** Different words, a line feed before and after each. */
  bytes: Uint8Array;
  /** How many there are, and where in `bytes` each begins and one more would. */
  size: number;
  starts: Uint32Array;
  hashes: Int32Array;
  /** Numbers of words by hash, -1 where there is none. */
  table: Int32Array;
}

const lineFeed = 0x0a;

export function createWordStream(): WordStream {
  return {
    row: new Uint32Array(256),
    length: 0,
    bytes: new Uint8Array(1024).fill(lineFeed, 0, 1),
    size: 0,
    starts: new Uint32Array(64).fill(1, 0, 1),
    hashes: new Int32Array(64),
    table: new Int32Array(128).fill(-1),
  };
}

/** Empties it; its memory is used again. */
export function clearStream(stream: WordStream): void {
  stream.length = 0;
  stream.size = 0;
  stream.table.fill(-1);
}

export function addText(stream: WordStream, text: Text): void {
  stream.bytes = withRoom(stream.bytes, (stream.starts[stream.size] ?? 0) + text.length + 1);
  stream.row = withRoom(stream.row, stream.length + (text.length >>> 1) + 1);
  const { bytes, row } = stream;
  const length = text.length;
  let at = 0;
  let last = -1;
  for (;;) {
    const before = at;
    while (at < length && folded[text[at] ?? 0] === 0) at += 1;
    if (at >= length) return;
    const spaced = at === before + 1 && last === before && text[before] === space;
    let end = stream.starts[stream.size] ?? 0;
    let hash = 0;
    for (; at < length; at += 1) {
      const byte = folded[text[at] ?? 0] ?? 0;
      if (byte === 0) break;
      bytes[end] = byte;
      hash = Math.imul(hash ^ byte, 0x01000193);
      end += 1;
    }
    last = at;
    row[stream.length] = numberOf(stream, end, hash ^ (hash >>> 15)) * 2 + (spaced ? 1 : 0);
    stream.length += 1;
  }
}

/** Number of the word that was written behind the others up to `end`; it stays there if it is new. */
function numberOf(stream: WordStream, end: number, hash: number): number {
  const { table, hashes, size } = stream;
  const mask = table.length - 1;
  let slot = hash & mask;
  for (let word = table[slot] ?? -1; word !== -1; word = table[slot] ?? -1) {
    if (hashes[word] === hash && isLast(stream, word, end)) return word;
    slot = (slot + 1) & mask;
  }
  table[slot] = size;
  stream.bytes[end] = lineFeed;
  stream.size += 1;
  stream.starts = withRoom(stream.starts, stream.size + 1);
  stream.hashes = withRoom(stream.hashes, stream.size);
  stream.starts[stream.size] = end + 1;
  stream.hashes[size] = hash;
  if (stream.size * 2 > table.length) stream.table = rehashed(stream);
  return size;
}

/** Whether a word is the one that was written behind the others. */
function isLast({ bytes, starts, size }: WordStream, word: number, end: number): boolean {
  let at = starts[word] ?? 0;
  let other = starts[size] ?? 0;
  if ((starts[word + 1] ?? 0) - 1 - at !== end - other) return false;
  for (; other < end; at += 1, other += 1) if (bytes[at] !== bytes[other]) return false;
  return true;
}

function rehashed({ table, hashes, size }: WordStream): Int32Array {
  const larger = new Int32Array(table.length * 2).fill(-1);
  for (let word = 0; word < size; word += 1) {
    let slot = (hashes[word] ?? 0) & (larger.length - 1);
    while (larger[slot] !== -1) slot = (slot + 1) & (larger.length - 1);
    larger[slot] = word;
  }
  return larger;
}

/** The same numbers, with room for `length` of them. */
export function withRoom<T extends Uint8Array | Uint16Array | Uint32Array | Int32Array>(numbers: T, length: number): T {
  if (length <= numbers.length) return numbers;
  const larger = new (numbers.constructor as new (length: number) => T)(Math.max(length, numbers.length * 2));
  larger.set(numbers);
  return larger;
}

/** Index of the last of the first `length` ascending numbers that is not greater than `value`. */
export function lastNotAfter(numbers: Uint32Array, value: number, length: number): number {
  let low = 0;
  let high = length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) <= value) low = middle;
    else high = middle;
  }
  return low;
}
