/** Same seed, same requests: the same outcomes and the same journal, over sockets, in any order and with any concurrency. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Example, startExample } from "../support/example.ts";

/** Rules that count by content: whose third request it is does not depend on who is quicker. */
const rule = fc.record(
  {
    match: fc.record(
      {
        path: fc.constantFrom("/notes", "/notes/*", "/**"),
        method: fc.constantFrom("GET", "POST"),
        body: fc.constantFrom({ text: "a*" }, { text: "b" }),
        per: fc.constant("content"),
        call: fc.integer({ min: 1, max: 3 }),
        every: fc.integer({ min: 1, max: 2 }),
        window: fc.constantFrom({ to: "2025-01-15T12:00:30Z" }, { from: "2025-01-15T12:00:30Z" }),
      },
      { requiredKeys: ["per"] },
    ),
    probability: fc.double({ min: 0.2, max: 0.8, noNaN: true }),
    times: fc.integer({ min: 1, max: 2 }),
    action: fc.constantFrom(
      { status: 503, code: "busy" },
      { throttle: { retryAfterSeconds: 3 } },
      { reset: "after" },
      { reset: true },
      { truncate: 4 },
      { duplicate: 2 },
      // No delay on the real clock: it lets a later request of the same content overtake, which then gets the first id.
    ),
  },
  { requiredKeys: ["match", "action"] },
);
const request = fc.constantFrom(
  ...["a", "ab", "b", "c"].map((text) => ({ method: "POST", path: "/notes", body: JSON.stringify({ text }) })),
  { method: "POST", path: "/notes", body: "{}" },
  { method: "GET", path: "/notes/none", body: undefined },
  { method: "GET", path: "/notes/none?again", body: undefined },
);
type Asked = { readonly method: string; readonly path: string; readonly body: string | undefined };
/** Requests, then so many seconds. */
const phase = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 12 }),
  seconds: fc.integer({ min: 0, max: 40 }),
});

async function inParallel(tasks: readonly (() => Promise<void>)[], width: number): Promise<void> {
  const queue = [...tasks];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await next();
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** What a client saw: status and body, or that the connection broke. */
async function outcome({ url }: Example, { method, path, body }: Asked): Promise<string> {
  const sent = await fetch(url + path, { method, ...(body === undefined ? {} : { body }) }).catch(() => undefined);
  if (!sent) return "broken";
  const text = await sent.text().catch(() => "cut off");
  return `${sent.status} ${text} ${sent.headers.get("x-backlot-fault")} ${sent.headers.get("retry-after")}`;
}

/** Without what names the moment and not the content: sequence, machine time, request ids, sockets, durations. */
function normalised({ emulator }: Example): readonly string[] {
  const volatile = new Set([
    "request",
    "requestId",
    "id",
    "remote",
    "wallMs",
    "headers",
    "requestHeaders",
    "host",
    "port",
  ]);
  return emulator.runtime.journal
    .read({ matches: ({ kind }) => kind === "fault" || kind === "request" })
    .map(({ kind, at, subject, data }) => {
      const kept = Object.entries(data).filter(([name]) => !volatile.has(name));
      return JSON.stringify([kind, at, kind === "fault" ? subject : "", Object.fromEntries(kept)]);
    })
    .sort();
}

async function play(
  example: Example,
  rules: readonly object[],
  phases: readonly { readonly requests: readonly Asked[]; readonly seconds: number }[],
  width: number,
): Promise<{ readonly outcomes: readonly string[]; readonly journal: readonly string[]; readonly digest: string }> {
  await example.call("POST", "/_backlot/reset");
  await example.call(
    "POST",
    "/_backlot/faults",
    rules.map((planned, n) => ({ ...planned, id: `r${n}` })),
  );
  const outcomes: string[] = [];
  for (const [index, { requests, seconds }] of phases.entries()) {
    const tasks = requests.map((asked) => async () => {
      outcomes.push(`${index} ${asked.method} ${asked.path} ${asked.body} -> ${await outcome(example, asked)}`);
    });
    await inParallel(tasks, width);
    await example.call("POST", "/_backlot/clock/advance", { seconds });
  }
  return { outcomes: outcomes.sort(), journal: normalised(example), digest: example.emulator.digest() };
}

test("random fault plans and advances: the same outcomes and journal in another order and eight at a time", async () => {
  const [left, right] = [await startExample(), await startExample()];
  let met = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(rule, { minLength: 1, maxLength: 5 }),
      fc.array(phase, { minLength: 1, maxLength: 3 }),
      fc.infiniteStream(fc.nat()),
      async (rules, phases, order) => {
        const shuffled = phases.map(({ requests, seconds }) => ({
          seconds,
          requests: requests
            .map((one) => ({ one, at: order.next().value }))
            .sort((before, after) => before.at - after.at)
            .map(({ one }) => one),
        }));
        const one = await play(left, rules, phases, 1);
        const other = await play(right, rules, shuffled, 8);
        expect(other.outcomes).toEqual(one.outcomes);
        expect(other.journal).toEqual(one.journal);
        expect(other.digest).toBe(one.digest);
        met += one.journal.filter((entry) => entry.startsWith('["fault"')).length;
      },
    ),
    { numRuns: 15 },
  );
  expect(met).toBeGreaterThan(0);
});

test("another seed draws other faults for the same requests", async () => {
  const rules = [{ match: { path: "/notes", per: "content" }, probability: 0.5, action: { status: 503 } }];
  const requests = Array.from({ length: 30 }, (_, n) => ({ method: "POST", path: "/notes", body: `{"text":"${n}"}` }));
  const statuses = async (BACKLOT_SEED: string) =>
    (await play(await startExample({ BACKLOT_SEED }), rules, [{ requests, seconds: 0 }], 8)).outcomes.map(
      (said) => `${said.slice(0, said.indexOf("->"))} ${/-> (\d+)/.exec(said)?.[1]}`,
    );
  const [one, again, other] = [await statuses("one"), await statuses("one"), await statuses("other")];
  expect(again).toEqual(one);
  expect(other).not.toEqual(one);
});
