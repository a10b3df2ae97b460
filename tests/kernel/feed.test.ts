import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import WebSocket from "ws";
import { createClock } from "../../emulators/kernel/clock.ts";
import { createFeed, type FeedFrame, type FeedReader } from "../../emulators/kernel/feed.ts";
import { createJournal } from "../../emulators/kernel/journal.ts";
import { startExample } from "../support/example.ts";
import { type Seen, watch } from "../support/viewer.ts";

const clock = createClock({ mode: "frozen", at: 0 }, 1);
const journalOf = (size: number) => createJournal("notes", clock, { size, bytes: 64 * 2 ** 20 });
const sequences = (seen: readonly Seen[]) =>
  seen.flatMap(({ data }) => (data.sequence === undefined ? [] : [data.sequence]));

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "backlot-feed-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function opened(reader: FeedReader | undefined): Promise<FeedReader> {
  if (!reader) throw new Error("no reader");
  onTestFinished(() => reader.close());
  return reader;
}

const shown = (frames: readonly FeedFrame[] | undefined) =>
  frames?.map(({ event, data }) => [event, data === undefined ? undefined : JSON.parse(data)]);

// Another worker of the test run may have the core just then.
test("a request reaches a second viewer within 100 ms, as the journal shows it", { retry: 2 }, async () => {
  const { url, call } = await startExample();
  const viewers = [await watch(`${url}/_backlot/events`), await watch(`${url}/_backlot/events?kind=request`)];
  expect(viewers[0]?.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
  await Promise.all(viewers.map((viewer) => vi.waitFor(() => expect(viewer.lastId).toMatch(/^0@/))));
  const started = performance.now();
  await call("GET", "/count");
  await viewers[1]?.until((seen) => seen.length === 1, 100);
  expect(performance.now() - started).toBeLessThan(100);
  const { entries } = (await call("GET", "/_backlot/journal")).body as { entries: unknown[] };
  expect(viewers[1]?.seen[0]).toMatchObject({ event: "request", data: entries[0] });
});

test("a viewer that comes back with the last id it saw gets what it missed, once and in order", async () => {
  const { url, call } = await startExample();
  const first = await watch(`${url}/_backlot/events`);
  for (let n = 0; n < 3; n += 1) await call("GET", "/count");
  await first.until((seen) => seen.length === 3);
  first.close();
  for (let n = 0; n < 4; n += 1) await call("GET", "/count");
  const byHeader = await watch(`${url}/_backlot/events`, { "last-event-id": first.lastId });
  await byHeader.until((seen) => seen.length === 4);
  expect(sequences([...first.seen, ...byHeader.seen])).toEqual([1, 2, 3, 4, 5, 6, 7]);
  const byNumber = await watch(`${url}/_backlot/events?since=5`);
  await byNumber.until((seen) => seen.length === 2);
  expect(sequences(byNumber.seen)).toEqual([6, 7]);
  // EventSource repeats the first URL with the header: the header is newer.
  const both = await watch(`${url}/_backlot/events?since=0`, { "last-event-id": "6" });
  await both.until((seen) => seen.length === 1);
  expect(sequences(both.seen)).toEqual([7]);
});

test("a viewer may begin some entries back, at most with the first", async () => {
  const { url, call } = await startExample();
  for (let n = 0; n < 4; n += 1) await call("GET", "/count");
  for (const [back, expected] of [
    ["-2", [3, 4]],
    ["-100", [1, 2, 3, 4]],
  ] as const) {
    const viewer = await watch(`${url}/_backlot/events?since=${back}`);
    await viewer.until((seen) => seen.length === expected.length);
    expect(sequences(viewer.seen)).toEqual(expected);
  }
  expect((await call("GET", "/_backlot/events?since=-")).status).toBe(400);
  expect((await call("GET", "/_backlot/events?since=notes:-2")).status).toBe(400);
});

test("kinds, text and a wrong filter", async () => {
  const { url, call } = await startExample();
  const viewer = await watch(`${url}/_backlot/events?since=0&kind=control,change&q=MINUTES`);
  await call("GET", "/count");
  await call("POST", "/_backlot/clock", { mode: "ticking" });
  await call("POST", "/_backlot/webhooks/endpoints", { url: "http://127.0.0.1:9/minutes" });
  await viewer.until((seen) => seen.length === 1);
  expect(viewer.seen).toMatchObject([{ event: "control", data: { url: "http://127.0.0.1:9/minutes" } }]);
  expect((await call("GET", "/_backlot/events?kind=nonsense")).status).toBe(400);
  expect((await call("GET", "/_backlot/events?since=yesterday")).status).toBe(400);
});

test("after a restart without a data folder the viewer is told, and gets all the new run has", async () => {
  const before = await startExample();
  await before.call("GET", "/count");
  await before.call("GET", "/count");
  const old = await watch(`${before.url}/_backlot/events?since=0`);
  await old.until((seen) => seen.length === 2);
  await before.emulator.close();
  await old.until(() => old.ended);
  const after = await startExample();
  await after.call("GET", "/count");
  const again = await watch(`${after.url}/_backlot/events`, { "last-event-id": old.lastId });
  await again.until((seen) => seen.length === 2);
  expect(again.seen).toMatchObject([
    { event: "restarted", data: { emulator: "notes", asked: old.lastId, last: 1 } },
    { event: "request", data: { sequence: 1 } },
  ]);
});

test("with a data folder ids go on after a restart: no gap, none twice", async () => {
  const environment = { BACKLOT_DATA_DIR: folder() };
  const before = await startExample(environment);
  const old = await watch(`${before.url}/_backlot/events?since=0`);
  for (let n = 0; n < 3; n += 1) await before.call("GET", "/count");
  await old.until((seen) => seen.length >= 2);
  const resumeAt = old.seen[1]?.id ?? "";
  await before.emulator.close();
  const after = await startExample(environment);
  await after.call("GET", "/count");
  const again = await watch(`${after.url}/_backlot/events`, { "last-event-id": resumeAt });
  await again.until((seen) => seen.length === 2);
  expect(again.seen.map(({ event }) => event)).toEqual(["request", "request"]);
  expect(sequences(again.seen)).toEqual([3, 4]);
});

test("a reader that falls behind the ring is told how many events are gone and which", async () => {
  const journal = journalOf(5);
  const feed = createFeed("notes", journal);
  const reader = await opened(feed.open("0", {}));
  expect(shown(await reader.next())).toEqual([["position", undefined]]);
  for (let n = 1; n <= 12; n += 1) journal.append("change", `s${n}`, { n });
  await new Promise((resolve) => setImmediate(resolve));
  const frames = shown(await reader.next());
  expect(frames?.[0]).toEqual(["missed", { emulator: "notes", count: 7, from: 1, to: 7 }]);
  expect(frames?.slice(1).map(([, data]) => data.n)).toEqual([8, 9, 10, 11, 12]);
});

test("a batch is bounded, whatever waits", async () => {
  const journal = journalOf(10_000);
  const feed = createFeed("notes", journal);
  const reader = await opened(feed.open(undefined, {}));
  await reader.next();
  for (let n = 0; n < 5_000; n += 1) journal.append("change", undefined, { text: "x".repeat(1_000) });
  let total = 0;
  while (total < 5_000) {
    const frames = (await reader.next()) ?? [];
    const bytes = frames.reduce((sum, { data = "" }) => sum + data.length, 0);
    expect(bytes).toBeLessThan(70_000);
    total += frames.length;
  }
  expect(total).toBe(5_000);
});

test("a reset is told, a quiet feed pings, a closed one ends", async () => {
  const journal = journalOf(100);
  const feed = createFeed("notes", journal, 20);
  const reader = await opened(feed.open(undefined, {}));
  await reader.next();
  journal.append("change", undefined, {});
  journal.clear();
  expect(shown(await reader.next())).toEqual([["cleared", { emulator: "notes", after: 1 }]]);
  expect(shown(await reader.next())).toEqual([["ping", { position: feed.position }]]);
  const waiting = reader.next();
  feed.close();
  expect(await waiting).toBeUndefined();
  expect(feed.viewers).toBe(0);
});

test("a quiet feed pings every 20 s unless it is told otherwise", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const reader = await opened(createFeed("notes", journalOf(100)).open(undefined, {}));
  await reader.next();
  let pings = 0;
  const count = async (): Promise<void> => {
    const frames = await reader.next();
    if (!frames) return;
    pings += frames.filter(({ event }) => event === "ping").length;
    return count();
  };
  void count();
  await vi.advanceTimersByTimeAsync(19_999);
  expect(pings).toBe(0);
  await vi.advanceTimersByTimeAsync(40_001);
  expect(pings).toBe(3);
});

