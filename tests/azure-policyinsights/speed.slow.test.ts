/** A million states in process: how they are made, and what all pages of them hold. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, type Anything, type ArmClient, startArm } from "./arm-client.ts";
import { makeMillion, now, statesPath, tolerance } from "./million.ts";

let arm: ArmClient;
beforeAll(async () => {
  arm = await startArm();
  makeMillion(arm.emulator);
});
afterAll(() => arm.emulator.close());

test("a million states are made in little time and memory", () => {
  const before = process.memoryUsage().rss;
  const start = now();
  const { estate } = arm.emulator.runtime.state.readings();
  const took = now() - start;
  const ordered = arm.emulator.runtime.state.readings().byTime.length;
  const grown = (process.memoryUsage().rss - before) / 1e6;
  console.info(
    `${estate.rows.count} states: ${took.toFixed(0)} ms, in order ${(now() - start).toFixed(0)} ms, ${grown.toFixed(0)} MB`,
  );
  expect(ordered).toBe(estate.rows.count);
  expect(estate.rows.count).toBeGreaterThan(1_000_000);
  expect(took).toBeLessThan(250 * tolerance);
  expect(grown).toBeLessThan(150);
});

test.each([
  "endswith(resourceId,'zz')",
  "timestamp lt 2025-01-14T18:00:00Z",
  "contains(resourceId,'zz') or policyDefinitionAction eq 'nothing'",
])("a page of %s, found row by row, is the one that sorting gives", async (filter) => {
  const page = async (order: string) =>
    (await arm.call("POST", statesPath(arm.emulator, `&$top=500&$filter=${filter}${order}`))).body.value;
  const found = await page("");
  expect(found).toHaveLength(500);
  expect(found).toEqual(await page("&$orderby=timestamp desc"));
});

test("all pages of a million hold each row once, in order, while clients change them", {
  timeout: 300_000,
}, async () => {
  const count = arm.emulator.runtime.state.readings().estate.rows.count;
  const seen = new Set<string>();
  const made: string[] = [];
  let last = "9";
  let shown = 0;
  let next: string | undefined = statesPath(
    arm.emulator,
    "&$select=timestamp,resourceId,policyAssignmentId,policyDefinitionReferenceId",
  );
  for (let page = 0; next; page += 1) {
    const { body }: Answer<Anything> = await arm.call("POST", next);
    for (const row of body.value) {
      if (row.timestamp > last) throw new Error(`${row.timestamp} comes after ${last}`);
      last = row.timestamp;
      seen.add(`${row.resourceId} ${row.policyAssignmentId} ${row.policyDefinitionReferenceId}`);
      shown += 1;
    }
    next = body["@odata.nextLink"];
    if (page % 100 !== 50) continue;
    // Rows come, change and go: each of these moves the rows behind it or writes a newer evaluation.
    const group = `${arm.subscription}/resourceGroups/rg-orders-prod-01`;
    const vault = `${group}/providers/Microsoft.KeyVault/vaults/kv-made-${page}`;
    expect((await arm.call("PUT", vault, { location: "westeurope" })).status).toBeLessThan(300);
    const told = body.value.find((row) => row.resourceId.includes("/providers/"))?.resourceId ?? "";
    expect((await arm.call("PATCH", told, { tags: { costCenter: String(page) } })).status).toBe(200);
    if (page === 250) await arm.call("DELETE", `${arm.subscription}/resourceGroups/rg-data-prod-01`);
    await arm.emulator.advance(arm.emulator.runtime.clock.now() + 60_000);
    made.push(vault.toLowerCase());
  }
  expect(shown).toBe(count);
  expect(seen.size).toBe(count);
  const after = new Set(
    (await arm.all(`${arm.subscription}/resourceGroups/rg-orders-prod-01`)).map((row) => row.resourceId),
  );
  expect(made.filter((id) => !after.has(id))).toEqual([]);
});
