import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Answer, type Anything, type ArmClient, startArm } from "./arm-client.ts";

let arm: ArmClient;
beforeAll(async () => {
  arm = await startArm();
});
afterAll(() => arm.emulator.close());
beforeEach(async () => {
  await arm.emulator.reset();
});

const root = () => `/providers/Microsoft.Management/managementGroups/${arm.emulator.runtime.state.tenant().tenantId}`;
const first = (query: string) =>
  `${root()}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults?api-version=2024-10-01${query}`;
const keyOf = (row: Anything) =>
  [row.resourceId, row.policyAssignmentId, row.policyDefinitionId, row.policyDefinitionReferenceId].join(" ");

test.each([
  ["newest first", ""],
  ["sorted by resource", "&$orderby=resourceId asc"],
])("pages of all states while clients change them, %s: each row once, in order, as it was at the first page", async (_, query) => {
  const before = (await arm.all(root(), query)).map((row) => [keyOf(row), row.timestamp, row.complianceState]);
  expect(before.length).toBeGreaterThan(17_500);
  expect(before.length).toBeLessThan(18_500);
  const groups = ["rg-orders-prod-01", "rg-web-prod-01"].map((name) => `${arm.subscription}/resourceGroups/${name}`);
  const rows: Anything[] = [];
  let next: string | null | undefined = first(query);
  for (let page = 0; next; page += 1) {
    const { body }: Answer<Anything> = await arm.call("POST", next);
    rows.push(...body.value);
    next = body["@odata.nextLink"];
    // Between any two pages: something is made, something is put right or broken, something goes.
    const scope = groups[page % 2] ?? "";
    await arm.call("PUT", `${scope}/providers/Microsoft.KeyVault/vaults/kv-page-${page}`, { location: "westeurope" });
    const storage = before[page * 700]?.[0]?.split(" ")[0] ?? "";
    if (storage.includes("/providers/"))
      await arm.call("PATCH", storage, { tags: { costCenter: page % 2 ? "1" : null } });
    if (page === 3) await arm.call("DELETE", `${arm.subscription}/resourceGroups/rg-data-prod-01`);
    if (page === 5)
      await arm.call(
        "DELETE",
        `${arm.subscription}/providers/Microsoft.Authorization/policyAssignments/inherit-costcenter`,
      );
    await arm.emulator.advance(arm.emulator.runtime.clock.now() + 60_000);
  }
  expect(rows.map((row) => [keyOf(row), row.timestamp, row.complianceState])).toEqual(before);
  const after = await arm.all(root(), query);
  expect(new Set(after.map(keyOf))).not.toEqual(new Set(rows.map(keyOf)));
});