test("a viewer that goes away is forgotten; more viewers than the most are refused", async () => {
  const { url, emulator, call } = await startExample();
  const viewer = await watch(`${url}/_backlot/events`);
  const metric = async () =>
    /backlot_feed_viewers\{[^}]*\} (\d+)/.exec((await call("GET", "/_backlot/metrics")).body as string)?.[1];
  expect(await metric()).toBe("1");
  viewer.close();
  await vi.waitFor(async () => expect(await metric()).toBe("0"));
  expect(emulator.name).toBe("notes");
  const feed = createFeed("notes", journalOf(10));
  const readers = Array.from({ length: 257 }, () => feed.open(undefined, {}));
  expect(readers.filter((reader) => reader === undefined)).toHaveLength(1);
  feed.close();
});

test("a client that does not read costs one batch, and is served from the ring when it reads again", async () => {
  const { url, emulator } = await startExample({ BACKLOT_JOURNAL_SIZE: "2000" });
  const { journal } = emulator.runtime;
  const viewer = await watch(`${url}/_backlot/events?since=0`);
  await viewer.until(() => viewer.lastId !== "");
  viewer.pause();
  const before = process.memoryUsage().arrayBuffers;
  for (let n = 0; n < 200; n += 1) {
    for (let m = 0; m < 100; m += 1) journal.append("change", undefined, { text: "x".repeat(2_000) });
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 2 ** 20);
  viewer.resume();
  await viewer.until((seen) => seen.some(({ data }) => data.sequence === 20_000));
  const missed = viewer.seen.filter(({ event }) => event === "missed");
  const covered = new Set(sequences(viewer.seen));
  expect(covered.size).toBe(sequences(viewer.seen).length);
  const gone = missed.reduce((sum, { data }) => sum + Number(data.count), 0);
  expect(gone).toBeGreaterThan(0);
  expect(covered.size + gone).toBe(20_000);
});

