import { type Bits, clearBit, countBits, setBit } from "./bits.ts";
import { type Found, type FoundPart, foundIn } from "./found.ts";
import {
  addMessage,
  createScratch,
  createSegment,
  markFields,
  markPhrase,
  type Scratch,
  type Segment,
} from "./search-segment.ts";
import type { Fields, Phrase, SearchText } from "./search-text.ts";

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

/** Messages that have a mark. */
export interface Marked {
  readonly ids: ReadonlySet<string>;
  /** Another one after every change of `ids`; absent where they are gathered for one search. */
  readonly version?: number;
}

/** One thing that is asked of a message. */
export type Term = { readonly negated?: boolean } & (
  | ({ readonly tag: "phrase" } & Phrase)
  | ({ readonly tag: "fields" } & Fields)
  | ({ readonly tag: "marked" } & Marked)
  | { readonly tag: "entry"; test(entry: Entry): boolean }
);

export interface Matches extends Found<Entry> {
  /** Those of them for which a term holds too. */
  and(term: Term): Matches;
}

export interface SearchIndex {
  /** Messages that are in it, and messages that were taken out and still take room. */
  readonly size: number;
  readonly gone: number;
  /** In order of arrival. */
  add(entry: Entry, text: SearchText): void;
  remove(id: string): void;
  clear(): void;
  /** Those for which all terms hold, newest first. */
  find(terms: readonly Term[]): Matches;
}

interface Block {
  readonly segment: Segment;
  readonly entries: (Entry | undefined)[];
  /** Which of them were not taken out. */
  readonly present: Bits;
}

type Where = ReadonlyMap<Block, Bits>;

interface Part extends FoundPart<Entry> {
  readonly block: Block;
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
  /** Clients ask for the same mark again and again; it stays where it is until marks or messages come. */
  let lastMarked: (Marked & { readonly last: Entry | undefined; readonly where: Where }) | undefined;

  const open = (): Block => {
    const block = blocks.at(-1);
    if (block?.segment.stream !== undefined) return block;
    const fresh: Block = {
      segment: createSegment(mostInSegment, scratch),
      entries: [],
      present: new Uint32Array((mostInSegment + 31) >>> 5),
    };
    blocks.push(fresh);
    return fresh;
  };
  /** Where messages with some ids are; looked for from the side with fewer of them. */
  const whereAre = (ids: ReadonlySet<string>): Where => {
    if (ids.size >= places.size)
      return new Map(blocks.map((block) => [block, holding(block, ({ id }) => ids.has(id))]));
    const where = new Map<Block, Bits>();
    for (const id of ids) {
      const place = places.get(id);
      if (place === undefined) continue;
      const { block, at } = place;
      const marked = where.get(block) ?? new Uint32Array(block.present.length);
      if (!where.has(block)) where.set(block, marked);
      setBit(marked, at);
    }
    return where;
  };
  const marked = ({ ids, version }: Marked): Where => {
    if (version === undefined) return whereAre(ids);
    if (lastMarked?.ids !== ids || lastMarked.version !== version || lastMarked.last !== last)
      lastMarked = { ids, version, last, where: whereAre(ids) };
    return lastMarked.where;
  };
  const narrowed = (parts: readonly Part[], term: Term): readonly Part[] => {
    const where = term.tag === "marked" ? marked(term) : undefined;
    return parts.map(({ block, entries, marked }) => {
      const some = term.tag === "marked" ? where?.get(block) : having(block, term, scratch);
      const word = (at: number) => (term.negated ? ~(some?.[at] ?? 0) : (some?.[at] ?? 0));
      return { block, entries, marked: marked.map((all, at) => all & word(at)) };
    });
  };
  const matches = (parts: readonly Part[]): Matches => ({
    ...foundIn(parts, ordered ? undefined : newestFirst),
    and: (term) => matches(narrowed(parts, term)),
  });
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
      setBit(block.present, block.entries.length);
      block.entries.push(entry);
      if (last !== undefined && newestFirst(entry, last) > 0) ordered = false;
      last = entry;
    },
    remove(id) {
      const place = places.get(id);
      if (place === undefined) return;
      const { block, at } = place;
      places.delete(id);
      block.entries[at] = undefined;
      clearBit(block.present, at);
      gone += 1;
      if (countBits(block.present) > 0) return;
      gone -= block.entries.length;
      blocks = blocks.filter((other) => other !== block);
      lastMarked = undefined; // it would hold the block
    },
    clear() {
      blocks = [];
      places.clear();
      gone = 0;
      ordered = true;
      last = undefined;
      lastMarked = undefined;
    },
    find(terms) {
      const all = blocks.map((block) => ({ block, entries: block.entries, marked: block.present.slice() }));
      return matches(terms.reduce(narrowed, all));
    },
  };
}

export function newestFirst(
  left: Pick<Entry, "receivedAt" | "arrival">,
  right: Pick<Entry, "receivedAt" | "arrival">,
): number {
  return right.receivedAt - left.receivedAt || right.arrival - left.arrival;
}

/** The messages of a block that a term, negated or not, speaks of. */
function having(block: Block, term: Exclude<Term, { tag: "marked" }>, scratch: Scratch): Bits {
  if (term.tag === "entry") return holding(block, term.test);
  const found = new Uint32Array(block.present.length);
  if (term.tag === "phrase") markPhrase(block.segment, term, scratch, found);
  else markFields(block.segment, term, found);
  return found;
}

function holding({ entries, present }: Block, test: (entry: Entry) => boolean): Bits {
  const found = new Uint32Array(present.length);
  for (const [at, entry] of entries.entries()) if (entry !== undefined && test(entry)) setBit(found, at);
  return found;
}
