import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { createClock } from "../../emulators/kernel/clock.ts";
import { createHistory } from "../../emulators/kernel/health.ts";
import { createJournal, type Journal, type JournalLimits } from "../../emulators/kernel/journal.ts";
import { openJournalFile } from "../../emulators/kernel/journal-file.ts";
import { entryText, showEntry } from "../../emulators/kernel/journal-view.ts";
import { startExample } from "../support/example.ts";

const clock = createClock({ mode: "frozen", at: 0 }, 1);
const roomy: JournalLimits = { size: 10_000, bytes: 64 * 2 ** 20 };
const turn = () => new Promise((resolve) => setImmediate(resolve));

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "backlot-journal-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function durable(at: string, limits = roomy, failures: unknown[] = []): Journal {
  const spool = openJournalFile({
    folder: at,
    emulator: "notes",
    limits,
    epoch: "e1",
    onFailure: (cause) => failures.push(cause),
  });
  return createJournal("notes", clock, limits, spool);
}

test("bodies are kept to 64 KiB, whole characters, and their full length is told", () => {
  const journal = createJournal("notes", clock, roomy);
  const long = "é".repeat(50_000);
  journal.append("request", "r", {
    requestBody: Buffer.from(`x${long}`),
    responseBody: `x${long}`,
    responseHeaders: {},
  });
  const [entry] = journal.read({});
  if (!entry) throw new Error("no entry");
  const shown = showEntry(entry);
  expect(shown).toMatchObject({ requestBodyBytes: 100_001, responseBodyBytes: 100_001 });
  for (const name of ["requestBody", "responseBody"]) {
    const text = shown[name] as string;
    expect(Buffer.byteLength(text)).toBeGreaterThan(65_530);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536);
    expect(text).toMatch(/^xé+$/);
  }
});

test("what is not text is shown as base64", () => {
  const journal = createJournal("notes", clock, roomy);
  const entry = journal.append("request", "r", { requestBody: Buffer.from([0xff, 0xfe, 0]), responseBody: "" });
  expect(showEntry(entry)).toEqual({
    sequence: 1,
    kind: "request",
    at: "1970-01-01T00:00:00.000Z",
    emulator: "notes",
    subject: "r",
    requestBodyBase64: "//4A",
  });
});

test("a few bytes do not keep a large buffer alive", () => {
  const journal = createJournal("notes", clock, roomy);
  const large = Buffer.alloc(10 * 2 ** 20, "a");
  const { data } = journal.append("request", undefined, { requestBody: large.subarray(5, 15) });
  const kept = data.requestBody;
  expect(kept).toEqual(Buffer.from("aaaaaaaaaa"));
  expect(kept instanceof Uint8Array ? kept.buffer.byteLength : 0).toBeLessThan(100);
});

test("the journal holds no more than its bytes and its entries, and counts what it drops", () => {
  const journal = createJournal("notes", clock, { size: 1_000, bytes: 100_000 });
  for (let n = 0; n < 100; n += 1) journal.append("change", undefined, { text: "x".repeat(9_000) });
  expect(journal.read({}).length).toBe(10);
  expect(journal.dropped).toBe(90);
  expect(journal.at(1)).toBeUndefined();
  expect(journal.at(100)?.sequence).toBe(100);
  journal.append("change", undefined, { texts: Array.from({ length: 20 }, () => "x".repeat(60_000)) });
  expect(journal.read({}).map(({ sequence }) => sequence)).toEqual([101]);
});

test("entries read are always the newest, in order, whatever the sizes", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 300, max: 20_000 }),
      fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 120 }),
      (size, bytes, lengths) => {
        const journal = createJournal("notes", clock, { size, bytes });
        for (const length of lengths) journal.append("change", undefined, { text: "x".repeat(length) });
        const kept = journal.read({}).map(({ sequence }) => sequence);
        expect(kept).toEqual(Array.from({ length: kept.length }, (_, n) => lengths.length - kept.length + n + 1));
        expect(kept.length + journal.dropped).toBe(lengths.length);
        expect(kept.length).toBeLessThanOrEqual(size);
        expect(kept.length > 0).toBe(lengths.length > 0);
      },
    ),
  );
});

test("a value that JSON cannot hold costs only its own entry", () => {
  const journal = createJournal("notes", clock, roomy);
  expect(entryText(journal.append("change", "x", { n: 1n }))).toContain("unreadable");
});

test("what an emulator notes cannot pass for the entry's own fields", () => {
  const journal = createJournal("notes", clock, roomy);
  expect(showEntry(journal.append("change", "x", { sequence: 99, kind: "fault" }))).toMatchObject({
    sequence: 1,
    kind: "change",
  });
});

