/** A storm of webhooks in small: receivers that misbehave in every way lose nothing, see nothing twice, and cost nobody. */
import { expect, onTestFinished, test } from "vitest";
import { type Example, noon, startExample } from "../support/example.ts";
import { startReceiver } from "../support/receiver.ts";
import { type Behaviour, behaviours, judge, startStormReceivers } from "../support/storm.ts";
import { emitStorm } from "../support/storm-emulator.ts";

const minute = 60_000;
/** One that does not answer at all has a test of its own: its deadline is real time, which a busy machine runs out of. */
const kinds = behaviours.filter((behaviour) => behaviour !== "hanging");

async function register({ call }: Example, url: string, more: object = {}): Promise<string> {
  const { body } = await call("POST", "/_backlot/webhooks/endpoints", { url, schedule: "short", ...more });
  return (body as { id: string }).id;
}

test("a thousand webhooks to receivers of every kind: none lost, none again after success, order kept", async () => {
  const example = await startExample();
  const receivers = await startStormReceivers();
  onTestFinished(() => receivers.close());
  for (const behaviour of kinds)
    await register(example, `${receivers.origin}/${behaviour}`, {
      inFlight: behaviour === "healthy" ? 4 : 32,
      schedule: behaviour === "flapping" ? "short" : [1],
    });
  const { runtime } = example.emulator;
  const [resources, each] = [42, 4];
  await emitStorm(runtime, { name: "storm", resources, each });
  await example.emulator.advance(noon + 10 * minute);

  const events = resources * each;
  const lasting: readonly Behaviour[] = ["redirecting", "dead"];
  const state = (name: "delivered" | "dead") =>
    runtime.outbox.list({ state: name, limit: 10_000 }).map(({ url }) => new URL(url).pathname.slice(1));
  expect(runtime.outbox.counts()).toMatchObject({ waiting: 0, dead: lasting.length * events, ready: 0, inFlight: 0 });
  expect(new Set(state("dead"))).toEqual(new Set(lasting));
  expect(state("delivered")).toHaveLength((kinds.length - lasting.length) * events);
  expect(receivers.calls.some(({ behaviour }) => behaviour === "followed")).toBe(false);
  expect(judge(receivers.calls)).toEqual({ disordered: [], again: [] });

  receivers.heal();
  const dying = receivers.calls.length;
  expect((await example.call("POST", "/_backlot/dead-letters/replay", {})).body).toEqual({
    replayed: lasting.length * events,
  });
  await runtime.outbox.idle();
  expect(runtime.outbox.counts()).toMatchObject({ delivered: kinds.length * events, dead: 0, waiting: 0 });
  expect(judge(receivers.calls).again).toEqual([]);
  expect(judge(receivers.calls.slice(dying)).disordered).toEqual([]);
  expect(
    new Set(receivers.calls.filter(({ status }) => status === 200).map((c) => `${c.behaviour} ${c.webhookId}`)),
  ).toHaveLength(kinds.length * events);
});

test("finished deliveries are kept up to the bound, the rest are counted; dead letters stay", async () => {
  const example = await startExample({ BACKLOT_WEBHOOK_KEEP: "100" });
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  receiver.answer = ({ url }, _n, response) => void response.writeHead(url === "/dead" ? 500 : 200).end();
  await register(example, receiver.url);
  await register(example, receiver.url.replace("/hook", "/dead"), { schedule: [] });
  const { runtime } = example.emulator;
  await emitStorm(runtime, { name: "many", resources: 600, each: 1 });
  await runtime.outbox.idle();
  const { delivered, forgotten, dead } = runtime.outbox.counts();
  expect(delivered).toBeGreaterThanOrEqual(100);
  expect(delivered).toBeLessThan(300);
  expect([delivered + forgotten, dead]).toEqual([600, 600]);
  const rows = (sql: string) => runtime.store.db.prepare(sql).pluck().get();
  expect(rows("SELECT count(*) FROM kernel_attempts")).toBe(delivered + dead);
  const kept = runtime.outbox.list({ state: "delivered", limit: 1_000 });
  expect(Math.min(...kept.map(({ arrival }) => arrival))).toBeGreaterThan(600);
  expect((await example.call("GET", "/_backlot/metrics")).body).toContain(
    `backlot_webhook_forgotten_total{emulator="notes"} ${forgotten}`,
  );
  await example.call("POST", "/_backlot/dead-letters/discard", { reason: "enough" });
  const after = runtime.outbox.counts();
  expect(after).toMatchObject({ dead: 0, forgotten: 1_100 });
  expect(after.delivered + after.discarded).toBe(100);
  example.emulator.reset();
  expect(runtime.outbox.counts()).toMatchObject({ delivered: 0, discarded: 0, forgotten: 0 });
});

