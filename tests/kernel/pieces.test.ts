/** A body in several pieces reaches everybody as one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { answer, type Exchange } from "../../emulators/kernel/exchange.ts";
import { RequestExchange, responseOf } from "../../emulators/kernel/exchange-fetch.ts";
import { etagOf, withEtag } from "../../emulators/kernel/http/etag.ts";
import { showEntry } from "../../emulators/kernel/journal-view.ts";
import { bounded, keptBytes, weigh } from "../../emulators/kernel/journal-weight.ts";
import { createScratch, Pieces } from "../../emulators/kernel/pieces.ts";

const pieces = (...texts: readonly string[]) => new Pieces(texts.map((text) => Buffer.from(text)));

test("copied or whole, it is what its pieces are", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (parts) => {
      const body = new Pieces(parts);
      const target = Buffer.alloc(body.byteLength);
      body.copyTo(target);
      expect(target).toEqual(Buffer.concat(parts));
      expect(body.whole()).toEqual(target);
    }),
  );
});

function exchange(): Exchange {
  return new RequestExchange(new Request("http://localhost/list"), "1", 0);
}

test("a caller in process, an ETag and the journal see one body", async () => {
  const asked = exchange();
  answer(asked, 200, pieces("[1, ", "2]"), { "content-type": "application/json" });
  expect(await responseOf(asked.answered).text()).toBe("[1, 2]");
  withEtag(asked, {} as Response);
  expect(asked.answered?.headers.etag).toBe(etagOf("[1, 2]"));
  const data = { responseBody: pieces("[1, ", "2]") };
  const entry = { sequence: 1, kind: "request", at: 0, wallAt: 0, emulator: "x", data } as const;
  expect(showEntry(entry)).toMatchObject({ responseBody: "[1, 2]" });
  expect(weigh(data)).toBe(weigh({ responseBody: Buffer.alloc(6) }));
});

test("the journal keeps as much of a long one as of any other", () => {
  const long = pieces("a".repeat(keptBytes - 1), "b".repeat(100));
  expect(weigh({ responseBody: long })).toBeLessThan(0);
  const kept = bounded({ responseBody: long });
  expect(kept).toEqual(bounded({ responseBody: long.whole() }));
  expect(kept.responseBodyBytes).toBe(keptBytes + 99);
});

test("scratch memory is used again, and what does not fit gets memory of its own", () => {
  const scratch = createScratch();
  const first = scratch.take(10);
  expect(first && scratch.take(10)).not.toBe(first);
  if (first) scratch.giveBack(first);
  expect(scratch.take(65_536)).toBe(first);
  expect(scratch.take(65_537)).toBeUndefined();
});