test("on disk: numbers and entries go on, shown the same, without credentials", async () => {
  const at = folder();
  const first = durable(at);
  first.append("request", "r1", {
    method: "POST",
    requestHeaders: { authorization: "Basic QUMxOnRvcHNlY3JldA==", accept: "*/*" },
    requestBody: Buffer.from([0xff, 1]),
    responseBody: '{"a":"b\\n"}',
  });
  first.append("change", undefined, { list: [1, "zwei", null] });
  const shown = first.read({}).map(showEntry);
  expect(first.settled).toBe(0);
  await turn();
  expect(first.settled).toBe(2);
  first.close();
  const text = readFileSync(join(at, "notes.journal.jsonl"), "utf8");
  expect(text).not.toContain("QUMxOnRvcHNlY3JldA");
  expect(text).not.toContain("topsecret");
  const second = durable(at);
  expect([second.last, second.settled, second.epoch]).toEqual([2, 2, first.epoch]);
  second.append("change", undefined, { n: 3 });
  expect(second.read({ limit: 2 }).map(showEntry)).toEqual(shown);
  expect(second.read({ since: 2 }).map(({ sequence }) => sequence)).toEqual([3]);
  second.close();
});

test("on disk: two generations, bounded, and no number twice", async () => {
  const at = folder();
  const limits = { size: 50, bytes: 2 ** 20 };
  for (let run = 0; run < 5; run += 1) {
    const journal = durable(at, limits);
    expect(journal.last).toBe(run * 70);
    for (let n = 0; n < 70; n += 1) {
      journal.append("change", undefined, { run, n });
      if (n % 7 === 0) await turn();
    }
    journal.close();
  }
  const last = durable(at, limits);
  expect(last.read({}).map(({ sequence }) => sequence)).toEqual(Array.from({ length: 50 }, (_, n) => 301 + n));
  last.close();
  const bytes =
    statSync(join(at, "notes.journal.jsonl")).size + statSync(join(at, "notes.journal.previous.jsonl")).size;
  expect(bytes).toBeLessThan(150 * 200);
});

