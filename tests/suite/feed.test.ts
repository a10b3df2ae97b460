import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import WebSocket from "ws";
import { startEmulator } from "../../emulators/kernel/start.ts";
import { createMergedFeed } from "../../emulators/suite/feed.ts";
import type { Member } from "../../emulators/suite/member.ts";
import { createSuite } from "../../emulators/suite/suite.ts";
import { startExample } from "../support/example.ts";
import { example } from "../support/example-emulator.ts";
import { type Seen, watch } from "../support/viewer.ts";

async function suite(environment: Record<string, string> = {}) {
  const started = await createSuite({
    only: ["twilio", "ec2-spot"],
    environment: { BACKLOT_LOG_LEVEL: "silent", ...environment },
  });
  onTestFinished(() => started.close());
  const [twilio, ec2] = ["twilio", "ec2-spot"].map((name) =>
    started.emulators.find((emulator) => emulator.name === name),
  );
  if (!twilio || !ec2 || started.url === undefined) throw new Error("the suite is not whole");
  return { url: started.url, twilio: twilio.runtime.journal, ec2: ec2.runtime.journal };
}

const told = (seen: readonly Seen[]) => seen.map(({ data }) => `${data.emulator} ${data.sequence}`);

test("one feed of all emulators, resumed by a list of positions: no gap, none twice", async () => {
  const { url, twilio, ec2 } = await suite();
  const first = await watch(`${url}/_backlot/events`);
  await vi.waitFor(() => expect(first.lastId).toMatch(/^twilio:\d+@\w+,ec2-spot:\d+@\w+,suite:\d+@\w+$/));
  const [t, e] = [twilio.last, ec2.last];
  twilio.append("change", "a", {});
  ec2.append("change", "b", {});
  twilio.append("change", "c", {});
  await first.until((seen) => seen.length === 3, 200);
  expect(told(first.seen).sort()).toEqual([`ec2-spot ${e + 1}`, `twilio ${t + 1}`, `twilio ${t + 2}`]);
  const resumeAt = first.seen[1]?.id ?? "";
  first.close();
  ec2.append("change", "d", {});
  const second = await watch(`${url}/_backlot/events`, { "last-event-id": resumeAt });
  await second.until((seen) => seen.length === 2);
  expect(told([...first.seen.slice(0, 2), ...second.seen]).sort()).toEqual(
    [`ec2-spot ${e + 1}`, `ec2-spot ${e + 2}`, `twilio ${t + 1}`, `twilio ${t + 2}`].sort(),
  );
  const plain = await watch(`${url}/_backlot/events?since=twilio:${t + 1},ec2-spot:${e + 2}`);
  await plain.until((seen) => seen.length === 1);
  expect(told(plain.seen)).toEqual([`twilio ${t + 2}`]);
});

test("the newest few of each, and from there on by positions", async () => {
  const { url, twilio, ec2 } = await suite();
  for (const subject of ["a", "b", "c"]) for (const journal of [twilio, ec2]) journal.append("change", subject, {});
  const [t, e] = [twilio.last, ec2.last];
  const first = await watch(`${url}/_backlot/events?since=-2`);
  await first.until((seen) => seen.length === 4);
  expect(told(first.seen).sort()).toEqual([`ec2-spot ${e - 1}`, `ec2-spot ${e}`, `twilio ${t - 1}`, `twilio ${t}`]);
  // Whoever leaves after the first event knows where every one of them stood.
  expect(first.seen[0]?.id).toMatch(/^twilio:\d+@\w+,ec2-spot:\d+@\w+,suite:\d+@\w+$/);
  first.close();
  const second = await watch(`${url}/_backlot/events`, { "last-event-id": first.seen[0]?.id ?? "" });
  await second.until((seen) => seen.length === 3);
  expect(told([...first.seen.slice(0, 1), ...second.seen]).sort()).toEqual(told(first.seen).sort());
});

test("over WebSocket and with one token for all", async () => {
  const { url, twilio } = await suite({ BACKLOT_CONTROL_TOKEN: "s3cret" });
  const made = await fetch(`${url}/_backlot/events/token`, {
    method: "POST",
    headers: { authorization: "Bearer s3cret" },
  });
  const { token } = (await made.json()) as { token: string };
  const socket = new WebSocket(
    `${url.replace("http", "ws")}/_backlot/events?token=${encodeURIComponent(token)}&kind=change`,
  );
  onTestFinished(() => socket.terminate());
  const messages: { event: string; data: { subject?: string } | null }[] = [];
  socket.on("message", (text) => messages.push(JSON.parse(String(text))));
  await vi.waitFor(() => expect(messages).toHaveLength(1));
  twilio.append("control", "no", {});
  twilio.append("change", "yes", {});
  await vi.waitFor(() => expect(messages.map(({ data }) => data?.subject)).toEqual([undefined, "yes"]));
  expect((await watch(`${url}/_backlot/events`)).status).toBe(401);
});

