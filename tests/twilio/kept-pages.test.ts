/** A page that is sent again is never older than the messages, whatever happens to them or to the clock. */
import BetterSqlite from "better-sqlite3";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { Pieces } from "../../emulators/kernel/pieces.ts";
import { startEmulator } from "../../emulators/kernel/start.ts";
import { keepPages } from "../../emulators/twilio/api/kept-pages.ts";
import { twilio } from "../../emulators/twilio/index.ts";
import { phoneNumber } from "../../emulators/twilio/kinds.ts";
import { openStore } from "../../emulators/twilio/store.ts";
import { tables } from "../../emulators/twilio/tables.ts";

const noon = Date.parse("2025-01-15T12:00:00Z");

async function started() {
  const emulator = await startEmulator(twilio, {
    environment: { BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z", BACKLOT_PACE: "1" },
    listen: false,
  });
  onTestFinished(() => emulator.close());
  const { state } = emulator.runtime;
  const account = state.mainAccount("live");
  if (!account) throw new Error("the seed has no account");
  const base = `http://localhost/2010-04-01/Accounts/${account.sid}/Messages`;
  const authorization = `Basic ${Buffer.from(`${account.sid}:${account.authToken}`).toString("base64")}`;
  const ask = async (method: string, url: string, form?: Record<string, string>) => {
    const headers = { authorization, "content-type": "application/x-www-form-urlencoded" };
    const body = form && new URLSearchParams(form).toString();
    const response = await emulator.fetch(
      new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }),
    );
    return { status: response.status, text: await response.text() };
  };
  const control = (method: string, path: string, body: object) =>
    emulator.fetch(new Request(`http://localhost/_backlot${path}`, { method, body: JSON.stringify(body) }));
  const from = state.firstResource(phoneNumber, account.sid)?.key ?? "";
  return { emulator, base, ask, control, from };
}

const action = fc.oneof(
  fc.record({ do: fc.constant("create" as const), n: fc.nat(5) }),
  fc.record({ do: fc.constantFrom("redact" as const, "delete" as const), n: fc.nat(3) }),
  fc.record({ do: fc.constant("advance" as const), n: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ do: fc.constant("set" as const), n: fc.integer({ min: -60, max: 60 }) }),
  fc.record({ do: fc.constantFrom("reset" as const, "save" as const, "restore" as const), n: fc.constant(0) }),
);

test("after everything that can happen, a page reads like one that nobody has asked for before", async () => {
  const { emulator, base, ask, control, from } = await started();
  let unseen = 0;
  const perform = async (step: { readonly do: string; readonly n: number }) => {
    const sids = /"sid": "(SM\w+)"/g;
    const newest = [...(await ask("GET", `${base}.json?PageSize=5`)).text.matchAll(sids)].map(([, sid]) => sid);
    const subject = `${base}/${newest[step.n % Math.max(newest.length, 1)]}.json`;
    if (step.do === "create")
      return ask("POST", `${base}.json`, { To: "+14155550199", From: from, Body: `n ${step.n}` });
    if (step.do === "redact") return ask("POST", subject, { Body: "" });
    if (step.do === "delete") return ask("DELETE", subject);
    if (step.do === "advance") return control("POST", "/clock/advance", { seconds: step.n });
    if (step.do === "set")
      return control("POST", "/clock", { mode: "frozen", at: new Date(noon + step.n * 1_000).toISOString() });
    if (step.do === "save") return control("POST", "/snapshots", { name: "one" });
    if (step.do === "restore") return control("POST", "/snapshots/one/restore", {});
    return emulator.reset();
  };
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 12 }), async (steps) => {
      emulator.reset();
      for (const step of steps) {
        await perform(step);
        for (const page of [`${base}.json?PageSize=4`, `${base}?PageSize=4&Page=1`]) {
          unseen += 1;
          const kept = await ask("GET", page);
          expect(kept).toEqual(await ask("GET", page));
          expect(kept).toEqual(await ask("GET", `${page}&Unseen=${unseen}`));
        }
      }
    }),
    { numRuns: 25 },
  );
});

test("rows that may still be taken back are not kept", () => {
  const db = new BetterSqlite(":memory:");
  db.exec(tables);
  const pages = keepPages(openStore(db).version);
  const read = (body: Pieces) => body.whole().toString();
  const count = () => String(db.prepare("SELECT count(*) FROM accounts").pluck().get());
  const page = () =>
    pages.get("all", 0, () => ({
      body: new Pieces([Buffer.from(count())]),
      from: Number.NEGATIVE_INFINITY,
      until: Number.POSITIVE_INFINITY,
    }));
  expect(read(page())).toBe("0");
  expect(page()).toBe(page());
  db.exec("BEGIN; INSERT INTO accounts VALUES ('AC1', 'AC1', 'a', 'x', 'active', 'Full', 0, 1, 1)");
  expect(read(page())).toBe("1");
  db.exec("ROLLBACK");
  expect(read(page())).toBe("0");
});
