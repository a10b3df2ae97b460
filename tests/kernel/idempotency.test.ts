import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Example, noon, startExample } from "../support/example.ts";

const post = ({ call }: Example, text: string, key: string, headers: Record<string, string> = {}) =>
  call("POST", "/notes", { text }, { "idempotency-key": key, ...headers });
const count = async ({ call }: Example) => ((await call("GET", "/count")).body as { count: number }).count;

test("the first answer comes again, marked; another body under the key is refused", async () => {
  const example = await startExample();
  const first = await post(example, "hello", "k1");
  expect(first.headers.get("idempotent-replayed")).toBeNull();
  const again = await post(example, "hello", "k1");
  expect([again.status, again.body]).toEqual([first.status, first.body]);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect(await count(example)).toBe(3);
  expect(await post(example, "other", "k1")).toMatchObject({
    status: 422,
    body: { note_error: expect.stringContaining("another body") },
  });
  expect((await example.call("POST", "/notes?x=1", { text: "hello" }, { "idempotency-key": "k1" })).status).toBe(422);
  expect((await post(example, "hello", "k2")).status).toBe(201);
  expect(await count(example)).toBe(4);
});

test("a key belongs to one credential, method and path", async () => {
  const example = await startExample();
  const as = (user: string) => ({ authorization: `Basic ${Buffer.from(`${user}:s`).toString("base64")}` });
  await post(example, "hello", "k", as("AC1"));
  expect((await post(example, "hello", "k", as("AC2"))).headers.get("idempotent-replayed")).toBeNull();
  expect((await post(example, "hello", "k", as("AC1"))).headers.get("idempotent-replayed")).toBe("true");
  expect(
    (await example.call("GET", "/count", undefined, { "idempotency-key": "k" })).headers.get("idempotent-replayed"),
  ).toBeNull();
});

test("duplicates that come at once are executed once, and all get the first answer", async () => {
  const example = await startExample();
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(example, "hello", "k")));
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get("idempotent-replayed") === "true")).toHaveLength(7);
  expect(await count(example)).toBe(3);
});

test("a refusal for good is kept; a failure is not, so that a retry can succeed", async () => {
  const example = await startExample();
  expect((await post(example, "", "bad")).status).toBe(400);
  expect((await post(example, "", "bad")).headers.get("idempotent-replayed")).toBe("true");
  await example.call("POST", "/_backlot/faults", { match: { path: "/notes", call: 1 }, action: { status: 503 } });
  expect((await post(example, "hello", "k")).status).toBe(503);
  expect((await post(example, "hello", "k")).status).toBe(201);
});

test("an answer that was lost on the way is given to the retry", async () => {
  const example = await startExample();
  await example.call("POST", "/_backlot/faults", { match: { path: "/notes" }, times: 1, action: { reset: "after" } });
  await expect(post(example, "hello", "k")).rejects.toThrow("fetch failed");
  expect(await count(example)).toBe(3);
  expect((await post(example, "hello", "k")).headers.get("idempotent-replayed")).toBe("true");
  expect(await count(example)).toBe(3);
});

test("a key is free again after a day of virtual time, and after a reset", async () => {
  const example = await startExample();
  await post(example, "hello", "k");
  await example.emulator.advance(noon + 86_400_000 - 1);
  expect((await post(example, "hello", "k")).headers.get("idempotent-replayed")).toBe("true");
  await example.emulator.advance(noon + 86_400_000);
  expect((await post(example, "other", "k")).headers.get("idempotent-replayed")).toBeNull();
  await example.call("POST", "/_backlot/reset");
  expect((await post(example, "hello", "k")).headers.get("idempotent-replayed")).toBeNull();
});

test("the control API takes keys on everything that changes something", async () => {
  const example = await startExample();
  const advance = (seconds: number) =>
    example.call("POST", "/_backlot/clock/advance", { seconds }, { "idempotency-key": "step-1" });
  const first = await advance(30);
  const again = await advance(30);
  expect(again.body).toEqual(first.body);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect(example.emulator.runtime.clock.now()).toBe(noon + 30_000);
  expect((await advance(31)).status).toBe(422);
  const limits = () => example.call("PUT", "/_backlot/limits", { limit: "" }, { "idempotency-key": "k" });
  await limits();
  expect((await limits()).headers.get("idempotent-replayed")).toBe("true");
});

test("keys survive a restart with a data folder", async () => {
  const BACKLOT_DATA_DIR = mkdtempSync(join(tmpdir(), "backlot-"));
  onTestFinished(() => rmSync(BACKLOT_DATA_DIR, { recursive: true, force: true }));
  const authorization = "Basic QUMxOnM=";
  const send = ({ emulator }: Example) =>
    emulator.fetch(
      new Request("http://notes.example.test/notes", {
        method: "POST",
        body: '{"text":"hello"}',
        headers: { "idempotency-key": "k", authorization },
      }),
    );
  const one = await startExample({ BACKLOT_DATA_DIR });
  const first = await (await send(one)).text();
  await one.emulator.close();
  const two = await startExample({ BACKLOT_DATA_DIR });
  const again = await send(two);
  expect([await again.text(), again.headers.get("idempotent-replayed")]).toEqual([first, "true"]);
});

test("a key of more than 255 characters is refused", async () => {
  const example = await startExample();
  expect((await post(example, "hello", "k".repeat(256))).status).toBe(400);
});

test("lists of the control API answer with a strong ETag, and 304 to who has them", async () => {
  const example = await startExample();
  const first = await example.call("GET", "/_backlot/timers");
  const etag = first.headers.get("etag") ?? "";
  expect(etag).toMatch(/^"[A-Za-z0-9_-]{27}"$/);
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const unchanged = await example.call("GET", "/_backlot/timers", undefined, { "if-none-match": known });
    expect([unchanged.status, unchanged.headers.get("etag"), unchanged.body]).toEqual([304, etag, ""]);
  }
  await example.note("changes the list");
  const changed = await example.call("GET", "/_backlot/timers", undefined, { "if-none-match": etag });
  expect(changed.status).toBe(200);
  expect(changed.headers.get("etag")).not.toBe(etag);
  expect((await example.call("GET", "/_backlot/health")).headers.get("etag")).toBeNull();
  expect((await example.call("POST", "/_backlot/reset")).headers.get("etag")).toBeNull();
});

test("FEATURE_CACHE_RESPONSES=false sends no tag", async () => {
  const example = await startExample({ FEATURE_CACHE_RESPONSES: "false" });
  const plain = await example.call("GET", "/_backlot/timers", undefined, { "if-none-match": "*" });
  expect([plain.status, plain.headers.get("etag")]).toEqual([200, null]);
});
