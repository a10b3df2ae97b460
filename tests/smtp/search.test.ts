import BetterSqlite from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Instant } from "../../emulators/kernel/clock.ts";
import { findable } from "../../emulators/smtp/domain/findable.ts";
import { cleanText } from "../../emulators/smtp/domain/gist.ts";
import { textWithAddresses } from "../../emulators/smtp/domain/html-text.ts";
import { fieldOf, type Mail } from "../../emulators/smtp/domain/mail.ts";
import { bytesOf, instantOf, parseQuery, wordsOf } from "../../emulators/smtp/domain/mailpit-query.ts";
import { parseMail, shown } from "../../emulators/smtp/domain/parse-mail.ts";
import { createSearchIndex } from "../../emulators/smtp/domain/search-index.ts";
import { Dialogue } from "../../emulators/smtp/domain/transcript.ts";
import { sortedWords, sortedWordsWith } from "../../emulators/smtp/domain/word-list.ts";
import { addText, createWordStream } from "../../emulators/smtp/domain/word-stream.ts";
import { openState } from "../../emulators/smtp/state.ts";
import { tables } from "../../emulators/smtp/tables.ts";

const mailFrom = "sender@example.com";
const envelope = {
  mailFrom,
  parameters: undefined,
  recipients: ["bob@example.org", "eve@example.net"].map((address) => ({ address, parameters: undefined })),
  helo: "x",
  mechanism: undefined,
  username: undefined,
  secure: false,
  truncated: false,
  inbox: undefined,
};

function mailbox() {
  const db = new BetterSqlite(":memory:");
  db.exec(tables);
  const state = openState(db);
  let count = 0;
  return {
    ...state,
    put(raw: Buffer, receivedAt = count): string {
      const id = `m${count}`;
      count += 1;
      state.add({
        ...envelope,
        id,
        receivedAt: receivedAt as Instant,
        remote: "127.0.0.1",
        transcript: new Dialogue(""),
        content: { raw, size: raw.length, sha256: "", spool: undefined },
        tags: [],
      });
      state.searcher.came();
      return id;
    },
  };
}

test("quotes make one word, also after a prefix", () => {
  expect(wordsOf('a "b c" subject:"d e" -"f g" "open')).toEqual(["a", "b c", "subject:d e", "-f g", "open"]);
});

test.each([
  ["2048", 2048],
  ["2k", 2048],
  ["1.5mb", 1_572_864],
  ["x", 0],
  ["3gb", 0],
])("%s is %i bytes", (text, bytes) => expect(bytesOf(text)).toBe(bytes));

test.each([
  ["2025-01-15", undefined, "2025-01-15T00:00:00Z"],
  ["2025-01-15", "America/New_York", "2025-01-15T05:00:00Z"],
  ["2025/07/01 12:30", "Europe/Berlin", "2025-07-01T10:30:00Z"],
  ["2025-01-15t10:00:00z", "Europe/Berlin", "2025-01-15T10:00:00Z"],
  ["2025-01-15", "Nowhere/Land", "2025-01-15T00:00:00Z"],
])("%s in %s is %s", (text, zone, iso) => expect(instantOf(text, zone)).toBe(Date.parse(iso)));

/** Few letters and all kinds of gaps, so that a generated text often is in a generated mail. */
const letters = ["a", "b", "A", "B", "ab", "É", "é", "日", "İ", "σ", "-", "@", "=", "7"];
const gaps = [" ", " ", " ", "  ", ", ", "\t", "(", "<", "\u00a0", "; "];
const textFrom = (parts: readonly string[], maxLength: number) =>
  fc.array(fc.constantFrom(...parts), { maxLength }).map((chosen) => chosen.join(""));
const line = textFrom([...letters, ...letters, ...gaps], 14);
const lines = fc.array(line, { maxLength: 4 }).map((texts) => texts.join("\r\n"));
const wanted = textFrom([...letters, ...letters, ...gaps, "\r\n"], 5);