test("WebSocket: the same events and ids", async () => {
  const { url, call } = await startExample();
  const socket = new WebSocket(`${url.replace("http", "ws")}/_backlot/events?since=0`);
  onTestFinished(() => socket.terminate());
  const messages: { id: string; event: string; data: { sequence?: number } | null }[] = [];
  socket.on("message", (text) => messages.push(JSON.parse(String(text))));
  await call("GET", "/count");
  await call("GET", "/count");
  await vi.waitFor(() => expect(messages).toHaveLength(3));
  expect(messages.map(({ event, data }) => [event, data?.sequence])).toEqual([
    ["position", undefined],
    ["request", 1],
    ["request", 2],
  ]);
  const viewer = await watch(`${url}/_backlot/events?since=0`);
  await viewer.until((seen) => seen.length === 2);
  expect(messages.slice(1).map(({ id }) => id)).toEqual(viewer.seen.map(({ id }) => id));
});

test("WebSocket in batches: what comes together comes in one message, whose id goes on after its last event", async () => {
  const { url, emulator } = await startExample();
  const { journal } = emulator.runtime;
  const open = (since: string) => {
    const socket = new WebSocket(
      `${url.replace("http", "ws")}/_backlot/events?since=${encodeURIComponent(since)}`,
      "backlot.batch",
    );
    onTestFinished(() => socket.terminate());
    const batches: { id: string; events: { event: string; data: { sequence?: number } | null }[] }[] = [];
    socket.on("message", (text) => batches.push(JSON.parse(String(text))));
    const seen = () => batches.flatMap(({ events }) => events.flatMap(({ data }) => data?.sequence ?? []));
    return { socket, batches, seen };
  };
  const first = open("0");
  await once(first.socket, "open"); // else all may come in one batch
  for (let n = 1; n <= 400; n += 1) {
    journal.append("change", `n${n}`, { n });
    if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await vi.waitFor(() => expect(first.seen()).toHaveLength(400));
  expect(first.seen()).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
  expect(first.batches.length).toBeLessThan(25);
  const half = first.batches[Math.floor((first.batches.length - 1) / 2)];
  const second = open(half?.id ?? "");
  const after = half?.events.at(-1)?.data?.sequence ?? 0;
  await vi.waitFor(() => expect(second.seen()).toHaveLength(400 - after));
  expect(second.seen()[0] ?? after + 1).toBe(after + 1);
});

test("the server's end closes every viewer within its deadline", async () => {
  const { url, emulator } = await startExample();
  const viewer = await watch(`${url}/_backlot/events`);
  const socket = new WebSocket(`${url.replace("http", "ws")}/_backlot/events`);
  await new Promise((resolve) => socket.once("open", resolve));
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  const started = performance.now();
  await emulator.close();
  expect(performance.now() - started).toBeLessThan(900);
  expect(await closed).toBe(1001);
  await viewer.until(() => viewer.ended);
});

test("in process the stream is the same and ends when it is cancelled", async () => {
  const { emulator } = await startExample();
  const response = await emulator.fetch(new Request("http://localhost/_backlot/events"));
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toMatch(/^retry: 1000\n\nid: 0@\w+\n\n$/);
  emulator.runtime.journal.append("change", "x", { n: 1 });
  expect((await reader?.read())?.value).toMatch(/event: change\ndata: \{"sequence":1,.*"n":1\}\n\n$/);
  await reader?.cancel();
  const head = await fetch(`http://127.0.0.1:${emulator.addresses[0]?.port}/_backlot/events`, { method: "HEAD" });
  expect(head.status).toBe(200);
});