test("long answers are read to a bound, and only the newest are kept whole", async () => {
  const example = await startExample();
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const long = "x".repeat(2 * 1024 * 1024);
  receiver.answer = (_call, _n, response) => {
    response.on("error", () => {});
    response.end(long);
  };
  await register(example, receiver.url);
  const { outbox } = example.emulator.runtime;
  await emitStorm(example.emulator.runtime, { name: "long", resources: 100, each: 1 });
  await outbox.idle();
  const kept = outbox.list({ state: "delivered", limit: 100 }).map(({ id }) => outbox.history(id)[0]?.response);
  expect(kept).toHaveLength(100);
  expect(kept.every((response) => response?.bodyBytes === long.length)).toBe(true);
  const lengths = kept.map((response) => response?.body.length ?? 0);
  expect(new Set(lengths)).toEqual(new Set([65_536, 1_024]));
  expect(lengths.filter((length) => length === 65_536)).toHaveLength(64);
});

test("nothing goes to an endpoint that is gone or disabled; what waited becomes dead letters that can be replayed", async () => {
  const example = await startExample();
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  receiver.answer = (_call, n, response) => void response.writeHead(n === 0 ? 410 : 200).end();
  const id = await register(example, receiver.url, { inFlight: 1 });
  const { runtime } = example.emulator;
  await emitStorm(runtime, { name: "gone", resources: 20, each: 2 });
  await runtime.outbox.idle();
  expect(receiver.calls).toHaveLength(1);
  expect(runtime.outbox.counts()).toMatchObject({ dead: 40, waiting: 0 });
  expect(runtime.outbox.list({ state: "dead", limit: 1 })[0]?.reason).toContain("410 Gone");
  await example.call("PATCH", `/_backlot/webhooks/endpoints/${id}`, { enabled: true });
  await example.call("POST", "/_backlot/dead-letters/replay", {});
  await runtime.outbox.idle();
  expect(runtime.outbox.counts()).toMatchObject({ delivered: 40, dead: 0 });

  await register(example, receiver.url, { ordering: "shuffled" });
  await emitStorm(runtime, { name: "removed", resources: 5, each: 1 });
  await runtime.outbox.idle();
  for (const endpoint of runtime.outbox.endpoints.list())
    await example.call("DELETE", `/_backlot/webhooks/endpoints/${endpoint.id}`);
  await example.emulator.advance(noon + minute);
  expect(runtime.outbox.counts()).toMatchObject({ waiting: 0, dead: 5 });
  expect(runtime.outbox.list({ state: "dead", limit: 1 })[0]?.reason).toContain("the endpoint was removed");
});

test("a receiver that does not answer holds up neither the others nor a client", async () => {
  const example = await startExample();
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  receiver.answer = ({ url }, _n, response) => {
    if (url !== "/hanging") response.writeHead(200).end();
  };
  await register(example, receiver.url.replace("/hook", "/hanging"), { inFlight: 64, timeoutMs: 10_000 });
  await register(example, receiver.url);
  await emitStorm(example.emulator.runtime, { name: "held", resources: 200, each: 1 });
  await expect.poll(() => example.emulator.runtime.outbox.counts().delivered, { interval: 5 }).toBe(200);
  const started = performance.now();
  await example.note("meanwhile");
  expect(performance.now() - started).toBeLessThan(1_000);
});
