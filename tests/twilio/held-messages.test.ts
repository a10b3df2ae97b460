/** Messages that are held in memory and messages that are written at once answer alike, whatever happens to them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { startEmulator } from "../../emulators/kernel/start.ts";
import { twilio } from "../../emulators/twilio/index.ts";
import { phoneNumber } from "../../emulators/twilio/kinds.ts";
import { renderMessage } from "../../emulators/twilio/wire/message.ts";

async function started(environment: Record<string, string> = {}) {
  const emulator = await startEmulator(twilio, {
    environment: { BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z", BACKLOT_PACE: "1", ...environment },
    listen: false,
  });
  onTestFinished(() => emulator.close());
  const { state } = emulator.runtime;
  const account = state.mainAccount("live");
  if (!account) throw new Error("the seed has no account");
  const base = `http://localhost/2010-04-01/Accounts/${account.sid}`;
  const authorization = `Basic ${Buffer.from(`${account.sid}:${account.authToken}`).toString("base64")}`;
  const ask = async (method: string, path: string, form?: Record<string, string>) => {
    const headers = { authorization, "content-type": "application/x-www-form-urlencoded" };
    const body = form && new URLSearchParams(form).toString();
    const init = { method, headers, ...(body === undefined ? {} : { body }) };
    const response = await emulator.fetch(new Request(base + path, init));
    return `${response.status} ${await response.text()}`;
  };
  const control = async (method: string, path: string, body: object) => {
    await emulator.fetch(new Request(`http://localhost/_backlot${path}`, { method, body: JSON.stringify(body) }));
    return "";
  };
  const from = state.firstResource(phoneNumber, account.sid)?.key ?? "";
  return { emulator, ask, control, from, sids: [] as string[] };
}

type Started = Awaited<ReturnType<typeof started>>;

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("create"), n: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("advance"), n: fc.integer({ min: 1, max: 6 }) }) },
  fc.record({ do: fc.constantFrom("fetch", "xml", "list", "filtered", "usage", "redact", "delete"), n: fc.nat(5) }),
  fc.record({ do: fc.constantFrom("digest", "reset", "save", "restore", "fail"), n: fc.constant(0) }),
);

async function perform({ emulator, ask, control, from, sids }: Started, { do: what, n }: { do: string; n: number }) {
  const sid = sids[sids.length - 1 - n] ?? "SM00000000000000000000000000000000";
  switch (what) {
    case "create": {
      const media: Record<string, string> = n === 6 ? { MediaUrl: "https://media.example/a.png" } : {};
      const answer = await ask("POST", "/Messages.json", {
        To: `+1415555019${n}`,
        From: from,
        Body: `message ${n}`,
        ...media,
      });
      sids.push(/"sid": "([SM]M\w+)"/.exec(answer)?.[1] ?? "");
      return answer;
    }
    case "advance":
      return control("POST", "/clock/advance", { seconds: n });
    case "fetch":
      return ask("GET", `/Messages/${sid}.json`);
    case "xml":
      return ask("GET", `/Messages/${sid}`);
    case "list":
      return ask("GET", "/Messages.json?PageSize=7");
    case "filtered":
      return ask("GET", `/Messages.json?PageSize=3&To=%2B1415555019${n}`);
    case "usage":
      return ask("GET", "/Usage/Records/Today.json?Category=sms-outbound");
    case "redact":
      return ask("POST", `/Messages/${sid}.json`, { Body: "" });
    case "delete":
      return ask("DELETE", `/Messages/${sid}.json`);
    case "digest":
      return emulator.digest();
    case "save":
      return control("POST", "/snapshots", { name: "one" });
    case "restore":
      return control("POST", "/snapshots/one/restore", {});
    case "fail":
      // A change that is taken back after messages were made, moved and written within it.
      expect(() =>
        emulator.runtime.store.write(() => {
          const { state } = emulator.runtime;
          const known = state.message(sid);
          if (known) {
            state.addMessage({ ...known, sid: `${sid.slice(0, -1)}x`, status: "queued" });
            state.changeMessage({ ...known, status: "failed" });
            state.messageStatuses();
            state.changeMessage({ ...known, status: "undelivered" });
          }
          throw new Error("planned");
        }),
      ).toThrow("planned");
      return "";
    default:
      emulator.reset();
      return "";
  }
}

test("in memory and on disk, the same steps get the same answers and leave the same rows", async () => {
  const folder = mkdtempSync(join(tmpdir(), "backlot-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const both = [await started(), await started({ BACKLOT_DATA_DIR: folder })] as const;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      for (const one of both) {
        one.emulator.reset();
        one.sids.length = 0;
      }
      for (const one of steps) {
        const [held, written] = [await perform(both[0], one), await perform(both[1], one)];
        expect(held).toBe(written);
      }
      expect(both[0].emulator.digest()).toBe(both[1].emulator.digest());
      const lists = await Promise.all(both.map(({ ask }) => ask("GET", "/Messages.json?PageSize=30")));
      expect(lists[0]).toBe(lists[1]);
      // What is shown is made of the rows, and of nothing that was kept before.
      const { state, clock } = both[0].emulator.runtime;
      for (const sid of both[0].sids) {
        const row = state.message(sid);
        const now = clock.now();
        if (row) expect(lists[0]).toContain(renderMessage(row, { now, extension: ".json" }));
      }
    }),
    { numRuns: 40, seed: 20_261_127 },
  );
});

/** A message that was made by a client, to make others of, and what the table itself has of them. */
async function withMessage() {
  const one = await started();
  const { state, store } = one.emulator.runtime;
  await perform(one, { do: "create", n: 0 });
  const made = state.message(one.sids[0] ?? "");
  if (!made) throw new Error("the message is not there");
  const count = store.db.prepare("SELECT count(*) FROM messages WHERE sid LIKE 'SMtest%'").pluck();
  const add = (n: number) =>
    store.write(() => state.addMessage({ ...made, sid: `SMtest${String(n).padStart(5, "0")}` }));
  return { ...one, state, made, add, written: () => count.get() as number };
}

test("more messages than are held are written, in the order in which they came", async () => {
  const { state, add, written } = await withMessage();
  for (let n = 0; n < 20_100; n += 1) add(n);
  expect(written()).toBe(101 - 1);
  expect(state.recentMessages(3).map(({ sid }) => sid)).toEqual(["SMtest20099", "SMtest20098", "SMtest20097"]);
  expect(written()).toBe(20_100);
});

test("what is finished is written when nobody asks for anything, what is under way is not", async () => {
  const { state, made, add, written } = await withMessage();
  for (let n = 0; n < 1_200; n += 1) add(n);
  for (let n = 0; n < 1_100; n += 1)
    state.changeMessage({ ...made, sid: `SMtest${String(n).padStart(5, "0")}`, status: "delivered" });
  expect(written()).toBe(0);
  await vi.waitFor(() => expect(written()).toBe(1_100), 5_000);
  expect(state.message("SMtest00003")?.status).toBe("delivered");
  expect(state.message("SMtest01150")?.status).toBe("queued");
});
