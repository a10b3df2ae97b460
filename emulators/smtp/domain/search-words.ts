import { isAscii } from "./headers.ts";

/**
 * Words as a search sees them: runs of bytes in lower case between white space and what `cleanText` takes out of a text.
 * UTF-8 keeps substrings: one text is part of another exactly if its bytes are.
 */
const separators = '\0\t\n\v\f\r ><",;()';
/** White space beyond ASCII, as `\s` has it. */
const rareSpaces = /[\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]/g;

/** For each byte the one that stands for it in a word; 0 for a byte between words. */
export const folded = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (separators.includes(String.fromCharCode(byte))) return 0;
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
});
export const space = 0x20;

/** What a message is found by: bytes in ASCII, or in UTF-8 and then in lower case and without rare spaces. */
export type Text = Buffer;

export function textOf(text: string): Text {
  if (isAscii(text)) return Buffer.from(text, "latin1");
  return Buffer.from(text.toLowerCase().replaceAll(rareSpaces, "\t"));
}

/** A wanted text as words that follow each other. */
export interface Needle {
  /** Each word one character a byte; a line feed before or after it where the word in the message ends there too. */
  readonly patterns: readonly string[];
  /** It is words with single spaces between them, so that a message with all of them in a row has it. */
  readonly exact: boolean;
}

export function needleOf(wanted: string): Needle {
  const text = textOf(wanted.toLowerCase()).toString("latin1");
  const words = [...text.matchAll(/[^\0\t-\r ><",;()]+/g)];
  const last = words.length - 1;
  const patterns = words.map(([word], at) => {
    const open = { start: at === 0 && text.startsWith(word), end: at === last && text.endsWith(word) };
    return `${open.start ? "" : "\n"}${word}${open.end ? "" : "\n"}`;
  });
  return { patterns, exact: words.length > 0 && words.map(([word]) => word).join(" ") === text };
}
