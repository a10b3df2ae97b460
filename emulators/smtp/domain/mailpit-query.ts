import { cleanText } from "./gist.ts";
import type { Entry, Marked, Term } from "./search-index.ts";
import type { FieldName } from "./search-text.ts";
import { needleOf } from "./search-words.ts";

/** What of a message changes after it came. */
export interface Marks {
  readMarks(): Marked;
  /** By id; none of them is without a tag. */
  tagged(): ReadonlyMap<string, readonly string[]>;
}

/**
 * Mailpit's search (internal/storage/search.go): words are joined by and, quotes group, `-` or `!` negates; what cannot be
 * read is not there. `timeZone` is for dates without one.
 */
export function parseQuery(search: string, marks: Marks, timeZone: string | undefined): readonly Term[] {
  return wordsOf(search).flatMap((word) => {
    const negated = word.length > 1 && /^[-!]/.test(word);
    const text = negated ? word.slice(1) : word;
    const term = /[\p{L}\p{N}]/u.test(text) ? termOf(text, marks, timeZone) : "ignored";
    return term === "ignored" ? [] : [{ ...term, negated: negated !== (term.negated ?? false) }];
  });
}

/** Quoted runs are one word without the quotes; so is a prefix with a quoted rest: `subject:"two words"`. */
export function wordsOf(search: string): readonly string[] {
  const words: string[] = [];
  for (const [whole] of search.matchAll(/(?:"[^"]*"?|[^\s"])+/g)) {
    const word = whole.replaceAll('"', "").trim();
    if (word !== "") words.push(word);
  }
  return words;
}

const addressFields: readonly (readonly [prefix: string, ...names: FieldName[]])[] = [
  ["to:", "to"],
  ["from:", "from"],
  ["cc:", "cc"],
  ["bcc:", "bcc"],
  ["reply-to:", "replyTo"],
  ["message-id:", "messageId"],
  ["addressed:", "to", "from", "cc", "bcc", "replyTo"],
];

function termOf(term: string, marks: Marks, timeZone: string | undefined): Term | "ignored" {
  const lower = term.toLowerCase();
  for (const [prefix, ...names] of addressFields)
    if (lower.startsWith(prefix)) return fieldTerm(names, cleanText(term.slice(prefix.length)));
  if (lower.startsWith("subject:")) return fieldTerm(["subject"], lower.slice(8));
  if (lower.startsWith("tag:")) {
    const tag = cleanText(term.slice(4));
    if (tag === "") return "ignored";
    const having = marks
      .tagged()
      .entries()
      .filter(([, tags]) => tags.some((one) => one.toLowerCase() === tag));
    return { tag: "marked", ids: new Set(having.map(([id]) => id)) };
  }
  return stateTerm(lower, marks) ?? measureTerm(lower, timeZone) ?? plainTerm(term);
}

function fieldTerm(names: readonly FieldName[], wanted: string): Term | "ignored" {
  return wanted === "" ? "ignored" : { tag: "fields", names, wanted };
}

/** A part of a message's text, in any case and whatever stands between its words. */
export function plainTerm(wanted: string): Term | "ignored" {
  const text = cleanText(wanted);
  return text === "" ? "ignored" : { tag: "phrase", patterns: needleOf(text).patterns, region: "read", spaced: false };
}

function stateTerm(term: string, marks: Marks): Term | undefined {
  const each = (test: (entry: Entry) => boolean): Term => ({ tag: "entry", test });
  switch (term) {
    case "is:read":
      return { tag: "marked", ...marks.readMarks() };
    case "is:unread":
      return { tag: "marked", ...marks.readMarks(), negated: true };
    case "is:tagged":
      return { tag: "marked", ids: new Set(marks.tagged().keys()) };
    case "has:inline":
    case "has:inlines":
      return each(({ inline }) => inline > 0);
    case "has:attachment":
    case "has:attachments":
      return each(({ attachments }) => attachments > 0);
    default:
      return undefined;
  }
}

function measureTerm(term: string, timeZone: string | undefined): Term | "ignored" | undefined {
  const [, kind, value = ""] = /^(after|before|larger|smaller):(.*)$/.exec(term) ?? [];
  if (kind === "after" || kind === "before") {
    const at = instantOf(value, timeZone);
    if (at === undefined) return "ignored";
    return { tag: "entry", test: ({ receivedAt }) => (kind === "after" ? receivedAt >= at : receivedAt <= at) };
  }
  const limit = kind === undefined ? 0 : bytesOf(value);
  if (limit <= 0) return undefined; // then it is a plain word, as in Mailpit
  return { tag: "entry", test: ({ size }) => (kind === "larger" ? size > limit : size < limit) };
}

/** `2048`, `2k`, `1.5mb`; 0 for anything else. */
export function bytesOf(text: string): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)\s?(k|kb|m|mb)?$/.exec(text.trim().toLowerCase()) ?? [];
  if (digits === undefined) return 0;
  const factor = unit.startsWith("k") ? 1024 : unit.startsWith("m") ? 1024 * 1024 : 1;
  return Math.floor(Number(digits) * factor);
}

/** A date with or without time, in `timeZone` (UTC when absent or unknown) unless it names its own; also a Unix time. */
export function instantOf(text: string, timeZone: string | undefined): number | undefined {
  if (/^\d{10}$/.test(text)) return Number(text) * 1000;
  if (/^\d{13}$/.test(text)) return Number(text);
  const normal = text.trim().replaceAll("/", "-").replace(" ", "T").toUpperCase();
  const local = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?))?$/.exec(normal);
  if (local === null) {
    const at = Date.parse(text.toUpperCase());
    return Number.isNaN(at) ? undefined : at;
  }
  const utc = Date.parse(`${local[1]}T${local[2] ?? "00:00"}Z`);
  if (Number.isNaN(utc)) return undefined;
  return utc - offsetAt(utc, timeZone);
}

/** Milliseconds that local time is ahead of UTC when its clocks show `local`. */
function offsetAt(local: number, timeZone: string | undefined): number {
  const shift = (at: number) => {
    try {
      const shown = new Intl.DateTimeFormat("sv-SE", {
        timeZone: timeZone ?? "UTC",
        dateStyle: "short",
        timeStyle: "medium",
      });
      return Date.parse(`${shown.format(at).replace(" ", "T")}Z`) - Math.floor(at / 1000) * 1000;
    } catch {
      return 0; // Mailpit ignores a zone that it does not know
    }
  };
  return shift(local - shift(local));
}
