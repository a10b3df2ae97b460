import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOf, instantOf, parseQuery, wordsOf } from "../../emulators/smtp/domain/mailpit-query.ts";
import { createSearchIndex, type Entry } from "../../emulators/smtp/domain/search-index.ts";

const entry = (n: number, text: string, more: Partial<Entry> = {}): Entry => ({
  id: `m${n}`,
  arrival: n,
  receivedAt: n,
  size: 100,
  attachments: 0,
  inline: 0,
  from: "",
  to: "",
  cc: "",
  bcc: "",
  replyTo: "",
  sentTo: "",
  sentFrom: "",
  subject: "",
  messageId: "",
  text,
  bodyAt: undefined,
  values: "",
  ...more,
});
const marks = { read: () => false, tags: () => [] };

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

describe("the index", () => {
  test("finds what a scan finds, newest first, whatever comes and goes", () => {
    const word = fc.stringMatching(/^[a-d ]{0,12}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(word, fc.boolean()), { maxLength: 300 }), word, (texts, wanted) => {
        const index = createSearchIndex();
        texts.forEach(([text], n) => {
          index.add(entry(n, text), text);
        });
        texts.forEach(([, gone], n) => {
          if (gone) index.remove(`m${n}`);
        });
        const expected = texts
          .flatMap(([text, gone], n) => (!gone && text.includes(wanted) ? [`m${n}`] : []))
          .reverse();
        expect(index.find(({ text }) => text.includes(wanted), [wanted]).map(({ id }) => id)).toEqual(expected);
        expect(index.size).toBe(texts.filter(([, gone]) => !gone).length);
      }),
    );
  });

  test("orders by time of receipt when mail came out of order", () => {
    const index = createSearchIndex();
    for (const [n, receivedAt] of [
      [1, 50],
      [2, 10],
      [3, 90],
    ] as const)
      index.add(entry(n, "x", { receivedAt }), "x");
    expect(index.find(() => true, []).map(({ id }) => id)).toEqual(["m3", "m1", "m2"]);
  });

  test("a query's needles never hide a match", () => {
    const index = createSearchIndex();
    index.add(
      entry(1, "ann a ann@example.com your receipt total", { from: "ann a ann@example.com", subject: "your receipt" }),
      "",
    );
    for (const query of ["receipt", "from:ann@example", "subject:rece total", "-nothing receipt", "ceip"])
      expect(
        index.find(parseQuery(query, marks, undefined).test, parseQuery(query, marks, undefined).needles),
        query,
      ).toHaveLength(1);
    expect(index.find(parseQuery("-receipt", marks, undefined).test, [])).toEqual([]);
  });
});
