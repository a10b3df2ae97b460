import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { parseTraceparent } from "../../emulators/kernel/tracing.ts";
import { noon, startExample } from "../support/example.ts";
import { startReceiver } from "../support/receiver.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const given = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: "vendor=a:b,other=1" };

async function receiver() {
  const started = await startReceiver();
  onTestFinished(() => started.close());
  return started;
}

test("a request's trace is kept and carried on by the webhooks it causes, at once and by timers", async () => {
  const [{ emulator, call }, hook] = [await startExample(), await receiver()];
  await call("POST", "/_backlot/webhooks/endpoints", { url: hook.url });
  await call("POST", "/notes", { text: "traced" }, given);
  await call("POST", "/notes", { text: "not traced" });
  await emulator.advance(noon + 60_000);
  const parents = hook.calls.map(({ headers, body }) => [
    JSON.parse(body).type,
    headers.traceparent,
    headers.tracestate,
  ]);
  const own = new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`);
  expect(parents.filter(([, parent]) => parent !== undefined)).toEqual([
    ["note.created", expect.stringMatching(own), given.tracestate],
    ["note.kept", expect.stringMatching(own), given.tracestate],
  ]);
  expect(parents).toHaveLength(4);
  const requests = emulator.runtime.journal.read({ matches: ({ kind }) => kind === "request" });
  expect(requests[0]?.data.trace).toMatchObject({ traceId, parentSpanId: "b7ad6b7169203331", sampled: true });
  expect(requests[1]?.data.trace).toBeUndefined();
  const [delivery] = emulator.runtime.journal.read({ matches: ({ kind }) => kind === "delivery" });
  const cause = requests[0]?.data.trace as { spanId: string };
  expect(delivery?.data.trace).toMatchObject({ traceId, parentSpanId: cause.spanId });
});

test("spans of a run repeat, and each attempt has its own", async () => {
  const run = async () => {
    const [{ emulator, call }, hook] = [await startExample(), await receiver()];
    hook.answer = (_call, n, response) => void response.writeHead(n === 0 ? 500 : 200).end();
    await call("POST", "/_backlot/webhooks/endpoints", {
      url: hook.url,
      events: ["note.created"],
      schedule: [1],
    });
    await call("POST", "/notes", { text: "hello" }, given);
    await emulator.advance(noon + 60_000);
    return hook.calls.map(({ headers }) => headers.traceparent);
  };
  // The receiver's port is in the delivery's id, so only the request's own span repeats between two receivers.
  const parents = await run();
  expect(new Set(parents).size).toBe(2);
});

test("a traced timer goes on with its trace after a restart", async () => {
  const { mkdtempSync, rmSync } = await import("node:fs");
  const folder = mkdtempSync("/tmp/backlot-trace-");
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const hook = await receiver();
  const before = await startExample({ BACKLOT_DATA_DIR: folder });
  await before.call("POST", "/_backlot/webhooks/endpoints", { url: hook.url, events: ["note.kept"] });
  await before.call("POST", "/notes", { text: "traced" }, given);
  await before.emulator.close();
  const after = await startExample({ BACKLOT_DATA_DIR: folder });
  await after.emulator.advance(noon + 60_000);
  expect(hook.calls.map(({ headers }) => String(headers.traceparent).slice(3, 35))).toEqual([traceId]);
});

test.each([
  "00-00000000000000000000000000000000-b7ad6b7169203331-01",
  `00-${traceId}-0000000000000000-01`,
  `ff-${traceId}-b7ad6b7169203331-01`,
  `00-${traceId}-b7ad6b7169203331-01-more`,
  `00-${traceId.toUpperCase()}-b7ad6b7169203331-01`,
  `00-${traceId}-b7ad6b7169203331`,
  `${given.traceparent}, ${given.traceparent}`,
  "",
])("no trace: %s", (text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});

test("a later version is read by what this one knows; any text is harmless", () => {
  expect(parseTraceparent(`cc-${traceId}-b7ad6b7169203331-03-what-the-future-brings`)).toEqual({
    traceId,
    spanId: "b7ad6b7169203331",
    sampled: true,
  });
  fc.assert(fc.property(fc.string(), (text) => parseTraceparent(text) === undefined));
});

async function collector(status = 200) {
  const posts: { url: string; body: Record<string, unknown> }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      posts.push({ url: request.url ?? "", body: JSON.parse(text) });
      response.writeHead(status, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  return { posts, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

test("spans go to the collector that the environment names, and the journal says so", async () => {
  const [to, hook] = [await collector(), await receiver()];
  const { emulator, call } = await startExample({ OTEL_EXPORTER_OTLP_ENDPOINT: `${to.url}/` });
  await call("POST", "/_backlot/webhooks/endpoints", { url: hook.url, events: ["note.created"] });
  await call("POST", "/notes", { text: "hello" }, given);
  await call("GET", "/count");
  await emulator.runtime.outbox.idle();
  await emulator.close();
  expect(new Set(to.posts.map(({ url }) => url))).toEqual(new Set(["/v1/traces"]));
  const spans = to.posts.flatMap(({ body }) => {
    const [resource] = body.resourceSpans as { scopeSpans: { spans: Span[] }[] }[];
    return resource?.scopeSpans[0]?.spans ?? [];
  });
  expect(spans.map(({ name, kind }) => [name, kind])).toEqual(
    expect.arrayContaining([
      ["POST /notes", 2],
      ["webhook note.created", 3],
      ["GET /count", 2],
    ]),
  );
  const post = spans.find(({ name }) => name === "POST /notes");
  const webhook = spans.find(({ kind }) => kind === 3);
  expect(post).toMatchObject({ traceId, parentSpanId: "b7ad6b7169203331" });
  expect(webhook).toMatchObject({ traceId, parentSpanId: post?.spanId });
  // The count was asked without a trace: one begins here.
  expect(spans.find(({ name }) => name === "GET /count")?.traceId).toMatch(/^(?!0af7)[0-9a-f]{32}$/);
  for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
    expect(startTimeUnixNano).toMatch(/^\d{19}$/);
    expect(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano)).toBe(true);
  }
  expect(emulator.runtime.journal.read({ matches: ({ kind }) => kind === "control" })[0]?.data).toMatchObject({
    exports: "spans",
    to: `${to.url}/v1/traces`,
  });
});

test("a collector that refuses is told of once and stops nothing", async () => {
  const to = await collector(500);
  const { emulator, call } = await startExample({ OTEL_EXPORTER_OTLP_ENDPOINT: to.url });
  await call("GET", "/count");
  await vi.waitFor(() => expect(to.posts.length).toBeGreaterThan(0), 3_000);
  await vi.waitFor(() =>
    expect(emulator.runtime.journal.read({ matches: ({ data }) => data.failed === "HTTP 500" })).toHaveLength(1),
  );
  expect((await call("GET", "/count")).status).toBe(200);
});

test("nothing is exported, and no trace begun, unless asked", async () => {
  const { emulator, call } = await startExample();
  await call("GET", "/count");
  expect(emulator.runtime.journal.read({}).map(({ data }) => data.trace)).toEqual([undefined]);
});
