import { type Bits, setBit } from "./bits.ts";
import { type Places, tagsOf } from "./places.ts";
import { type SortedWords, sortedWords } from "./word-list.ts";
import type { WordStream } from "./word-stream.ts";

/** Where the words of a row that is whole occur. */
export interface Postings {
  readonly words: SortedWords;
  /** Of each word its positions, doubled, and one more where exactly one space stands before it. */
  readonly positions: Runs;
  /** Of each word its messages, times four, and the texts that it is in as bits. */
  readonly messages: Runs;
}

/** For each word ascending numbers as distances from the one before, seven bits a byte. */
interface Runs {
  readonly starts: Uint32Array;
  readonly bytes: Uint8Array;
}

export function postingsOf(stream: WordStream, places: Places): Postings {
  const { row, length, size } = stream;
  const { order, starts } = byWord(stream);
  const positions = createRuns(size, length);
  const messages = createRuns(size, length);
  const tags = tagsOf(places);
  for (let word = 0; word < size; word += 1) {
    const end = starts[word + 1] ?? 0;
    let tag = tags[order[starts[word] ?? 0] ?? 0] ?? 0;
    for (let at = starts[word] ?? 0; at < end; at += 1) {
      const position = order[at] ?? 0;
      addNumber(positions, position * 2 + ((row[position] ?? 0) & 1));
      const next = tags[position] ?? 0;
      if (next >>> 2 === tag >>> 2) tag |= next;
      else {
        addNumber(messages, tag);
        tag = next;
      }
    }
    addNumber(messages, tag);
    endRun(positions, word);
    endRun(messages, word);
  }
  return { words: sortedWords(stream), positions: trimmed(positions), messages: trimmed(messages) };
}

/** Marks messages that have a word in a text. */
export function markMessages({ messages }: Postings, word: number, region: number, found: Bits): void {
  const { bytes, starts } = messages;
  const end = starts[word + 1] ?? 0;
  let value = 0;
  for (let at = starts[word] ?? 0; at < end; at += 1) {
    let byte = bytes[at] ?? 0;
    let step = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      at += 1;
      byte = bytes[at] ?? 0;
      step |= (byte & 127) << shift;
    }
    value += step;
    if ((value & region) !== 0) setBit(found, value >>> 2);
  }
}

/** Writes where a word occurs into `found` from `count` on; answers how many are there then. */
export function readPositions({ positions }: Postings, word: number, found: Uint32Array, count: number): number {
  const { bytes, starts } = positions;
  const end = starts[word + 1] ?? 0;
  let value = 0;
  let next = count;
  for (let at = starts[word] ?? 0; at < end; at += 1) {
    let byte = bytes[at] ?? 0;
    let step = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      at += 1;
      byte = bytes[at] ?? 0;
      step |= (byte & 127) << shift;
    }
    value += step;
    found[next] = value;
    next += 1;
  }
  return next;
}

/** Positions of the row, those of the first word first, and where those of each word begin. */
function byWord({ row, length, size }: WordStream): { readonly order: Uint32Array; readonly starts: Uint32Array } {
  const starts = new Uint32Array(size + 1);
  for (let position = 0; position < length; position += 1) {
    const next = ((row[position] ?? 0) >>> 1) + 1;
    starts[next] = (starts[next] ?? 0) + 1;
  }
  for (let word = 0; word < size; word += 1) starts[word + 1] = (starts[word + 1] ?? 0) + (starts[word] ?? 0);
  const free = starts.slice();
  const order = new Uint32Array(length);
  for (let position = 0; position < length; position += 1) {
    const word = (row[position] ?? 0) >>> 1;
    const place = free[word] ?? 0;
    order[place] = position;
    free[word] = place + 1;
  }
  return { order, starts };
}

interface Writing extends Runs {
  readonly bytes: Uint8Array;
  used: number;
  last: number;
}

function createRuns(size: number, numbers: number): Writing {
  return { starts: new Uint32Array(size + 1), bytes: new Uint8Array(numbers * 4), used: 0, last: 0 };
}

function addNumber(runs: Writing, value: number): void {
  let step = value - runs.last;
  runs.last = value;
  for (; step > 127; step >>>= 7) {
    runs.bytes[runs.used] = (step & 127) | 128;
    runs.used += 1;
  }
  runs.bytes[runs.used] = step;
  runs.used += 1;
}

function endRun(runs: Writing, word: number): void {
  runs.starts[word + 1] = runs.used;
  runs.last = 0;
}

function trimmed({ starts, bytes, used }: Writing): Runs {
  return { starts, bytes: bytes.slice(0, used) };
}
