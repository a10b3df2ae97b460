/** Rows that are read once are never older than the table, whatever happens to it. */
import BetterSqlite from "better-sqlite3";
import { expect, test } from "vitest";
import * as kinds from "../../emulators/twilio/kinds.ts";
import { type Account, openStore } from "../../emulators/twilio/store.ts";
import { steadyKinds } from "../../emulators/twilio/store-kept.ts";
import { tables } from "../../emulators/twilio/tables.ts";

const sid = `AC${"1".repeat(32)}`;
const account: Account = {
  sid,
  ownerSid: sid,
  authToken: "a".repeat(32),
  friendlyName: "first",
  status: "active",
  type: "Full",
  test: 0,
  createdAt: 1,
  updatedAt: 1,
};

function opened() {
  const db = new BetterSqlite(":memory:");
  db.exec(tables);
  const state = openStore(db);
  state.addAccount(account);
  return { db, state, name: () => state.account(sid)?.friendlyName };
}
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("a change shows at once, and one that is rolled back is gone, also where it was read meanwhile", async () => {
  const { db, state, name } = opened();
  await nextTurn();
  expect(name()).toBe("first");
  state.changeAccount({ ...account, friendlyName: "second" });
  expect(name()).toBe("second");
  await nextTurn();
  expect(name()).toBe("second");
  const failing = db.transaction(() => {
    state.changeAccount({ ...account, friendlyName: "third" });
    expect(name()).toBe("third");
    throw new Error("no");
  });
  expect(failing).toThrow("no");
  expect(name()).toBe("second");
  await nextTurn();
  expect(name()).toBe("second");
});

test("what was not there is found once it is, and rows that are taken away or replaced are gone", async () => {
  const { db, state, name } = opened();
  await nextTurn();
  const number = () => state.resourceByKey(kinds.phoneNumber, "+12025550100")?.sid;
  expect(number()).toBeUndefined();
  const row = { sid: "PN1", accountSid: sid, parent: sid, key: "+12025550100", createdAt: 1, updatedAt: 1 };
  state.addResource(kinds.phoneNumber, { ...row, data: {} as never });
  expect(number()).toBe("PN1");
  await nextTurn();
  expect(number()).toBe("PN1");
  state.removeResource(kinds.phoneNumber, "PN1");
  expect(number()).toBeUndefined();
  await nextTurn();
  expect(name()).toBe("first");
  db.exec("DELETE FROM accounts"); // as a reset does
  expect(name()).toBeUndefined();
});

test("every kind that is kept is one that the emulator has", () => {
  const names = Object.values(kinds).map(({ name }) => name);
  expect([...steadyKinds].filter((name) => !names.includes(name))).toEqual([]);
});

test("nobody changes what others are given", async () => {
  const { state } = opened();
  await nextTurn();
  const mine = state.account(sid) as { friendlyName: string };
  expect(() => {
    mine.friendlyName = "mine";
  }).toThrow(TypeError);
});
