import { type Bits, hasBit, setBit } from "./bits.ts";
import { markField } from "./field-column.ts";
import { addMessage, createScratch, createSegment, markPhrase, type Scratch, type Segment } from "./search-segment.ts";
import type { FieldName, Phrase, SearchText } from "./search-text.ts";

/** A message that is found. */
export interface Entry {
  readonly id: string;
  readonly arrival: number;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly size: number;
  readonly attachments: number;
  readonly inline: number;
  /** How much of its body as it was sent is looked at: all of it, all but encoded lines, or nothing. */
  readonly sent: "all" | "legible" | "nothing";
}

/** One thing that is asked of a message. */
export type Term = { readonly negated?: boolean } & (
  | ({ readonly tag: "phrase" } & Phrase)
  | { readonly tag: "fields"; readonly names: readonly FieldName[]; readonly wanted: string }
  | { readonly tag: "entry"; test(entry: Entry): boolean }
);

export interface SearchIndex {
  /** Messages that are in it, and messages that were taken out and still take room. */
  readonly size: number;
  readonly gone: number;
  add(entry: Entry, text: SearchText): void;
  remove(id: string): void;
  clear(): void;
  /** Those for which all terms hold, newest first. */
  find(terms: readonly Term[]): readonly Entry[];
}

interface Block {
  readonly segment: Segment;
  readonly entries: (Entry | undefined)[];
  live: number;
}

/**
 * Which words are where, in memory. Words in a row are found by their positions, so that no text is kept or looked at; a text
 * that is wanted may be any part of a word, so the list of different words is searched, which is a twentieth of all text.
 * Removed messages keep their room until their segment is empty.
 */
export function createSearchIndex(mostInSegment = 2048): SearchIndex {
  let blocks: Block[] = [];
  const places = new Map<string, { readonly block: Block; readonly at: number }>();
  const scratch = createScratch();
  let gone = 0;
  /** False once an entry came that is older than the one before: then results are put in order. */
  let ordered = true;
  let last: Entry | undefined;

  const open = (): Block => {
    const block = blocks.at(-1);
    if (block?.segment.stream !== undefined) return block;
    const fresh: Block = { segment: createSegment(mostInSegment, scratch), entries: [], live: 0 };
    blocks.push(fresh);
    return fresh;
  };
  return {
    get size() {
      return places.size;
    },
    get gone() {
      return gone;
    },
    add(entry, text) {
      if (places.has(entry.id)) return;
      const block = open();
      addMessage(block.segment, text, scratch);
      places.set(entry.id, { block, at: block.entries.length });
      block.entries.push(entry);
      block.live += 1;
      if (last !== undefined && newestFirst(entry, last) > 0) ordered = false;
      last = entry;
    },
    remove(id) {
      const place = places.get(id);
      if (place === undefined) return;
      const { block, at } = place;
      places.delete(id);
      block.entries[at] = undefined;
      block.live -= 1;
      gone += 1;
      if (block.live > 0) return;
      gone -= block.entries.length;
      blocks = blocks.filter((other) => other !== block);
    },
    clear() {
      blocks = [];
      places.clear();
      gone = 0;
      ordered = true;
      last = undefined;
    },
    find(terms) {
      const found: Entry[] = [];
      for (const block of blocks.toReversed()) collect(block, terms, scratch, found);
      return ordered ? found : found.sort(newestFirst);
    },
  };
}

export function newestFirst(
  left: Pick<Entry, "receivedAt" | "arrival">,
  right: Pick<Entry, "receivedAt" | "arrival">,
): number {
  return right.receivedAt - left.receivedAt || right.arrival - left.arrival;
}

function collect({ segment, entries }: Block, terms: readonly Term[], scratch: Scratch, found: Entry[]): void {
  const marked = new Uint32Array((entries.length >>> 5) + 1).fill(-1);
  for (const term of terms) {
    const some = new Uint32Array(marked.length);
    mark(some, term, { segment, entries }, scratch);
    for (const [at, word] of some.entries()) marked[at] = (marked[at] ?? 0) & (term.negated ? ~word : word);
  }
  for (let at = entries.length - 1; at >= 0; at -= 1) {
    const entry = entries[at];
    if (entry !== undefined && hasBit(marked, at)) found.push(entry);
  }
}

function mark(
  found: Bits,
  term: Term,
  { segment, entries }: Pick<Block, "segment" | "entries">,
  scratch: Scratch,
): void {
  switch (term.tag) {
    case "phrase":
      markPhrase(segment, term, scratch, found);
      return;
    case "fields":
      for (const name of term.names) {
        const column = segment.columns.get(name);
        if (column !== undefined) markField(column, term.wanted, found);
      }
      return;
    case "entry":
      for (const [at, entry] of entries.entries()) if (entry !== undefined && term.test(entry)) setBit(found, at);
  }
}
