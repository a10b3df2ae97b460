import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import { noon, startExample } from "../support/example.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

async function receiver(): Promise<Receiver> {
  const started = await startReceiver();
  onTestFinished(() => started.close());
  return started;
}

const minute = 60_000;

test("an event reaches its endpoint signed, once, after the commit, and a stock verifier accepts it", async () => {
  const [{ emulator, call, note }, hook] = [await startExample(), await receiver()];
  const endpoint = (await call("POST", "/_backlot/webhooks/endpoints", { url: hook.url, events: ["note.created"] }))
    .body as { secret: string };
  const id = await note("hello");
  await emulator.runtime.outbox.idle();
  await emulator.advance(noon + minute);
  expect(hook.calls).toHaveLength(1);
  const [sent] = hook.calls;
  const payload = new Webhook(endpoint.secret).verify(sent?.body ?? "", sent?.headers as Record<string, string>);
  expect(payload).toEqual({ type: "note.created", timestamp: "2025-01-15T12:00:00.000Z", data: { id, text: "hello" } });
});

test("an endpoint may take what happened alone, without the envelope, signed as it is sent", async () => {
  const [{ emulator, call, note }, hook] = [await startExample(), await receiver()];
  const input = { url: hook.url, events: ["note.created"], payload: "data" };
  const { secret } = (await call("POST", "/_backlot/webhooks/endpoints", input)).body as { secret: string };
  const id = await note("hello");
  await emulator.runtime.outbox.idle();
  const [sent] = hook.calls;
  const payload = new Webhook(secret).verify(sent?.body ?? "", sent?.headers as Record<string, string>);
  expect(payload).toEqual({ id, text: "hello" });
});

test("during a rotation both secrets verify, afterwards only the new one", async () => {
  const [{ emulator, call, note }, hook] = [await startExample(), await receiver()];
  const made = (await call("POST", "/_backlot/webhooks/endpoints", { url: hook.url, events: ["note.created"] }))
    .body as { id: string; secret: string };
  const rotated = (
    await call("PATCH", `/_backlot/webhooks/endpoints/${made.id}`, { rotateSecret: { overlapSeconds: 60 } })
  ).body as { secret: string };
  expect(rotated.secret).not.toBe(made.secret);
  await note("one");
  await emulator.advance(noon + 2 * minute);
  await note("two");
  await emulator.runtime.outbox.idle();
  const verifies = (secret: string, n: number) => {
    try {
      return (
        new Webhook(secret).verify(hook.calls[n]?.body ?? "", hook.calls[n]?.headers as Record<string, string>) !==
        undefined
      );
    } catch {
      return false;
    }
  };
  expect([verifies(made.secret, 0), verifies(rotated.secret, 0)]).toEqual([true, true]);
  expect([verifies(made.secret, 1), verifies(rotated.secret, 1)]).toEqual([false, true]);
});

test("failures are retried on the virtual clock, then dead-lettered, then replayed under the same id", async () => {
  const [{ emulator, call, note }, hook] = [await startExample(), await receiver()];
  hook.answer = (_call, _n, response) => void response.writeHead(500).end("broken");
  await call("POST", "/_backlot/webhooks/endpoints", { url: hook.url, events: ["note.created"], schedule: "short" });
  await note("hello");
  await emulator.runtime.outbox.idle();
  expect(hook.calls).toHaveLength(1);
  await emulator.advance(noon + minute);
  expect(hook.calls).toHaveLength(4);
  const dead = (await call("GET", "/_backlot/dead-letters")).body as {
    total: number;
    deadLetters: { id: string; reason: string; attempts: { at: string; status: number }[] }[];
  };
  expect(dead).toMatchObject({ total: 1, deadLetters: [{ reason: "HTTP 500" }] });
  expect(dead.deadLetters[0]?.attempts.map(({ status }) => status)).toEqual([500, 500, 500, 500]);
  hook.answer = (_call, _n, response) => void response.writeHead(204).end();
  expect((await call("POST", "/_backlot/dead-letters/replay", {})).body).toEqual({ replayed: 1 });
  await emulator.runtime.outbox.idle();
  expect(hook.calls).toHaveLength(5);
  expect(new Set(hook.calls.map((sent) => sent.headers["webhook-id"])).size).toBe(1);
  expect(emulator.runtime.outbox.counts()).toMatchObject({ delivered: 1, dead: 0, waiting: 0 });
});

