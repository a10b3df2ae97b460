/** Texts sorted by key, however many there are: keys in memory, the texts on disk until they are written. */
import { compareText } from "./canonical.ts";
import { openScratch, type Span } from "./scratch.ts";

export interface Sorted<About> {
  readonly about: About;
  /** Good until the next is asked for. */
  bytes(): Buffer;
}

export interface SortedTexts<About> {
  add(key: string, text: string, about: About): void;
  /** By key, in the order of bytes; what was added first comes first of two alike. */
  inOrder(): readonly Sorted<About>[];
  close(): void;
}

export function sortedTexts<About>(): SortedTexts<About> {
  const scratch = openScratch();
  const kept: { readonly key: string; readonly span: Span; readonly about: About }[] = [];
  return {
    add: (key, text, about) => void kept.push({ key, span: scratch.add(text), about }),
    inOrder: () =>
      kept
        .sort((left, right) => compareText(left.key, right.key))
        .map(({ span, about }) => ({ about, bytes: () => scratch.read(span) })),
    close: scratch.close,
  };
}
