import { type Bits, setBit } from "./bits.ts";
import { fillTags, type Places } from "./places.ts";
import { type SortedWords, sortedWords } from "./word-list.ts";
import { type WordStream, withRoom } from "./word-stream.ts";

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

/** Memory that is used again for every segment: returned and taken anew, it would stay in the process in pieces. */
export interface PostingsScratch {
  order: Uint32Array;
  tags: Uint16Array;
  readonly positions: Writing;
  readonly messages: Writing;
}

export function createPostingsScratch(): PostingsScratch {
  return { order: new Uint32Array(0), tags: new Uint16Array(0), positions: createWriting(), messages: createWriting() };
}

export function postingsOf(stream: WordStream, places: Places, scratch: PostingsScratch): Postings {
  const { row, length, size } = stream;
  scratch.order = withRoom(scratch.order, length);
  scratch.tags = withRoom(scratch.tags, length);
  const { order, tags, positions, messages } = scratch;
  const starts = sortByWord(stream, order);
  fillTags(places, tags);
  beginRuns(positions, size, length);
  beginRuns(messages, size, length);
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
  return { words: sortedWords(stream), positions: runsOf(positions), messages: runsOf(messages) };
}

/** Marks messages that have a word in a text; `numbers` has room for as many as the row has words. */
export function markMessages(
  { messages }: Postings,
  wanted: { readonly word: number; readonly region: number },
  numbers: Uint32Array,
  found: Bits,
): void {
  const count = readRun(messages, wanted.word, numbers, 0);
  for (let at = 0; at < count; at += 1) {
    const number = numbers[at] ?? 0;
    if ((number & wanted.region) !== 0) setBit(found, number >>> 2);
  }
}

/** Writes where a word occurs into `found` from `count` on; answers how many are there then. */
export function readPositions({ positions }: Postings, word: number, found: Uint32Array, count: number): number {
  return readRun(positions, word, found, count);
}

function readRun({ bytes, starts }: Runs, word: number, found: Uint32Array, count: number): number {
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

/** Puts the positions of the row in `order`, those of the first word first; answers where those of each word begin. */
function sortByWord({ row, length, size }: WordStream, order: Uint32Array): Uint32Array {
  const starts = new Uint32Array(size + 1);
  for (let position = 0; position < length; position += 1) {
    const next = ((row[position] ?? 0) >>> 1) + 1;
    starts[next] = (starts[next] ?? 0) + 1;
  }
  for (let word = 0; word < size; word += 1) starts[word + 1] = (starts[word + 1] ?? 0) + (starts[word] ?? 0);
  const free = starts.slice();
  for (let position = 0; position < length; position += 1) {
    const word = (row[position] ?? 0) >>> 1;
    const place = free[word] ?? 0;
    order[place] = position;
    free[word] = place + 1;
  }
  return starts;
}

interface Writing {
  starts: Uint32Array;
  bytes: Uint8Array;
  used: number;
  last: number;
}

function createWriting(): Writing {
  return { starts: new Uint32Array(0), bytes: new Uint8Array(0), used: 0, last: 0 };
}

/** Of so many words, and so many numbers in all. */
function beginRuns(runs: Writing, words: number, numbers: number): void {
  runs.starts = new Uint32Array(words + 1);
  runs.bytes = withRoom(runs.bytes, numbers * 4);
  runs.used = 0;
  runs.last = 0;
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

function runsOf({ starts, bytes, used }: Writing): Runs {
  return { starts, bytes: bytes.slice(0, used) };
}
