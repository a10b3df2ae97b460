import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import BetterSqlite from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { noon, startExample } from "../support/example.ts";

const folder = () => {
  const path = mkdtempSync(join(tmpdir(), "backlot-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

test("a write that fails half-way leaves no row, id, timer or event behind", async () => {
  const { emulator, call } = await startExample();
  const before = emulator.digest();
  expect((await call("POST", "/notes", { text: "fail half-way" })).status).toBe(400);
  expect(emulator.digest()).toBe(before);
  expect(emulator.runtime.timers.size).toBe(0);
  expect(emulator.runtime.ids.dump()).toHaveLength(2); // the two seeded notes
});

test("a write of one statement that fails leaves no id, timer or action behind", async () => {
  const { emulator } = await startExample();
  const { store, ids, timers } = emulator.runtime;
  const before = emulator.digest();
  let told = false;
  const twice = () => {
    ids.derive("notes.note", ["never kept"]);
    timers.schedule({ kind: "notes.change", subject: "never kept", due: noon });
    store.afterCommit(() => {
      told = true;
    });
    store.db.prepare("INSERT INTO notes SELECT * FROM notes").run();
  };
  expect(() => store.writeOne(twice)).toThrow(/UNIQUE/);
  await store.committed();
  expect(told).toBe(false);
  expect(timers.size).toBe(0);
  expect(ids.dump()).toHaveLength(2);
  expect(emulator.digest()).toBe(before);
});

test("reset goes back to the seeded rows, counts, timers, journal and clock", async () => {
  const { emulator, call, note } = await startExample();
  const fresh = emulator.digest();
  const first = await note("hello");
  await emulator.advance(noon + 3_600_000);
  expect(emulator.digest()).not.toBe(fresh);
  expect((await call("POST", "/_backlot/reset")).body).toMatchObject({
    digest: fresh,
    now: "2025-01-15T12:00:00.000Z",
  });
  expect(emulator.runtime.timers.size).toBe(0);
  expect(await note("hello")).toBe(first);
});

test("a snapshot brings back rows, counts and timers, and is itself no part of the digest", async () => {
  const { emulator, note } = await startExample();
  await note("kept");
  const saved = emulator.digest();
  emulator.runtime.store.snapshots.save("one");
  expect(emulator.digest()).toBe(saved);
  const second = await note("lost");
  await emulator.advance(noon + 60_000);
  expect(emulator.runtime.store.snapshots.restore("one")).toBe(true);
  expect(emulator.digest()).toBe(saved);
  expect(emulator.runtime.timers.size).toBe(1);
  expect(await note("lost")).toBe(second);
  expect(emulator.runtime.store.snapshots.list().map(({ name }) => name)).toEqual(["one"]);
  expect(emulator.runtime.store.snapshots.delete("one")).toBe(true);
  expect(emulator.runtime.store.snapshots.restore("one")).toBe(false);
});

test("with a data folder everything is there after a restart, timers and counts included", async () => {
  const BACKLOT_DATA_DIR = folder();
  const one = await startExample({ BACKLOT_DATA_DIR });
  await one.note("lasting");
  const digest = one.emulator.digest();
  await one.emulator.close();
  const two = await startExample({ BACKLOT_DATA_DIR });
  expect(two.emulator.digest()).toBe(digest);
  expect(two.emulator.runtime.timers.list(10)).toHaveLength(1);
  await two.emulator.advance(noon + 60_000);
  const again = await two.note("lasting");
  expect((await two.call("GET", `/notes/${again}`)).status).toBe(200);
  expect((await two.call("GET", "/count")).body).toMatchObject({ count: 4 });
});

test("a data folder made from another seed is refused with the way out", async () => {
  const BACKLOT_DATA_DIR = folder();
  await (await startExample({ BACKLOT_DATA_DIR, BACKLOT_SEED: "a" })).emulator.close();
  await expect(startExample({ BACKLOT_DATA_DIR, BACKLOT_SEED: "b" })).rejects.toThrow(
    /holds Notes made from the seed "a", not "b".*BACKLOT_DATA_DIR/,
  );
});

test("a data folder whose tables are another version's is left alone, and a sentence says what to do", async () => {
  const BACKLOT_DATA_DIR = folder();
  await (await startExample({ BACKLOT_DATA_DIR })).emulator.close();
  const file = join(BACKLOT_DATA_DIR, "notes.sqlite");
  const older = new BetterSqlite(file);
  older.exec("ALTER TABLE notes DROP COLUMN changed_at; DROP TABLE kernel_replays");
  older.close();
  const refusal = startExample({ BACKLOT_DATA_DIR });
  await expect(refusal).rejects.toThrow(
    /notes\.sqlite was made by another version of Backlot: its tables differ \(kernel_replays, .*notes\)\. Nothing was changed: run the version/,
  );
  const kept = new BetterSqlite(file, { readonly: true });
  expect(kept.prepare("SELECT count(*) FROM notes").pluck().get()).toBe(2);
  kept.close();
});

test("a missing pristine copy or a file that is no database is refused; a first start that was cut short begins anew", async () => {
  const BACKLOT_DATA_DIR = folder();
  const first = await startExample({ BACKLOT_DATA_DIR });
  await first.note("kept");
  await first.emulator.close();
  const [file, pristine] = ["notes.sqlite", "notes.pristine.sqlite"].map((name) => join(BACKLOT_DATA_DIR, name));
  rmSync(pristine ?? "");
  await expect(startExample({ BACKLOT_DATA_DIR })).rejects.toThrow(/pristine\.sqlite is missing.*Nothing was changed/);
  expect(existsSync(file ?? "")).toBe(true);
  const cut = new BetterSqlite(file ?? "");
  cut.exec("DELETE FROM kernel_meta");
  cut.close();
  const again = await startExample({ BACKLOT_DATA_DIR });
  expect((await again.call("GET", "/count")).body).toMatchObject({ count: 2 });
  await again.emulator.close();
  writeFileSync(file ?? "", "no database at all, but long enough to be read as the header of one".repeat(20));
  await expect(startExample({ BACKLOT_DATA_DIR })).rejects.toThrow(/cannot be read as a database.*Nothing was changed/);
});

test("a posted seed replaces the state; a wrong one is refused with its path", async () => {
  const { call } = await startExample();
  const refused = await call("POST", "/_backlot/seed", "notes: [1]");
  expect(refused.status).toBe(400);
  expect(refused.body).toMatchObject({ message: expect.stringContaining("notes.0") });
  expect((await call("GET", "/count")).body).toMatchObject({ count: 2 });
  expect((await call("POST", "/_backlot/seed", "notes: [only]")).status).toBe(200);
  expect((await call("GET", "/count")).body).toMatchObject({ count: 1 });
});
