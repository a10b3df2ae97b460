import { type Bits, countBits, hasBit, setBit } from "./bits.ts";
import { addField, columnText, createColumn, type FieldColumn, markField } from "./field-column.ts";
import { addPlace, createPlaces, messageAt, type Places, regionBit, regionsOf } from "./places.ts";
import {
  createPostingsScratch,
  markMessages,
  type Postings,
  type PostingsScratch,
  postingsOf,
  readPositions,
} from "./postings.ts";
import { type FieldName, type Fields, fieldNames, type Phrase, type SearchText } from "./search-text.ts";
import type { Text } from "./search-words.ts";
import { sortedWordsWith, wordsOf, wordsWith } from "./word-list.ts";
import { addText, clearStream, createWordStream, type WordStream } from "./word-stream.ts";

/** Some messages with all that they are found by, each known by its place; none is ever taken out. */
export interface Segment {
  readonly mostMessages: number;
  readonly places: Places;
  readonly columns: ReadonlyMap<FieldName, FieldColumn>;
  /** The texts as they were added; undefined when it is sealed, for it takes less room then and is searched faster. */
  stream: WordStream | undefined;
  postings: Postings | undefined;
  /** Messages with what was looked for since: nothing is added to it, so they stay right. */
  readonly known: Map<string, Bits>;
}

/** Memory that all segments of an index use in turn. */
export interface Scratch {
  readonly stream: WordStream;
  readonly postings: PostingsScratch;
  occurrences: Uint32Array;
  /** Positions where the words of a phrase that were looked at so far end. */
  ends: Bits;
}

/** Sealing a segment of so many words takes 10 ms, in which others have to wait. */
const mostWords = 2 ** 19;

/** Holds at most so many messages, 16,384 or fewer. */
export function createSegment(mostMessages: number, { stream }: Scratch): Segment {
  clearStream(stream);
  return {
    mostMessages,
    places: createPlaces(mostMessages),
    columns: new Map(fieldNames.map((name) => [name, createColumn(mostMessages)])),
    stream,
    postings: undefined,
    known: new Map(),
  };
}

export function createScratch(): Scratch {
  return {
    stream: createWordStream(),
    postings: createPostingsScratch(),
    occurrences: new Uint32Array(0),
    ends: new Uint32Array(0),
  };
}

/** Adds a message; seals the segment when it is full. */
export function addMessage(segment: Segment, text: SearchText, scratch: Scratch): void {
  const { fields, values, head, body, names, sent } = text;
  const { stream, places, columns } = segment;
  if (stream === undefined) throw new Error("nothing is added to a sealed segment");
  const put = (text: Text): number => {
    addText(stream, text);
    return stream.length;
  };
  const [valuesEnd, headEnd, bodyEnd, namesEnd] = [put(values), put(head), put(body), put(names)];
  if (sent === "same") addPlace(places, namesEnd, [valuesEnd, namesEnd, headEnd, bodyEnd]);
  else addPlace(places, put(sent), [valuesEnd, namesEnd, namesEnd, stream.length]);
  for (const [name, column] of columns) addField(column, fields[name]);
  if (places.count < segment.mostMessages && stream.length < mostWords) return;
  segment.postings = postingsOf(stream, places, scratch.postings);
  for (const column of columns.values()) columnText(column);
  segment.stream = undefined;
}

/** Clients ask for the same again and again until something comes, and for page after page. */
const mostKnown = 32;

/** Marks messages that have the words of a phrase in a row. */
export function markPhrase(segment: Segment, phrase: Phrase, scratch: Scratch, found: Bits): void {
  const key = [phrase.region, phrase.spaced, ...phrase.patterns].join(" ");
  markKnown(segment, key, found, (marked) => lookUp(segment, phrase, scratch, marked));
}

/** Marks messages that have a text in one of some fields. */
export function markFields(segment: Segment, { names, wanted }: Fields, found: Bits): void {
  markKnown(segment, `${names.join(",")}:${wanted}`, found, (marked) => {
    for (const name of names) {
      const column = segment.columns.get(name);
      if (column !== undefined) markField(column, wanted, marked);
    }
  });
}

