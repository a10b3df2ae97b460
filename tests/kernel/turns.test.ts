/** A transaction begins with the first changed row, and whatever fails takes back all that it did. */
import BetterSqlite from "better-sqlite3";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { startExample } from "../support/example.ts";

async function started() {
  const { emulator } = await startExample();
  onTestFinished(() => emulator.close());
  const { store } = emulator.runtime;
  store.db.exec("CREATE TEMP TABLE kept (n INTEGER PRIMARY KEY)");
  const insert = store.db.prepare("INSERT INTO kept VALUES (?)");
  const rows = store.db.prepare("SELECT n FROM kept ORDER BY n").pluck();
  return { store, put: (n: number) => void insert.run(n), rows: () => rows.all() as number[] };
}

test("work that changes no row has nothing to wait for, and neither have readings", async () => {
  const { store, rows } = await started();
  await store.committed();
  expect(store.write(() => rows().length)).toBe(0);
  expect(store.committed()).toBeUndefined();
  expect(store.db.inTransaction).toBe(false);
});

test("a changed row is committed with its turn, also outside a write", async () => {
  const { store, put, rows } = await started();
  await store.committed();
  const before = store.commits;
  put(1);
  store.write(() => put(2));
  expect(store.db.inTransaction).toBe(true);
  await store.committed();
  expect(store.db.inTransaction).toBe(false);
  expect(store.commits).toBe(before + 1);
  expect(rows()).toEqual([1, 2]);
});

test("what waits for a commit runs at once after work that has none, and not at all after what failed", async () => {
  const { store, put } = await started();
  await store.committed();
  const told: string[] = [];
  const tell = (name: string) => store.afterCommit(() => told.push(name));
  store.write(() => store.write(() => tell("memory")));
  expect(told.splice(0)).toEqual(["memory"]);
  expect(() =>
    store.writeOne(() => {
      tell("failed");
      throw new Error("planned");
    }),
  ).toThrow("planned");
  store.write(() => {
    tell("row");
    put(1);
  });
  expect(told).toEqual([]);
  await store.committed();
  expect(told).toEqual(["row"]);
});

interface Work {
  /** Rows put before what is inside, after it, and whether it fails then. */
  readonly before: boolean;
  readonly inside: readonly Work[];
  readonly after: boolean;
  readonly fails: boolean;
}

const workOf = (depth: number): fc.Arbitrary<Work> =>
  fc.record({
    before: fc.boolean(),
    inside: depth === 0 ? fc.constant([]) : fc.array(workOf(depth - 1), { maxLength: 3 }),
    after: fc.boolean(),
    fails: fc.boolean(),
  });

test("writes within writes leave exactly the rows of those that did not fail", async () => {
  const { store, put, rows } = await started();
  await fc.assert(
    fc.asyncProperty(fc.array(workOf(3), { maxLength: 4 }), async (all) => {
      let n = 0;
      /** What is left of it. */
      const perform = ({ before, inside, after, fails }: Work): readonly number[] => {
        const left: number[] = [];
        const add = () => {
          n += 1;
          put(n);
          left.push(n);
        };
        try {
          store.write(() => {
            if (before) add();
            for (const one of inside) left.push(...perform(one));
            if (after) add();
            if (fails) throw new Error("planned");
          });
        } catch {
          return [];
        }
        return left;
      };
      const expected = all.flatMap(perform);
      expect(rows()).toEqual(expected);
      await store.committed();
      expect(rows()).toEqual(expected);
      store.db.prepare("DELETE FROM kept").run();
      await store.committed();
    }),
    { numRuns: 200 },
  );
});

test("rows that were held back go with the write that needs them, or stand at once", async () => {
  const { store, put, rows } = await started();
  await store.committed();
  store.atOnce(() => put(1));
  expect(store.committed()).toBeUndefined();
  expect(() =>
    store.write(() => {
      store.atOnce(() => put(2));
      throw new Error("planned");
    }),
  ).toThrow("planned");
  expect(rows()).toEqual([1]);
  store.write(() => store.atOnce(() => put(3)));
  store.atOnce(() => put(4));
  await store.committed();
  expect(rows()).toEqual([1, 3, 4]);
});

test("what is held back is written before the database is looked at as a whole, and forgotten with its rows", async () => {
  const { store } = await started();
  const seen: string[] = [];
  store.holdBack({ write: () => seen.push("write"), forget: () => seen.push("forget") });
  const during = (action: () => unknown) => {
    seen.length = 0;
    action();
    return seen.join(" ");
  };
  expect(during(() => store.digest())).toBe("write");
  expect(during(() => store.snapshots.save("one"))).toMatch(/^write/);
  expect(during(() => store.snapshots.restore("one"))).toBe("write forget");
  expect(during(() => store.reset())).toBe("write forget");
  expect(during(() => store.clear())).toBe("write forget");
});

test("better-sqlite3 tells statements that change nothing from the others", () => {
  const db = new BetterSqlite(":memory:");
  db.exec("CREATE TABLE one (n)");
  const readonly = (sql: string) => db.prepare(sql).readonly;
  expect(readonly("SELECT n FROM one")).toBe(true);
  expect(readonly("SELECT total_changes()")).toBe(true);
  expect(readonly("ATTACH ':memory:' AS two")).toBe(true);
  for (const sql of ["INSERT INTO one VALUES (1)", "UPDATE one SET n = 2", "DELETE FROM one"])
    expect(readonly(sql)).toBe(false);
});