const kinds: readonly ((body: string) => string)[] = [
  (body) => `\r\n${body}\r\n`,
  (body) => `Content-Type: text/plain; charset=utf-8\r\n\r\n${body}`,
  (body) => `Content-Type: text/html; charset=utf-8\r\n\r\n<p>${body.replaceAll("<", "&lt;")}</p>\r\n`,
  (body) => `Content-Transfer-Encoding: base64\r\n\r\n${base64(body.repeat(9))}\r\n`,
  (body) =>
    'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n' +
    `\r\n${body}\r\n--x\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="a b.txt"\r\n` +
    `Content-Transfer-Encoding: base64\r\n\r\n${base64(body.repeat(9))}\r\n--x--\r\n`,
];
const base64 = (text: string) => Buffer.from(text).toString("base64").replaceAll(/.{76}/g, "$&\r\n");
const anyMail = fc
  .tuple(line, line, lines, fc.constantFrom(...kinds))
  .map(([subject, name, body, kind]) =>
    Buffer.from(
      `From: "${name.replaceAll(/[<(]/g, "")}" <ann@example.com>\r\nTo: bob@example.org\r\nSubject: ${subject}\r\n${kind(body)}`,
    ),
  );

/** Mailpit's search text, as one string. */
function searchText(mail: Mail): string {
  const fields = ["from", "subject", "to", "cc", "bcc", "reply-to"].map((name) => shown(fieldOf(mail, name)));
  const names = mail.parts.filter(({ kind }) => kind === "attachment").map((part) => part.filename);
  const body = mail.html === "" ? mail.text : textWithAddresses(mail.html);
  return cleanText([...fields, mailFrom, body, ...names].join(" "));
}

/** What MailHog looks at: the values of the header one by one, and the body, undecoded. */
function sentTexts(raw: Buffer): readonly string[] {
  const [header = "", ...rest] = raw.toString("utf8").toLowerCase().split("\r\n\r\n");
  return [...header.split("\r\n").map((line) => line.slice(line.indexOf(": ") + 2)), rest.join("\r\n\r\n")];
}

function parted<T extends { readonly id: string }>(mails: readonly T[], test: (mail: T) => boolean) {
  const ids = (wanted: boolean) => mails.filter((mail) => test(mail) === wanted).map(({ id }) => id);
  return [ids(true), ids(false)] as const;
}

/** The same messages in an index with small segments, and as texts, newest first. */
async function indexed(raws: readonly Buffer[]) {
  const index = createSearchIndex(5);
  const mails: { readonly id: string; readonly raw: Buffer; readonly mail: Mail; readonly text: string }[] = [];
  for (const [n, raw] of raws.entries()) {
    const mail = await parseMail(raw);
    const { entry, text } = findable(
      { ...envelope, id: `m${n}`, arrival: n, receivedAt: n as Instant, size: raw.length, raw },
      mail,
    );
    index.add(entry, text);
    mails.unshift({ id: `m${n}`, raw, mail, text: searchText(mail) });
  }
  const found = (query: string) => Array.from(index.find(parseQuery(query, noMarks, undefined)), ({ id }) => id);
  return { index, mails, found };
}
const noMarks = { readMarks: () => ({ ids: new Set<string>() }), tagged: () => new Map<string, readonly string[]>() };

