import { expect, onTestFinished, test } from "vitest";
import { createSuite, type Suite, type SuiteOptions } from "../../emulators/suite/suite.ts";

const frozen = {
  clock: "frozen@2025-01-15T12:00:00Z",
  environment: { BACKLOT_PACE: "1", BACKLOT_LOG_LEVEL: "silent" },
} as const;

async function suite(options: SuiteOptions = frozen): Promise<Suite> {
  const started = await createSuite(options);
  onTestFinished(() => started.close());
  return started;
}

async function sendMessage(
  { services, env }: Suite,
  body: string,
  to = "+12025550199",
): Promise<{ status: number; sid: string }> {
  const response = await fetch(`${services.twilio?.url}/2010-04-01/Accounts/${env.TWILIO_ACCOUNT_SID}/Messages.json`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${env.TWILIO_ACCOUNT_SID}:${env.TWILIO_AUTH_TOKEN}`)}` },
    body: new URLSearchParams({ To: to, From: env.TWILIO_PHONE_NUMBER ?? "", Body: body }),
  });
  return { status: response.status, sid: ((await response.json()) as { sid: string }).sid };
}

/** Runs tasks ten at a time. */
async function tenAtATime<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const queue = [...tasks.entries()];
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await next[1]();
    }),
  );
  return results;
}

test("a Node that better-sqlite3 would end with a segmentation fault is told of", async () => {
  const { versions } = process;
  onTestFinished(() => void Object.defineProperty(process, "versions", { value: versions }));
  Object.defineProperty(process, "versions", { value: { ...versions, napi: "9" }, configurable: true });
  await expect(createSuite({ only: ["smtp"] })).rejects.toThrow(/^Backlot needs Node 22\.14 or newer; this is v/);
});

test("the same fifty writes in another order and ten at a time: identical ids, identical digest", async () => {
  const [left, right] = [await suite(), await suite()];
  expect(await left.digest()).toBe(await right.digest());
  const bodies = Array.from({ length: 50 }, (_, n) => `note ${n % 40}`); // ten of them twice
  const send = (to: Suite, list: readonly string[]) =>
    tenAtATime(list.map((body) => async () => [body, (await sendMessage(to, body)).sid] as const));
  const sids = (sent: readonly (readonly [string, string])[]) => sent.map(([body, sid]) => `${body} ${sid}`).sort();
  const one = sids(await send(left, bodies));
  const two = sids(await send(right, [...bodies].reverse()));
  expect(two).toEqual(one);
  expect(new Set(one).size).toBe(50);
  expect(await right.digest()).toBe(await left.digest());
  await left.clock.advance({ minutes: 5 });
  await right.clock.advance({ minutes: 5 });
  expect(await right.digest()).toBe(await left.digest());
});

test("two suites in one process share nothing", async () => {
  const [left, right] = [await suite(), await suite({ ...frozen, seed: "other" })];
  const before = await right.digest();
  await sendMessage(left, "only here");
  await left.clock.advance({ hours: 1 });
  expect(await right.digest()).toBe(before);
  expect(right.clock.now()).toBe(Date.parse("2025-01-15T12:00:00Z"));
  expect(right.env.TWILIO_ACCOUNT_SID).not.toBe(left.env.TWILIO_ACCOUNT_SID);
});

test("reset brings back the start, and the same request gets the same sid again", async () => {
  const backlot = await suite();
  const fresh = await backlot.digest();
  const { sid } = await sendMessage(backlot, "again");
  await backlot.clock.advance({ hours: 2 });
  expect(await backlot.digest()).not.toBe(fresh);
  expect(await backlot.reset()).toBe(fresh);
  expect(backlot.clock.now()).toBe(Date.parse("2025-01-15T12:00:00Z"));
  expect((await sendMessage(backlot, "again")).sid).toBe(sid);
});

test("advance moves all emulators to the same instant", async () => {
  const backlot = await suite();
  await sendMessage(backlot, "tick");
  await backlot.clock.advance({ minutes: 1 });
  const { services } = (await (await backlot.control("GET", "/_backlot/clock")).json()) as {
    services: Record<string, { now: string }>;
  };
  expect(new Set(Object.values(services).map(({ now }) => now))).toEqual(new Set(["2025-01-15T12:01:00.000Z"]));
});

test("the clock goes to an instant that is the same on every machine, and not back", async () => {
  const { clock } = await suite();
  expect(await clock.advance({ to: "2025-01-15T14:00:00+01:00" })).toBe(Date.parse("2025-01-15T13:00:00Z"));
  await expect(clock.advance({ to: "2025-01-15T14:00:00" })).rejects.toThrow(
    '{"to":"2025-01-15T14:00:00"} names no instant: write it with its zone, 2025-01-15T12:00:00Z',
  );
  await expect(clock.advance({ to: "2025-01-15T12:30:00Z" })).rejects.toThrow(
    "the clock shows 2025-01-15T13:00:00.000Z and cannot go back to 2025-01-15T12:30:00Z",
  );
});

test("a second start with the same seed answers the same bytes", async () => {
  const read = async () => {
    const backlot = await suite();
    const { services } = backlot;
    const texts = await Promise.all(
      [
        `${services.twilio?.url}/2010-04-01/Accounts/${backlot.env.TWILIO_ACCOUNT_SID}/Messages.json?PageSize=20`,
        `${services.smtp?.url}/api/v2/messages`,
      ].map(async (url) =>
        (
          await fetch(url, {
            headers: {
              authorization: `Basic ${btoa(`${backlot.env.TWILIO_ACCOUNT_SID}:${backlot.env.TWILIO_AUTH_TOKEN}`)}`,
            },
          })
        ).text(),
      ),
    );
    return texts.join("\n");
  };
  expect(await read()).toBe(await read());
});

test("the journal of all emulators is one list with one cursor", async () => {
  const backlot = await suite();
  await sendMessage(backlot, "seen");
  await fetch(`${backlot.services.smtp?.url}/api/v2/messages`);
  const read = async (since: string) =>
    (await (await backlot.control("GET", `/_backlot/journal?kind=request${since}`)).json()) as {
      cursor: string;
      entries: { emulator: string }[];
    };
  const page = await read("");
  expect(page.entries.map(({ emulator }) => emulator).sort()).toEqual(["smtp", "twilio"]);
  expect((await read(`&since=${page.cursor}`)).entries).toEqual([]);
});

test("an endpoint registered at the suite hears of every emulator with one secret", async () => {
  const backlot = await suite();
  const answer = (await (
    await backlot.control("POST", "/_backlot/webhooks/endpoints", { url: "http://127.0.0.1:9/hook" })
  ).json()) as { secret: string; services: Record<string, { secret: string }> };
  expect(Object.values(answer.services).map(({ secret }) => secret)).toEqual([
    answer.secret,
    answer.secret,
    answer.secret,
    answer.secret,
  ]);
});
