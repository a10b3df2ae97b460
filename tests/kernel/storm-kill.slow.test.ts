/** `kill -9` in the middle of a storm: each event is delivered at least once, and never after a recorded success. */
import { join } from "node:path";
import BetterSqlite from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/command.ts";
import { type Call, startStormReceivers } from "../support/storm.ts";
import { forkStorm } from "../support/storm-fork.ts";

const kinds = ["healthy", "slow", "flapping", "oversized"] as const;

function environment(folder: string): Record<string, string> {
  return {
    BACKLOT_TWILIO_PORT: "0",
    BACKLOT_CLOCK: "real",
    BACKLOT_PACE: "0.005", // a note is kept, and tells so, 50 ms after it was made
    BACKLOT_LOG_LEVEL: "error",
    BACKLOT_DATA_DIR: folder,
  };
}

async function post(url: string, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(url + path, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** What the dead process had recorded as delivered: `behaviour webhook-id`. */
function recorded(folder: string): {
  readonly delivered: Set<string>;
  readonly waiting: number;
  readonly total: number;
} {
  const db = new BetterSqlite(join(folder, "notes.sqlite"));
  try {
    const rows = db.prepare("SELECT url, event, state FROM kernel_deliveries").all() as {
      url: string;
      event: string;
      state: string;
    }[];
    const delivered = rows.filter(({ state }) => state === "delivered");
    return {
      delivered: new Set(delivered.map(({ url, event }) => `${new URL(url).pathname.slice(1)} ${event}`)),
      waiting: rows.filter(({ state }) => state === "waiting").length,
      total: rows.length,
    };
  } finally {
    db.close();
  }
}

test.each(Array.from({ length: 20 }, (_, run) => run + 1))("run %i", async (run) => {
  const folder = temporaryFolder();
  const receivers = await startStormReceivers();
  onTestFinished(() => receivers.close());
  const first = await forkStorm("emulator", environment(folder));
  for (const kind of kinds)
    await post(first.url, "/_backlot/webhooks/endpoints", {
      url: `${receivers.origin}/${kind}`,
      schedule: [0.05, 0.1, 0.2, 0.4],
      inFlight: 16,
    });
  const storm = post(first.url, "/_backlot/notes/storm", { name: "storm", resources: 60, each: 3 }).then(
    () => true,
    () => false,
  );
  const notes: string[] = [];
  let killed = false;
  const writing = Array.from({ length: 4 }, async (_, worker) => {
    for (let n = 0; !killed; n += 1) {
      const made = await post(first.url, "/notes", { text: `worker ${worker} note ${n}` }).catch(() => undefined);
      if (made) notes.push((made as { id: string }).id);
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
  });
  const acknowledged = await storm;
  // Every run stops at another point, from the first deliveries to most of them.
  const enough = 60 + run * 30;
  while (receivers.calls.length < enough) await new Promise((resolve) => setTimeout(resolve, 1));
  await first.kill();
  killed = true;
  await Promise.all(writing);

  const left = recorded(folder);
  const calls = receivers.calls.length;
  expect(acknowledged).toBe(true);
  expect(left.waiting).toBeGreaterThan(0);
  const second = await forkStorm("emulator", environment(folder));
  const counts = async () =>
    (
      (await (await fetch(`${second.url}/_backlot/webhooks/deliveries?limit=1`)).json()) as {
        counts: { waiting: number; inFlight: number; dead: number; delivered: number; forgotten: number };
      }
    ).counts;
  await expect
    .poll(async () => ({ ...(await counts()), timers: await timers(second.url) }), { timeout: 60_000, interval: 50 })
    .toMatchObject({ waiting: 0, inFlight: 0, dead: 0, timers: 0 });

  const succeeded = new Set(receivers.calls.filter(({ status }) => status === 200).map(keyOf));
  const heard = new Set(receivers.calls.filter(({ status }) => status === 200).map(eventOf));
  const missing: string[] = [];
  for (const kind of kinds) {
    for (let n = 0; n < 60; n += 1)
      for (let seq = 0; seq < 3; seq += 1)
        if (!heard.has(`${kind} storm-${n} ${seq}`)) missing.push(`storm-${n} ${seq}`);
    for (const id of notes)
      if (
        receivers.calls.filter((call) => call.resource === id && call.behaviour === kind && call.status === 200)
          .length < 2
      )
        missing.push(`${kind} note ${id}`);
  }
  expect(missing).toEqual([]);
  // Neither of the two notices about a note was forgotten, nor anything else that was ever kept.
  const { delivered, forgotten } = await counts();
  expect(delivered + forgotten).toBe(succeeded.size);
  expect(receivers.calls.slice(calls).filter((call) => left.delivered.has(keyOf(call)))).toEqual([]);
  // At least once: what was under way when the process died may come again, and nothing else does.
  const again = repeated(receivers.calls);
  expect(again.length).toBeLessThanOrEqual(kinds.length * 16);
  console.log(
    `run ${run}: ${notes.length} notes, ${left.total} deliveries kept, ${left.delivered.size} recorded, ${left.waiting} waiting at the kill; ${again.length} came twice`,
  );
});

async function timers(url: string): Promise<number> {
  return ((await (await fetch(`${url}/_backlot/timers`)).json()) as { total: number }).total;
}

const keyOf = ({ behaviour, webhookId }: Call) => `${behaviour} ${webhookId}`;
const eventOf = ({ behaviour, resource, seq }: Call) => `${behaviour} ${resource} ${seq}`;

function repeated(calls: readonly Call[]): string[] {
  const succeeded = new Set<string>();
  return calls.flatMap((call) => {
    const again = succeeded.has(keyOf(call));
    if (call.status === 200) succeeded.add(keyOf(call));
    return again ? [keyOf(call)] : [];
  });
}