describe("what is found is what a scan finds", () => {
  const mails = fc.array(anyMail, { minLength: 1, maxLength: 12 });
  const texts = fc.array(wanted, { minLength: 8, maxLength: 8 });

  test("Mailpit's words and phrases and what has none of them, over word ends, in any case and script", async () => {
    await fc.assert(
      fc.asyncProperty(mails, texts, async (raws, queries) => {
        const { mails, found } = await indexed(raws);
        for (const text of queries.filter((query) => /[\p{L}\p{N}]/u.test(query) && !/^\s*[-!]/.test(query))) {
          const [has, others] = parted(mails, (mail) => mail.text.includes(cleanText(text)));
          expect(found(`"${text}"`), text).toEqual(has);
          expect(found(`-"${text}"`), text).toEqual(others);
        }
      }),
    );
  });

  test("Mailpit's fields", async () => {
    await fc.assert(
      fc.asyncProperty(mails, texts, async (raws, queries) => {
        const { mails, found } = await indexed(raws);
        for (const text of queries.filter((query) => /[\p{L}\p{N}]/u.test(query))) {
          const subject = (mail: Mail) => mail.subject.toLowerCase().includes(text.trim().toLowerCase());
          const [has, others] = parted(mails, ({ mail }) => subject(mail));
          expect(found(`subject:"${text.trim()}"`), text).toEqual(has);
          expect(found(`-subject:"${text.trim()}"`), text).toEqual(others);
          const name = ({ from }: Mail) => `${from?.name} ${from?.address}`.toLowerCase().includes(cleanText(text));
          expect(found(`from:"${text}"`), text).toEqual(parted(mails, ({ mail }) => name(mail))[0]);
        }
      }),
    );
  });

  test("MailHog's undecoded bodies and values of the header", async () => {
    await fc.assert(
      fc.asyncProperty(mails, texts, async (raws, queries) => {
        const box = mailbox();
        const known = raws.map((raw) => ({ id: box.put(raw), raw })).reverse();
        for (const text of queries.filter((query) => query !== "")) {
          const [has] = parted(known, ({ raw }) => sentTexts(raw).some((one) => one.includes(text.toLowerCase())));
          expect(
            (await box.searcher.containing(text)).slice(0, 99).map(({ id }) => id),
            JSON.stringify(text),
          ).toEqual(has);
        }
      }),
    );
  });

  test("what stands between words counts for MailHog and not for Mailpit", async () => {
    const box = mailbox();
    const bodies = [
      "one two",
      "one  two",
      "one\r\ntwo",
      "one, two",
      "one\u00a0two",
      "onetwo",
      "a one two b",
      "one two one",
    ];
    const known = bodies.map((body) => ({ id: box.put(Buffer.from(`\r\n\r\n${body}\r\n`)), body })).reverse();
    for (const text of ["one two", "one  two", "e\r\nt", "one, two", "one\u00a0two", " one two ", "two one", "two\r\n"])
      expect(
        (await box.searcher.containing(text)).slice(0, 99).map(({ id }) => id),
        JSON.stringify(text),
      ).toEqual(parted(known, ({ body }) => `${body}\r\n`.includes(text))[0]);
    expect(await box.searcher.search('"one two"', undefined)).toHaveLength(bodies.length - 1);
  });

  test("words by their beginning, their end and their middle", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "\xff"), minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(fc.uniqueArray(word, { maxLength: 40 }), word, (words, part) => {
        const stream = createWordStream();
        addText(stream, Buffer.from(words.join(" "), "latin1"));
        const list = sortedWords(stream);
        const found = (pattern: string) => [...sortedWordsWith(list, pattern)].sort((a, b) => a - b);
        const having = (test: (word: string) => boolean) => words.flatMap((one, at) => (test(one) ? [at] : []));
        expect(found(part)).toEqual(having((one) => one.includes(part)));
        expect(found(`\n${part}`)).toEqual(having((one) => one.startsWith(part)));
        expect(found(`${part}\n`)).toEqual(having((one) => one.endsWith(part)));
        expect(found(`\n${part}\n`)).toEqual(having((one) => one === part));
      }),
    );
  });

  test("whatever comes and goes", async () => {
    const { index, mails, found } = await indexed(
      Array.from({ length: 40 }, (_, n) => Buffer.from(`Subject: ${n % 3 === 0 ? "fizz" : "buzz"} ${n}\r\n\r\nx\r\n`)),
    );
    const gone = mails.filter((_, at) => at < 8 || at % 2 === 0);
    for (const { id } of gone) index.remove(id);
    const [expected] = parted(mails, (mail) => mail.text.includes("fizz") && !gone.includes(mail));
    expect(found("fizz")).toEqual(expected);
    expect(index.size).toBe(mails.length - gone.length);
    expect(index.gone).toBeLessThan(gone.length); // segments without any message are dropped
  });
});

/** What a message is found by here: words and a field that others have too, its time and its mark. */
interface Simple {
  readonly id: string;
  readonly word: string;
  readonly subject: string;
  readonly receivedAt: number;
}