test("dead letters are chosen by time, type, endpoint or id, for replay as for discard", async () => {
  const [{ emulator, call, note }, hook] = [await startExample(), await receiver()];
  hook.answer = (_call, _n, response) => void response.writeHead(500).end();
  const made = await call("POST", "/_backlot/webhooks/endpoints", { url: hook.url, schedule: [] });
  const { id: endpoint } = made.body as { id: string };
  for (const minutes of [10, 20, 30]) {
    await note(`at ${minutes}`);
    await emulator.advance(noon + minutes * minute);
  }
  const dead = async (): Promise<number> =>
    ((await call("GET", "/_backlot/dead-letters")).body as { total: number }).total;
  expect(await dead()).toBe(6);
  const replayed = async (selection: object) => {
    const before = hook.calls.length;
    const { body } = await call("POST", "/_backlot/dead-letters/replay", selection);
    await emulator.runtime.outbox.idle();
    const types = hook.calls.slice(before).map((sent) => JSON.parse(sent.body).type as string);
    expect(body).toEqual({ replayed: types.length });
    return types.sort();
  };
  const [from, to] = [new Date(noon + 5 * minute).toISOString(), new Date(noon + 15 * minute).toISOString()];
  expect(await replayed({ from, to })).toEqual(["note.created", "note.kept"]);
  expect(await replayed({ from, type: "note.created" })).toEqual(["note.created", "note.created"]);
  expect(await replayed({ endpoint: "ep_another" })).toEqual([]);
  expect(await replayed({ endpoint, to: from })).toEqual(["note.created", "note.kept"]);
  expect(await dead()).toBe(6); // the receiver is as broken as before
  const discard = (selection: object) => call("POST", "/_backlot/dead-letters/discard", selection);
  expect((await discard({ type: "note.kept" })).status).toBe(400);
  expect((await discard({ type: "note.kept", reason: "nobody keeps notes" })).body).toEqual({ discarded: 3 });
  const { body } = await call("GET", "/_backlot/webhooks/deliveries?state=discarded&limit=1");
  expect(body).toMatchObject({ deliveries: [{ type: "note.kept", reason: "nobody keeps notes" }] });
  const lines = String((await call("GET", "/_backlot/dead-letters/export")).body)
    .trim()
    .split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(Array(3).fill("note.created"));
});

test("deliveries about one resource keep their order while a failing one holds them back", async () => {
  const [{ emulator, call, note }, hook] = [await startExample(), await receiver()];
  hook.answer = (_call, n, response) => void response.writeHead(n < 2 ? 503 : 200).end();
  await call("POST", "/_backlot/webhooks/endpoints", { url: hook.url, schedule: [30, 30] });
  await note("hello"); // note.created now, note.kept 10 s later
  await emulator.advance(noon + 5 * minute);
  expect(hook.calls.map((sent) => JSON.parse(sent.body).type)).toEqual([
    "note.created",
    "note.created",
    "note.created",
    "note.kept",
  ]);
});

test("Retry-After is honoured, 410 disables the endpoint, redirects are not followed", async () => {
  const [{ emulator, call, note }, hook] = [await startExample(), await receiver()];
  const answers = [
    { status: 429, headers: { "retry-after": "120" } },
    { status: 302, headers: { location: hook.url } },
    { status: 410, headers: {} },
  ];
  hook.answer = (_call, n, response) => {
    const { status, headers } = answers[n] ?? { status: 500, headers: {} };
    response.writeHead(status, { ...headers }).end();
  };
  const { id } = (
    await call("POST", "/_backlot/webhooks/endpoints", {
      url: hook.url,
      events: ["note.created"],
      schedule: [1, 1, 1, 1],
    })
  ).body as { id: string };
  await note("hello");
  await emulator.advance(noon + minute);
  expect(hook.calls).toHaveLength(1);
  await emulator.advance(noon + 10 * minute);
  expect(hook.calls).toHaveLength(3);
  expect((await call("GET", `/_backlot/webhooks/endpoints/${id}`)).body).toMatchObject({
    enabled: false,
    disabledReason: expect.stringContaining("410"),
  });
  await note("nobody hears this");
  await emulator.runtime.outbox.idle();
  expect(hook.calls).toHaveLength(3);
});

