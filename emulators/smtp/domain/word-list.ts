import { lastNotAfter, type WordStream } from "./word-stream.ts";

/** Different words as a string, one character a byte: a search of it is faster than one of bytes. */
export interface WordList {
  /** A line feed before, between and after them. */
  readonly text: string;
  readonly starts: Uint32Array;
}

/** A list with its words in two more orders: by how they begin and by how they end. */
export interface SortedWords extends WordList {
  readonly byStart: WordNumbers;
  readonly byEnd: WordNumbers;
}

export function wordsOf({ bytes, starts, size }: WordStream): WordList {
  const text = Buffer.from(bytes.buffer, 0, starts[size] ?? 0).toString("latin1");
  return { text, starts: starts.slice(0, size + 1) };
}

export function sortedWords(stream: WordStream): SortedWords {
  const list = wordsOf(stream);
  return { ...list, byStart: ordered(list, "start"), byEnd: ordered(list, "end") };
}

/** Numbers of the words that a pattern is part of; a line feed in it stands for the end of a word. */
export function* wordsWith({ text, starts }: WordList, pattern: string): Iterable<number> {
  const lead = pattern.startsWith("\n") ? 1 : 0;
  for (let at = text.indexOf(pattern); at !== -1; ) {
    const word = lastNotAfter(starts, at + lead, starts.length);
    yield word;
    at = text.indexOf(pattern, (starts[word + 1] ?? text.length) - 1);
  }
}

/** The same: only what may be in the middle of a word has to be looked for everywhere. */
export function sortedWordsWith(list: SortedWords, pattern: string): Iterable<number> {
  if (pattern.startsWith("\n")) return sortedWordsAt(list, pattern, "start");
  if (pattern.endsWith("\n")) return sortedWordsAt(list, pattern, "end");
  return wordsWith(list, pattern);
}

type Side = "start" | "end";

function* sortedWordsAt(list: SortedWords, pattern: string, side: Side): Iterable<number> {
  const { text, starts } = list;
  const order = side === "start" ? list.byStart : list.byEnd;
  const wanted = pattern.replaceAll("\n", "");
  const lowest = keyOf(wanted, 0, wanted.length, side);
  const highest = lowest + 256 ** Math.max(0, keyLength - wanted.length) - 1;
  for (let at = firstFrom(list, side, lowest); at < order.length; at += 1) {
    const word = order[at] ?? 0;
    const [start, end] = [starts[word] ?? 0, starts[word + 1] ?? 0];
    if (keyOf(text, start, end - 1, side) > highest) return;
    if (text.startsWith(pattern, side === "start" ? start - 1 : end - pattern.length)) yield word;
  }
}

/** Place of the first word in an order whose key is not less than `lowest`. */
function firstFrom({ text, starts, byStart, byEnd }: SortedWords, side: Side, lowest: number): number {
  const order = side === "start" ? byStart : byEnd;
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const word = order[middle] ?? 0;
    if (keyOf(text, starts[word] ?? 0, (starts[word + 1] ?? 0) - 1, side) < lowest) low = middle + 1;
    else high = middle;
  }
  return low;
}

type WordNumbers = Uint16Array | Uint32Array;

const keyLength = 4;

/** The characters at one side of a word as a number, the outermost first. */
function keyOf(text: string, start: number, end: number, side: Side): number {
  let key = 0;
  for (let nth = 0; nth < keyLength; nth += 1) {
    const at = side === "start" ? start + nth : end - 1 - nth;
    key = key * 256 + (at >= start && at < end ? text.charCodeAt(at) : 0);
  }
  return key;
}

/** Word numbers are smaller than this, so that key and number make one number to sort by. */
const mostWords = 2 ** 20;

function ordered({ text, starts }: WordList, side: Side): WordNumbers {
  const keys = new Float64Array(starts.length - 1);
  for (let word = 0; word < keys.length; word += 1)
    keys[word] = keyOf(text, starts[word] ?? 0, (starts[word + 1] ?? 0) - 1, side) * mostWords + word;
  const order = keys.length < 65_536 ? new Uint16Array(keys.length) : new Uint32Array(keys.length);
  for (const [at, key] of keys.sort().entries()) order[at] = key % mostWords;
  return order;
}
