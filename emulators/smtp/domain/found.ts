import { type Bits, countBits, hasBit } from "./bits.ts";

/** Things that were found, newest first. A page of them is read without a list of all, which would cost more than the search. */
export interface Found<Entry> extends Iterable<Entry> {
  readonly length: number;
  /** As an array's, of places that are not negative. */
  slice(start: number, end: number): readonly Entry[];
  /** In the order in which they were added. */
  oldestFirst(): Iterable<Entry>;
}

/** Some of the entries that were searched; an entry that is taken out later is left out. */
export interface FoundPart<Entry> {
  readonly entries: readonly (Entry | undefined)[];
  readonly marked: Bits;
}

/** `parts` in the order in which their entries were added, which is that of `newestFirst`, reversed, unless it is given. */
export function foundIn<Entry>(
  parts: readonly FoundPart<Entry>[],
  newestFirst?: (left: Entry, right: Entry) => number,
): Found<Entry> {
  const counts = parts.map(({ marked }) => countBits(marked));
  let sorted: readonly Entry[] | undefined;
  const inOrder = () => {
    if (newestFirst !== undefined) sorted ??= [...forwards(parts)].sort(newestFirst);
    return sorted;
  };
  return {
    length: counts.reduce((sum, count) => sum + count, 0),
    slice(start, end) {
      const all = inOrder();
      if (all !== undefined) return all.slice(start, end);
      const page: Entry[] = [];
      let passed = 0;
      for (let nth = parts.length - 1; nth >= 0 && passed < end; nth -= 1) {
        const [part, count = 0] = [parts[nth], counts[nth]];
        if (part !== undefined && passed + count > start)
          page.push(...[...backwards(part)].slice(Math.max(0, start - passed), end - passed));
        passed += count;
      }
      return page;
    },
    *[Symbol.iterator]() {
      const all = inOrder();
      if (all !== undefined) yield* all;
      else for (const part of parts.toReversed()) yield* backwards(part);
    },
    oldestFirst: () => forwards(parts),
  };
}

function* forwards<Entry>(parts: readonly FoundPart<Entry>[]): Generator<Entry> {
  for (const { entries, marked } of parts) {
    for (let at = 0; at < marked.length * 32; at += 1) {
      const entry = hasBit(marked, at) ? entries[at] : undefined;
      if (entry !== undefined) yield entry;
    }
  }
}

function* backwards<Entry>({ entries, marked }: FoundPart<Entry>): Generator<Entry> {
  for (let at = marked.length * 32 - 1; at >= 0; at -= 1) {
    const entry = hasBit(marked, at) ? entries[at] : undefined;
    if (entry !== undefined) yield entry;
  }
}