test("targets that are not loopback are refused before any connection and journalled", async () => {
  const { emulator, call, note } = await startExample();
  for (const url of [
    "http://192.0.2.1/hook",
    "http://169.254.169.254/latest",
    "http://[::ffff:10.0.0.1]/x",
    "http://example.test/",
  ])
    await call("POST", "/_backlot/webhooks/endpoints", { url, events: ["note.created"] });
  await note("hello");
  await emulator.runtime.outbox.idle();
  expect(emulator.runtime.outbox.counts()).toMatchObject({ dead: 4 });
  expect((await call("GET", "/_backlot/egress")).body).toMatchObject({
    refused: [{ by: "webhook" }, { by: "webhook" }, { by: "webhook" }, { by: "webhook" }],
  });
});

test("a dead receiver does not hold up the API, and what waits survives a restart", async () => {
  const { call, note, emulator } = await startExample();
  await call("POST", "/_backlot/webhooks/endpoints", { url: "http://127.0.0.1:9/hook" });
  const started = performance.now();
  await Promise.all(Array.from({ length: 20 }, (_, n) => note(`note ${n}`)));
  expect(performance.now() - started).toBeLessThan(2_000);
  await emulator.runtime.outbox.idle();
  expect(emulator.runtime.outbox.counts()).toMatchObject({ waiting: 20 });
});

test("hex-sha256 beside standard, and copies on purpose", async () => {
  const [{ emulator, call, note }, hook] = [await startExample(), await receiver()];
  const { secret } = (
    await call("POST", "/_backlot/webhooks/endpoints", {
      url: hook.url,
      events: ["note.created"],
      schemes: ["standard", "hex-sha256"],
      copies: 2,
    })
  ).body as { secret: string };
  await note("hello");
  await emulator.runtime.outbox.idle();
  expect(hook.calls).toHaveLength(2);
  expect(hook.calls[0]?.headers["webhook-id"]).toBe(hook.calls[1]?.headers["webhook-id"]);
  const { createHmac } = await import("node:crypto");
  expect(hook.calls[0]?.headers["x-signature"]).toBe(
    createHmac("sha256", secret)
      .update(hook.calls[0]?.body ?? "")
      .digest("hex"),
  );
});

test("a full queue refuses new work rather than losing it, and takes what follows from work it accepted", async () => {
  const { call } = await startExample({ BACKLOT_WEBHOOK_QUEUE: "2" });
  await call("POST", "/_backlot/webhooks/endpoints", { url: "http://127.0.0.1:9/hook", events: ["note.*"] });
  const answers = [];
  for (let n = 0; n < 3; n += 1) answers.push(await call("POST", "/notes", { text: `note ${n}` }));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 503]);
  expect(answers[2]?.headers.get("retry-after")).toBe("5");
  expect(answers[2]?.body).toMatchObject({
    note_error: expect.stringMatching(/^2 webhook deliveries are waiting, .*BACKLOT_WEBHOOK_QUEUE/),
  });
  expect((await call("GET", "/count")).body).toMatchObject({ count: 4 });
  // Both notes tell that they were kept: nobody is there to be refused.
  await call("POST", "/_backlot/clock/advance", { seconds: 10 });
  expect((await call("GET", "/_backlot/webhooks/deliveries?type=note.kept")).body).toMatchObject({
    counts: { waiting: 4 },
  });
  expect((await call("GET", "/_backlot/journal?kind=incident")).body).toMatchObject({ entries: [] });
});
