import type { Entry, Term } from "./search-index.ts";
import { needleOf } from "./search-words.ts";

export type SearchKind = "from" | "to" | "containing";

export function isSearchKind(word: string): word is SearchKind {
  return word === "from" || word === "to" || word === "containing";
}

export interface SentSearch {
  /** What a message with the text has at least, and whether that is enough. */
  readonly term: Term;
  readonly exact: boolean;
  /** Whether a message may have the text where the index does not look. */
  mayHide(entry: Entry): boolean;
}

/** MailHog's `containing`: a substring, in any case, of the undecoded body or of a value of the header. */
export function sentSearch(wanted: string): SentSearch {
  const { patterns, exact } = needleOf(wanted);
  // What is not looked at in a legible message is lines of base64 as a whole: a text that is within one has no space.
  const encoded = !exact || /^[a-z0-9+/=]+$/i.test(wanted);
  return {
    term: { tag: "phrase", patterns, region: "sent", spaced: exact },
    exact,
    mayHide: ({ sent }) => patterns.length === 0 || sent === "nothing" || (sent === "legible" && encoded),
  };
}