test("pages, counts, order and marks are those of a plain list, while messages come, go and are read", async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        tag: fc.constant("add" as const),
        word: fc.constantFrom("fizz", "buzz"),
        subject: fc.constantFrom("", "a", "ab", "bab"),
        late: fc.constantFrom(0, 0, 0, 0, 9),
      }),
    },
    { weight: 1, arbitrary: fc.record({ tag: fc.constant("remove" as const), which: fc.nat(40) }) },
    { weight: 2, arbitrary: fc.record({ tag: fc.constant("mark" as const), which: fc.nat(40) }) },
    { weight: 2, arbitrary: fc.record({ tag: fc.constant("look" as const), start: fc.nat(9), limit: fc.nat(9) }) },
  );
  const mail = await parseMail(Buffer.from("\r\n\r\nx\r\n"));
  const queries: readonly (readonly [query: string, test: (one: Simple, read: boolean) => boolean])[] = [
    ["", () => true],
    ["fizz", ({ word }) => word === "fizz"],
    ["-subject:a", ({ subject }) => !subject.includes("a")],
    ["subject:ab -fizz", ({ subject, word }) => subject.includes("ab") && word !== "fizz"],
    ["is:read", (_, read) => read],
    ["-is:unread", (_, read) => read],
    ["is:unread subject:b", ({ subject }, read) => !read && subject.includes("b")],
    ["-tag:Red", (_, read) => !read],
    ["is:tagged buzz", ({ word }, read) => read && word === "buzz"],
  ];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const index = createSearchIndex(5);
      const known: Simple[] = [];
      const ids = new Set<string>();
      let version = 0;
      const marks = {
        readMarks: () => ({ ids, version }),
        tagged: () => new Map(Array.from(ids, (id) => [id, ["red"]])),
      };
      for (const [n, step] of [...steps, { tag: "look" as const, start: 0, limit: 99 }].entries()) {
        switch (step.tag) {
          case "add": {
            const { word, subject } = step;
            const one: Simple = { id: `m${n}`, word, subject, receivedAt: n - step.late };
            const message = { ...envelope, ...one, arrival: n, size: 9, raw: Buffer.alloc(0) };
            const { entry, text } = findable({ ...message, receivedAt: one.receivedAt as Instant }, mail);
            index.add(entry, { ...text, body: Buffer.from(word), fields: { ...text.fields, subject } });
            known.push(one);
            break;
          }
          case "remove":
            for (const { id } of known.splice(step.which, 1)) index.remove(id);
            break;
          case "mark": {
            const id = known[step.which]?.id ?? `m${n + 2}`; // or one that may come soon
            if (!ids.delete(id)) ids.add(id);
            version += 1;
            break;
          }
          case "look":
            for (const [query, test] of queries) {
              const found = index.find(parseQuery(query, marks, undefined));
              const arrived = known.filter((one) => test(one, ids.has(one.id)));
              const listed = arrived.toReversed().sort((left, right) => right.receivedAt - left.receivedAt);
              const idsOf = (some: Iterable<{ readonly id: string }>) => Array.from(some, ({ id }) => id);
              const end = step.start + step.limit;
              expect(found.length, query).toBe(listed.length);
              expect(idsOf(found), query).toEqual(idsOf(listed));
              expect(idsOf(found.slice(step.start, end)), query).toEqual(idsOf(listed.slice(step.start, end)));
              expect(idsOf(found.oldestFirst()), query).toEqual(idsOf(arrived));
              const unread = found.and({ tag: "marked", ids, version, negated: true });
              expect(idsOf(unread), query).toEqual(idsOf(listed.filter(({ id }) => !ids.has(id))));
            }
        }
      }
    }),
  );
});

describe("the searcher", () => {
  const simple = (subject: string) => Buffer.from(`Subject: ${subject}\r\n\r\nbody\r\n`);

  test("orders by time of receipt when mail came out of order", async () => {
    const box = mailbox();
    for (const receivedAt of [50, 10, 90]) box.put(simple("x"), receivedAt);
    expect(Array.from(await box.searcher.search("body", undefined), ({ receivedAt }) => receivedAt)).toEqual([
      90, 50, 10,
    ]);
  });

  test("finds what is left when most of a mailbox is gone, and what came after that", async () => {
    const box = mailbox();
    const ids = Array.from({ length: 2_500 }, (_, n) => box.put(simple(`n ${n}`)));
    expect(await box.searcher.search("body", undefined)).toHaveLength(2_500);
    for (const id of ids.slice(0, 2_400)) {
      box.remove(id);
      box.searcher.gone(id);
    }
    box.put(simple("late"));
    expect(await box.searcher.search("body", undefined)).toHaveLength(101);
    expect(Array.from(await box.searcher.search("late", undefined), ({ id }) => id)).toEqual(["m2500"]);
  });

  test("a message that goes while it is read is not found", async () => {
    const box = mailbox();
    const id = box.put(simple("short-lived"));
    const search = box.searcher.search("body", undefined);
    box.remove(id);
    box.searcher.gone(id);
    expect(await search).toHaveLength(0);
  });
});