test("on disk: what a killed process left half-written is cut off", async () => {
  const at = folder();
  const path = join(at, "notes.journal.jsonl");
  const first = durable(at);
  for (let n = 0; n < 3; n += 1) first.append("change", undefined, { text: "x".repeat(70_000 * n) });
  first.close();
  appendFileSync(path, '{"sequence":4,"wallAt":1,"entry":{"sequ');
  const second = durable(at);
  expect(second.last).toBe(3);
  second.append("change", "four", {});
  second.close();
  const third = durable(at);
  expect(third.read({}).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  third.close();
  writeFileSync(path, "");
  const fourth = durable(at);
  expect(fourth.last).toBe(0);
  fourth.close();
});

test("on disk: a reset forgets the entries and keeps the count", async () => {
  const at = folder();
  const first = durable(at);
  first.append("change", undefined, {});
  await turn();
  first.clear();
  first.append("change", undefined, {});
  first.close();
  expect(existsSync(join(at, "notes.journal.previous.jsonl"))).toBe(false);
  const second = durable(at);
  expect(second.read({}).map(({ sequence }) => sequence)).toEqual([2]);
  second.close();
});

const HarHeader = z.object({ name: z.string(), value: z.string() });
/** Every required field of HAR 1.2. */
const Har = z.object({
  log: z.object({
    version: z.literal("1.2"),
    creator: z.object({ name: z.string(), version: z.string() }),
    entries: z.array(
      z.object({
        startedDateTime: z.iso.datetime(),
        time: z.number().min(0),
        request: z.object({
          method: z.string(),
          url: z.url(),
          httpVersion: z.string(),
          cookies: z.array(z.unknown()),
          headers: z.array(HarHeader),
          queryString: z.array(HarHeader),
          postData: z.object({ mimeType: z.string(), text: z.string(), params: z.array(z.unknown()) }).optional(),
          headersSize: z.number(),
          bodySize: z.number(),
        }),
        response: z.object({
          status: z.number(),
          statusText: z.string(),
          httpVersion: z.string(),
          cookies: z.array(z.unknown()),
          headers: z.array(HarHeader),
          content: z.object({
            size: z.number(),
            mimeType: z.string(),
            text: z.string().optional(),
            encoding: z.string().optional(),
          }),
          redirectURL: z.string(),
          headersSize: z.number(),
          bodySize: z.number(),
        }),
        cache: z.object({}),
        timings: z.object({ send: z.number(), wait: z.number(), receive: z.number() }),
      }),
    ),
  }),
});

test("journal.har is a valid archive of the requests, filtered like the journal", async () => {
  const { call, url, note } = await startExample();
  await note("in the archive");
  await call("GET", "/count?a=1&b=x%20y", undefined, { authorization: "Basic QUMxOnRva2Vu" });
  await call("POST", "/_backlot/clock/advance", { seconds: 60 });
  const { body, headers } = await call("GET", "/_backlot/journal.har");
  expect(headers.get("content-type")).toBe("application/har+json");
  const { log } = Har.parse(body);
  expect(log.entries.map(({ request }) => `${request.method} ${request.url}`)).toEqual([
    `POST ${url}/notes`,
    `GET ${url}/count?a=1&b=x%20y`,
  ]);
  expect(log.entries[0]?.request.postData?.text).toBe('{"text":"in the archive"}');
  expect(log.entries[0]?.response).toMatchObject({
    status: 201,
    statusText: "Created",
    content: { mimeType: "application/json" },
  });
  expect(log.entries[1]?.request.queryString).toEqual([
    { name: "a", value: "1" },
    { name: "b", value: "x y" },
  ]);
  expect(JSON.stringify(body)).not.toContain("QUMxOnRva2Vu");
  const filtered = Har.parse((await call("GET", "/_backlot/journal.har?q=archive")).body);
  expect(filtered.log.entries).toHaveLength(1);
});

test("the journal is filtered by kinds, subject and text, and goes on by since", async () => {
  const { call, note } = await startExample();
  await note("needle in a haystack");
  await call("GET", "/count");
  await call("POST", "/_backlot/clock", { mode: "frozen" });
  const read = async (query: string) =>
    (
      (await call("GET", `/_backlot/journal?${query}`)).body as {
        entries: { sequence: number; kind: string; subject?: string }[];
      }
    ).entries;
  const all = await read("");
  expect(await read("kind=control")).toHaveLength(1);
  expect(await read("kind=request,control")).toHaveLength(3);
  expect(await read(`subject=${all[0]?.subject}`)).toEqual([all[0]]);
  expect((await read("q=NEEDLE%20IN")).map(({ sequence }) => sequence)).toEqual([1]);
  expect((await read("since=1&limit=1")).map(({ sequence }) => sequence)).toEqual([2]);
  expect(await read("operation=none")).toEqual([]);
  expect((await call("GET", "/_backlot/journal?kind=request,nope")).status).toBe(400);
});

test("health tells how each check has been", async () => {
  const { call } = await startExample();
  await call("GET", "/_backlot/health");
  const { body } = await call("GET", "/_backlot/health");
  expect(body).toMatchObject({
    checks: { store: { status: "healthy", successes: 2, failures: 0, uptime_24h: 100, avg_ms: expect.any(Number) } },
  });
  const { checks } = body as { checks: { store: { last_run: string } } };
  expect(Math.abs(Date.parse(checks.store.last_run) - Date.now())).toBeLessThan(5_000);
});

test("uptime is the mean over the minutes of the last day that were observed", () => {
  const minute = 60_000;
  const history = createHistory();
  const start = 1_800_000_000_000 - (1_800_000_000_000 % minute);
  for (let n = 0; n < 100; n += 1) history.record(start, false, 2); // many failures in one minute weigh one minute
  for (let n = 1; n < 4; n += 1) history.record(start + n * minute, true, 2);
  expect(history.show(start + 4 * minute)).toMatchObject({ successes: 3, failures: 100, avg_ms: 2, uptime_24h: 75 });
  history.record(start + 1_440 * minute, true, 2);
  expect(history.show(start + 1_440 * minute).uptime_24h).toBe(100);
});

test("while it is held no entry of the kinds asked for is forgotten, whatever the memory's bounds", () => {
  const journal = createJournal("notes", clock, { size: 20, bytes: 1_000_000 });
  for (let n = 0; n < 30; n += 1) journal.append("request", `before-${n}`, {});
  const hold = journal.hold(["request"]);
  expect(hold.since).toBe(30);
  for (let n = 0; n < 2_000; n += 1) {
    journal.append("request", `r-${n}`, { n, requestBody: Buffer.from([0xff, n & 255]), text: "x".repeat(200) });
    journal.append("change", `c-${n}`, {});
  }
  const matches = ({ kind }: { kind: string }) => kind === "request";
  const found: string[] = [];
  for (let since = hold.since; ; ) {
    const page = journal.read({ since, limit: 37, matches });
    found.push(...page.map(({ subject }) => subject ?? ""));
    const last = page.at(-1);
    if (!last) break;
    since = last.sequence;
  }
  expect(found).toEqual(Array.from({ length: 2_000 }, (_, n) => `r-${n}`));
  const [early] = journal.read({ since: hold.since, limit: 1 });
  if (!early) throw new Error("no entry");
  expect(showEntry(early)).toMatchObject({ subject: "r-0", n: 0, requestBodyBase64: "/wA=" });
  expect(journal).toMatchObject({ lost: 0, dropped: 4_010 });

  journal.clear();
  expect(journal.lost).toBe(2_000);
  hold.release();
  expect(journal.lost).toBe(0);
  for (let n = 0; n < 30; n += 1) journal.append("request", `after-${n}`, {});
  expect(journal.read({})).toHaveLength(20);
});