test("a member that goes away is told of, and read on where it stopped", async () => {
  const { url, emulator } = await startExample();
  const port = await throughPort(Number(new URL(url).port));
  const member: Member = {
    name: "notes",
    title: "Notes",
    addresses: [],
    request: (method, path) => fetch(`http://127.0.0.1:${port.number}${path}`, { method }),
  };
  const reader = createMergedFeed([member]).open("notes:0", {});
  if (!reader) throw new Error("no reader");
  onTestFinished(() => reader.close());
  const seen: { event: string; data: Record<string, unknown> }[] = [];
  void (async () => {
    for (let frames = await reader.next(); frames; frames = await reader.next())
      for (const { event, data } of frames) if (data !== undefined) seen.push({ event, data: JSON.parse(data) });
  })();
  const { journal } = emulator.runtime;
  for (let n = 0; n < 3; n += 1) journal.append("change", "before", {});
  await vi.waitFor(() => expect(seen).toHaveLength(3));
  port.cut();
  await vi.waitFor(() => expect(seen.at(-1)).toMatchObject({ event: "unreachable", data: { emulator: "notes" } }));
  journal.append("change", "meanwhile", {});
  await vi.waitFor(() => expect(seen.at(-1)).toMatchObject({ event: "change", data: { subject: "meanwhile" } }), 3_000);
  const numbers = seen.flatMap(({ data }) => (data.sequence === undefined ? [] : [data.sequence]));
  expect(numbers).toEqual(Array.from({ length: journal.last }, (_, n) => n + 1));
});

/** A port in front of another whose connections can be cut. */
async function throughPort(target: number) {
  const sockets = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(target, "127.0.0.1");
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    inner.pipe(outer).pipe(inner);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return {
    number: (server.address() as AddressInfo).port,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

test("a viewer that leaves takes its member streams with it", async () => {
  const emulator = await startEmulator(example, {
    environment: { BACKLOT_TWILIO_PORT: "0", BACKLOT_LOG_LEVEL: "silent" },
  });
  onTestFinished(() => emulator.close());
  const member: Member = {
    name: "notes",
    title: "Notes",
    addresses: [],
    request: (method, path) => emulator.fetch(new Request(`http://localhost${path}`, { method })),
  };
  const viewers = async () =>
    /backlot_feed_viewers\{[^}]*\} (\d+)/.exec(await (await member.request("GET", "/_backlot/metrics")).text())?.[1];
  const feed = createMergedFeed([member]);
  const reader = feed.open(undefined, {});
  await reader?.next();
  expect(await viewers()).toBe("1");
  reader?.close();
  await vi.waitFor(async () => expect(await viewers()).toBe("0"));
  expect(feed.viewers).toBe(0);
});

test("metrics, journal and archive of all on one page", async () => {
  const { url, twilio, ec2 } = await suite();
  twilio.append("change", "needle", {});
  ec2.append("change", "hay", {});
  await fetch(`${url}/_backlot/health`);
  const page = await (await fetch(`${url}/_backlot/metrics`)).text();
  expect(page).toContain('backlot_mode{emulator="twilio",mode="mock"} 1');
  expect(page).toContain('backlot_mode{emulator="ec2-spot",mode="mock"} 1');
  expect(page.match(/# TYPE backlot_mode /g)).toHaveLength(1);
  const journal = (await (await fetch(`${url}/_backlot/journal?q=needle`)).json()) as { entries: unknown[] };
  expect(journal.entries).toMatchObject([{ emulator: "twilio", subject: "needle" }]);
  const har = (await (await fetch(`${url}/_backlot/journal.har`)).json()) as { log: { version: string } };
  expect(har.log.version).toBe("1.2");
  const health = (await (await fetch(`${url}/_backlot/health`)).json()) as { checks: Record<string, unknown> };
  expect(health.checks.twilio).toMatchObject({ status: "healthy", successes: 2, uptime_24h: 100 });
});
