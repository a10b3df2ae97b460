import { cleanText } from "./gist.ts";
import type { Entry } from "./search-index.ts";

/** What of a message changes after it came. */
export interface Marks {
  read(id: string): boolean;
  tags(id: string): readonly string[];
}

export interface Query {
  readonly test: (entry: Entry) => boolean;
  /** Texts that every match has in its search text. */
  readonly needles: readonly string[];
}

type Test = (entry: Entry) => boolean;

/**
 * Mailpit's search (internal/storage/search.go): words are joined by and, quotes group, `-` or `!` negates; what cannot be
 * read is not there. `timeZone` is for dates without one.
 */
export function parseQuery(search: string, marks: Marks, timeZone: string | undefined): Query {
  const tests: Test[] = [];
  const needles: string[] = [];
  for (const word of wordsOf(search)) {
    const negated = word.length > 1 && /^[-!]/.test(word);
    const term = negated ? word.slice(1) : word;
    if (!/[\p{L}\p{N}]/u.test(term)) continue;
    const special = specialTerm(term, marks, timeZone);
    if (special === "ignored") continue;
    const text = special === undefined ? cleanText(term) : "";
    if (special === undefined && text === "") continue;
    const test: Test = special ?? ((entry) => entry.text.includes(text));
    if (!negated) needles.push(...(special === undefined ? [text] : needlesOf(term)));
    tests.push(negated ? (entry) => !test(entry) : test);
  }
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return { test: only, needles };
  return { test: (entry) => tests.every((test) => test(entry)), needles };
}

/** What a term about a header field asks of the search text, which holds those fields without their punctuation. */
function needlesOf(term: string): readonly string[] {
  const [, value = ""] = /^(?:subject|from|to|cc|reply-to):(.*)$/is.exec(term) ?? [];
  return value
    .toLowerCase()
    .split(/[^a-z0-9@.]+/)
    .filter((word) => word.length > 2);
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

const addressFields = {
  "to:": (entry: Entry) => entry.to,
  "from:": (entry: Entry) => entry.from,
  "cc:": (entry: Entry) => entry.cc,
  "bcc:": (entry: Entry) => entry.bcc,
  "reply-to:": (entry: Entry) => entry.replyTo,
  "message-id:": (entry: Entry) => entry.messageId,
} as const;

/** Undefined for a plain word. */
function specialTerm(term: string, marks: Marks, timeZone: string | undefined): Test | "ignored" | undefined {
  const lower = term.toLowerCase();
  for (const [prefix, of] of Object.entries(addressFields)) {
    if (lower.startsWith(prefix))
      return containing(cleanText(term.slice(prefix.length)), (text) => (entry) => of(entry).includes(text));
  }
  if (lower.startsWith("addressed:"))
    return containing(
      cleanText(term.slice(10)),
      (text) => (entry) =>
        [entry.to, entry.from, entry.cc, entry.bcc, entry.replyTo].some((field) => field.includes(text)),
    );
  if (lower.startsWith("subject:"))
    return containing(lower.slice(8), (text) => (entry) => entry.subject.includes(text));
  if (lower.startsWith("tag:"))
    return containing(
      cleanText(term.slice(4)),
      (text) =>
        ({ id }) =>
          marks.tags(id).some((tag) => tag.toLowerCase() === text),
    );
  return stateTerm(lower, marks) ?? measureTerm(lower, timeZone);
}

function containing(text: string, test: (text: string) => Test): Test | "ignored" {
  return text === "" ? "ignored" : test(text);
}

function stateTerm(term: string, marks: Marks): Test | undefined {
  switch (term) {
    case "is:read":
      return ({ id }) => marks.read(id);
    case "is:unread":
      return ({ id }) => !marks.read(id);
    case "is:tagged":
      return ({ id }) => marks.tags(id).length > 0;
    case "has:inline":
    case "has:inlines":
      return (entry) => entry.inline > 0;
    case "has:attachment":
    case "has:attachments":
      return (entry) => entry.attachments > 0;
    default:
      return undefined;
  }
}

function measureTerm(term: string, timeZone: string | undefined): Test | "ignored" | undefined {
  const [, kind, value = ""] = /^(after|before|larger|smaller):(.*)$/.exec(term) ?? [];
  if (kind === "after" || kind === "before") {
    const at = instantOf(value, timeZone);
    if (at === undefined) return "ignored";
    return kind === "after" ? (entry) => entry.receivedAt >= at : (entry) => entry.receivedAt <= at;
  }
  const size = kind === undefined ? 0 : bytesOf(value);
  if (size <= 0) return undefined; // then it is a plain word, as in Mailpit
  return kind === "larger" ? (entry) => entry.size > size : (entry) => entry.size < size;
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
