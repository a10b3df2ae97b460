import type { Entry } from "./search-index.ts";

export type SearchKind = "from" | "to" | "containing";

export function isSearchKind(word: string): word is SearchKind {
  return word === "from" || word === "to" || word === "containing";
}

/**
 * MailHog's `containing`: a substring, in any case, of the undecoded body or of a value of the header. `wanted` is in lower
 * case. What is known of an entry often decides; only otherwise its body is read.
 */
export function containing(wanted: string, bodyOf: (entry: Entry) => string): (entry: Entry) => boolean {
  const words = wanted.split(/[^a-z0-9]+/).filter((word) => word !== "");
  const [only] = words.length === 1 && words[0] === wanted ? words : [];
  return (entry) => {
    const { text, bodyAt, values } = entry;
    if (values.includes(wanted)) return true;
    if (bodyAt !== undefined) {
      // Letters and digits stand in the search text as they do in the body; what is between them may not.
      if (only !== undefined) return text.includes(only, bodyAt);
      if (words.some((word) => !text.includes(word, bodyAt))) return false;
    }
    return bodyOf(entry).includes(wanted);
  };
}