function markKnown({ postings, known }: Segment, key: string, found: Bits, look: (marked: Bits) => void): void {
  const marked = known.get(key) ?? new Uint32Array(found.length);
  if (!known.has(key)) {
    look(marked);
    if (postings !== undefined) known.set(key, marked);
    const oldest = known.size > mostKnown ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
  }
  for (let at = 0; at < found.length; at += 1) found[at] = (found[at] ?? 0) | (marked[at] ?? 0);
}

function lookUp(segment: Segment, phrase: Phrase, scratch: Scratch, found: Bits): void {
  const { patterns, spaced } = phrase;
  const { postings } = segment;
  const region = regionBit[phrase.region];
  const [only] = patterns.length === 1 ? patterns : [];
  makeRoom(scratch, segment);
  if (postings !== undefined && only !== undefined) {
    for (const word of sortedWordsWith(postings.words, only)) {
      markMessages(postings, { word, region }, scratch.occurrences, found);
      if (countBits(found) === segment.places.count) return; // a letter is in thousands of words
    }
    return;
  }
  let count = 0;
  for (const [nth, pattern] of patterns.entries()) {
    if (nth > 0) keepEnds(scratch, segment, count);
    count = readOccurrences(segment, pattern, scratch.occurrences);
    if (nth > 0) count = keepFollowing(scratch, count, spaced);
    if (count === 0) return;
  }
  markOccurrences(segment.places, { occurrences: scratch.occurrences, count, words: patterns.length, region }, found);
}

function makeRoom(scratch: Scratch, { places }: Segment): void {
  const length = places.starts[places.count] ?? 0;
  if (scratch.occurrences.length >= length) return;
  scratch.occurrences = new Uint32Array(length);
  scratch.ends = new Uint32Array((length >>> 5) + 1);
}

/** Writes where words with this pattern are into `found`; answers how many are there. */
function readOccurrences({ stream, postings }: Segment, pattern: string, found: Uint32Array): number {
  let count = 0;
  if (postings !== undefined) {
    for (const word of sortedWordsWith(postings.words, pattern)) count = readPositions(postings, word, found, count);
    return count;
  }
  if (stream === undefined) return 0;
  const wanted = new Uint8Array(stream.size);
  for (const word of wordsWith(wordsOf(stream), pattern)) wanted[word] = 1;
  const { row, length } = stream;
  for (let position = 0; position < length; position += 1) {
    const word = row[position] ?? 0;
    if (wanted[word >>> 1] !== 1) continue;
    found[count] = position * 2 + (word & 1);
    count += 1;
  }
  return count;
}

function keepEnds({ occurrences, ends }: Scratch, segment: Segment, count: number): void {
  ends.fill(0, 0, ((segment.places.starts[segment.places.count] ?? 0) >>> 5) + 1);
  for (let at = 0; at < count; at += 1) setBit(ends, (occurrences[at] ?? 0) >>> 1);
}

/** Keeps occurrences that stand right behind those that were kept before; answers how many. */
function keepFollowing({ occurrences, ends }: Scratch, count: number, spaced: boolean): number {
  let kept = 0;
  for (let at = 0; at < count; at += 1) {
    const occurrence = occurrences[at] ?? 0;
    if ((spaced && (occurrence & 1) === 0) || !hasBit(ends, (occurrence >>> 1) - 1)) continue;
    occurrences[kept] = occurrence;
    kept += 1;
  }
  return kept;
}

interface Occurrences {
  /** Of the last word of a phrase. */
  readonly occurrences: Uint32Array;
  readonly count: number;
  readonly words: number;
  readonly region: number;
}

function markOccurrences(places: Places, { occurrences, count, words, region }: Occurrences, found: Bits): void {
  let message = 0;
  for (let at = 0; at < count; at += 1) {
    const last = (occurrences[at] ?? 0) >>> 1;
    message = messageAt(places, last, message);
    if ((regionsOf(places, message, last - words + 1, last) & region) !== 0) setBit(found, message);
  }
}
