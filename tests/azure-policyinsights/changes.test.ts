import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type Anything, type ArmClient, startArm } from "./arm-client.ts";

let arm: ArmClient;
beforeAll(async () => {
  arm = await startArm();
});
afterAll(() => arm.emulator.close());

const insights = "/providers/Microsoft.PolicyInsights";
const nonCompliant = "complianceState eq 'NonCompliant'";
const secureTransfer = "securetransfertostorageaccountmonitoring";

/** Every state of a scope must count as its summary says. */
async function expectSummary(scope: string) {
  const rows = await arm.all(scope);
  const { body } = await arm.call("POST", `${scope}${insights}/policyStates/latest/summarize`);
  const failing = rows.filter((row) => row.complianceState === "NonCompliant");
  expect(body.value[0]?.results.nonCompliantResources).toBe(new Set(failing.map((row) => row.resourceId)).size);
  return rows;
}

async function failingStorage() {
  const [row] = await arm.all(
    arm.subscription,
    `&$filter=${nonCompliant} and policyDefinitionReferenceId eq '${secureTransfer}'&$top=1`,
  );
  return row?.resourceId ?? expect.fail("no storage account fails");
}

describe("resources", () => {
  test("what is put right is Compliant at once, with an event; what is broken again is not", async () => {
    const id = await failingStorage();
    const before = await arm.call("GET", `${id}?api-version=2023-01-01`);
    expect(before.body.properties.supportsHttpsTrafficOnly).toBe(false);
    await arm.emulator.advance(arm.emulator.runtime.clock.now() + 60_000);
    const patched = await arm.call("PATCH", id, { properties: { supportsHttpsTrafficOnly: true } });
    expect(patched.status).toBe(200);
    const state = async () => {
      const rows = await arm.all(id, `&$filter=policyDefinitionReferenceId eq '${secureTransfer}'`);
      expect(rows).toHaveLength(1);
      return rows[0];
    };
    expect(await state()).toMatchObject({ complianceState: "Compliant", timestamp: "2025-01-15T12:01:00.0000000Z" });
    const events = await arm.all(id, "", "policyEvents/default");
    expect(events[0]).toMatchObject({ timestamp: "2025-01-15T12:01:00.0000000Z", isCompliant: true });
    await arm.call("PATCH", id, { properties: { supportsHttpsTrafficOnly: false } });
    expect((await state())?.complianceState).toBe("NonCompliant");
    await expectSummary(arm.subscription);
  });

  test("a new resource is seen by the policies of its scope, a removed one is gone", async () => {
    const id = `${arm.subscription}/resourceGroups/rg-web-prod-01/providers/Microsoft.KeyVault/vaults/kv-mine`;
    const made = await arm.call("PUT", id, { location: "westeurope", properties: { enablePurgeProtection: true } });
    expect(made.status).toBe(201);
    const rows = await arm.all(id);
    const byReference = new Map(rows.map((row) => [row.policyDefinitionReferenceId, row.complianceState]));
    expect(byReference.get("keyvaultsshouldhavepurgeprotectionenabledmonitoringeffect")).toBe("Compliant");
    expect(byReference.get("keyvaultsshouldhavesoftdeleteenabledmonitoringeffect")).toBe("NonCompliant");
    await arm.call("PUT", `${id}/providers/Microsoft.Insights/diagnosticSettings/all`, { properties: {} });
    expect(
      (await arm.all(id, "&$filter=policyDefinitionReferenceId eq 'diagnosticslogsinkeyvaultmonitoring'"))[0],
    ).toMatchObject({ complianceState: "Compliant" });
    await expectSummary(`${arm.subscription}/resourceGroups/rg-web-prod-01`);
    expect((await arm.call("DELETE", id)).status).toBe(200);
    expect(await arm.all(id)).toEqual([]);
  });
});

describe("assignments and definitions", () => {
  const name = `${"/providers/Microsoft.Authorization"}/policyAssignments/owner`;

  test("a client's own definition is evaluated where it is assigned", async () => {
    const definition = `${arm.subscription}/providers/Microsoft.Authorization/policyDefinitions/need-owner`;
    const condition = { field: "[concat('tags[', parameters('tag'), ']')]", exists: false };
    // A literal with this member would look like a promise.
    const policyRule = JSON.parse(`{ "if": ${JSON.stringify(condition)}, "then": { "effect": "audit" } }`);
    const written = await arm.call("PUT", definition, {
      properties: {
        displayName: "Need an owner",
        mode: "Indexed",
        policyRule,
        parameters: { tag: { type: "String" } },
      },
    });
    expect([written.status, written.body.properties.policyType]).toEqual([201, "Custom"]);
    const scope = `${arm.subscription}/resourceGroups/rg-web-prod-01`;
    const assigned = await arm.call("PUT", `${scope}${name}`, {
      properties: { policyDefinitionId: definition, parameters: { tag: { value: "owner" } } },
    });
    expect(assigned.status).toBe(201);
    const rows = await arm.all(`${scope}${name}`);
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.every((row) => row.complianceState === "NonCompliant")).toBe(true);
    expect(await arm.all(definition)).toHaveLength(rows.length);
    const [first] = rows;
    await arm.call("PATCH", first?.resourceId ?? "", { tags: { owner: "me" } });
    expect((await arm.all(`${scope}${name}`, `&$filter=${nonCompliant}`)).length).toBe(rows.length - 1);
    await expectSummary(scope);
    expect((await arm.call("DELETE", `${scope}${name}`)).status).toBe(200);
    expect((await arm.call("DELETE", `${scope}${name}`)).status).toBe(204);
    expect(await arm.all(`${scope}${name}`)).toEqual([]);
  });

  test("pages go on through what they began with while the estate changes", async () => {
    const scope = arm.subscription;
    const expected = (await arm.all(scope, "&$select=resourceId,policyDefinitionId,policyAssignmentId")).map((row) =>
      JSON.stringify(row),
    );
    const first = await arm.call(
      "POST",
      `${scope}${insights}/policyStates/latest/queryResults?api-version=2019-10-01&$select=resourceId,policyDefinitionId,policyAssignmentId`,
    );
    const rows = [...first.body.value];
    let next: string | undefined = first.body["@odata.nextLink"];
    for (let change = 0; next; change += 1) {
      const id = `${scope}/resourceGroups/rg-data-prod-01/providers/Microsoft.Storage/storageAccounts/stnew${change}`;
      await arm.call("PUT", id, { location: "eastus" });
      const page: Answer<Anything> = await arm.call("POST", next);
      rows.push(...page.body.value);
      next = page.body["@odata.nextLink"];
    }
    expect(rows.map((row) => JSON.stringify(row))).toEqual(expected);
  });

  test("built-in definitions and the estate's assignments can be read", async () => {
    const builtIn = await arm.call(
      "GET",
      "/providers/Microsoft.Authorization/policyDefinitions/404c3081-a854-4457-ae30-26a93ef643f9",
    );
    expect(builtIn.body.properties).toMatchObject({
      policyType: "BuiltIn",
      displayName: expect.stringContaining("Secure transfer"),
    });
    const list = await arm.call("GET", `${arm.subscription}/providers/Microsoft.Authorization/policyAssignments`);
    const names = list.body.value.map((each) => each.name);
    expect(names).toContain("SecurityCenterBuiltIn");
    expect(names).toContain("audit-location-matches-group");
    const missing = await arm.call(
      "GET",
      `${arm.subscription}/providers/Microsoft.Authorization/policyDefinitions/nope`,
    );
    expect([missing.status, missing.body.error.code]).toEqual([404, "PolicyDefinitionNotFound"]);
  });
});

test.each([
  ["PolicyInsights/remediations", "InvalidCreateRemediationRequest", "policyAssignmentId"],
  ["Authorization/policyAssignments", "InvalidRequestContent", "policyDefinitionId"],
  ["Authorization/policyExemptions", "InvalidRequestContent", "policyAssignmentId"],
])("a write of %s that names nothing is told what is missing", async (collection, code, member) => {
  // What az 2.45 sends for a remediation whose assignment is given by its id.
  for (const body of [{}, { properties: {} }, { properties: { [member]: 3 } }]) {
    const answer = await arm.call("PUT", `${arm.subscription}/providers/Microsoft.${collection}/nothing`, body);
    expect([answer.status, answer.body.error.code]).toEqual([400, code]);
    expect(answer.body.error.message).toContain(`${member}' is missing`);
  }
});

test("an exemption takes a resource out of the count, and its end brings it back", async () => {
  const id = await failingStorage();
  const assignment = `${arm.subscription}/providers/Microsoft.Authorization/policyAssignments/SecurityCenterBuiltIn`;
  const exemption = `${id}/providers/Microsoft.Authorization/policyExemptions/later`;
  const properties = { policyAssignmentId: assignment, exemptionCategory: "Waiver" };
  expect((await arm.call("PUT", exemption, { properties })).status).toBe(201);
  const states = async () =>
    new Set((await arm.all(id, `&$filter=policyAssignmentId eq '${assignment}'`)).map((row) => row.complianceState));
  expect(await states()).toEqual(new Set(["Exempt"]));
  expect((await arm.call("DELETE", exemption)).status).toBe(200);
  expect(await states()).toContain("NonCompliant");
});

test("every state Exempt has an exemption, which can be taken back", async () => {
  const [row] = await arm.all(
    arm.subscription,
    "&$filter=complianceState eq 'Exempt' and policyAssignmentName eq 'SecurityCenterBuiltIn'&$top=1",
  );
  const id = row?.resourceId ?? expect.fail("nothing is exempt");
  const list = await arm.call("GET", `${id}/providers/Microsoft.Authorization/policyExemptions`);
  const found = list.body.value.find((each) => each.properties.policyAssignmentId === row?.policyAssignmentId);
  expect((await arm.call("DELETE", found?.id ?? "")).status).toBe(200);
  const now = await arm.all(id, `&$filter=policyAssignmentId eq '${row?.policyAssignmentId}'`);
  expect(now.some((each) => each.complianceState === "Exempt")).toBe(false);
});

test("an attestation decides what no rule can", async () => {
  const assignment = `${arm.subscription}/providers/Microsoft.Authorization/policyAssignments/attest-coding-vulnerabilities`;
  const path = `${arm.subscription}${insights}/attestations/by-me`;
  const state = async () => (await arm.all(assignment))[0]?.complianceState;
  expect(await state()).toBe("Unknown");
  const made = await arm.call("PUT", path, {
    properties: { policyAssignmentId: assignment, complianceState: "Compliant" },
  });
  expect([made.status, made.body.properties.provisioningState]).toEqual([201, "Succeeded"]);
  expect(await state()).toBe("Compliant");
  expect((await arm.call("GET", path)).body).toEqual(made.body);
  expect((await arm.call("GET", `${arm.subscription}${insights}/attestations`)).body.value).toEqual([made.body]);
  expect((await arm.call("DELETE", path)).status).toBe(200);
  expect(await state()).toBe("Unknown");
  const refused = await arm.call("PUT", path, {
    properties: { policyAssignmentId: assignment.replace("attest-coding-vulnerabilities", "inherit-costcenter") },
  });
  expect(refused.body.error.code).toBe("InvalidCreateAttestationRequest");
});

describe("remediations", () => {
  const assignmentName = "inherit-costcenter";
  const assignment = () => `${arm.subscription}/providers/Microsoft.Authorization/policyAssignments/${assignmentName}`;

  test("one lives from Accepted to Succeeded and leaves its resources compliant", async () => {
    const scope = `${arm.subscription}/resourceGroups/rg-orders-prod-01`;
    const failing = () => arm.all(scope, `&$filter=${nonCompliant} and policyAssignmentName eq '${assignmentName}'`);
    const before = await failing();
    expect(before.length).toBeGreaterThan(0);
    const path = `${scope}${insights}/remediations/tags`;
    const made = await arm.call("PUT", path, { properties: { policyAssignmentId: assignment() } });
    expect([made.status, made.body.properties.provisioningState]).toEqual([201, "Accepted"]);
    const { clock } = arm.emulator.runtime;
    await arm.emulator.advance(clock.now() + clock.paced(16_000));
    const running = await arm.call("GET", path);
    expect(running.body.properties).toMatchObject({
      provisioningState: "Running",
      deploymentStatus: { totalDeployments: before.length, successfulDeployments: 0 },
    });
    await arm.emulator.advance(clock.now() + clock.paced(16_000));
    expect((await arm.call("GET", path)).body.properties.provisioningState).toBe("Succeeded");
    expect(await failing()).toEqual([]);
    const deployments = await arm.call("POST", `${path}/listDeployments`);
    expect(deployments.body.value).toHaveLength(before.length);
    const tracked = await arm.call(
      "POST",
      `${scope}${insights}/policyTrackedResources/default/queryResults?api-version=2018-07-01-preview`,
    );
    expect(tracked.body.value).toHaveLength(before.length);
    const again = await arm.call("POST", `${path}/cancel`);
    expect(again.body.error.code).toBe("InvalidCancelRemediationRequest");
    expect((await arm.call("DELETE", path)).status).toBe(200);
    expect((await arm.call("DELETE", path)).status).toBe(204);
  });

  test("a cancelled one changes nothing", async () => {
    const path = `${arm.subscription}/resourceGroups/rg-search-prod-01${insights}/remediations/tags`;
    await arm.call("PUT", path, { properties: { policyAssignmentId: assignment() } });
    expect((await arm.call("POST", `${path}/cancel`)).body.properties.provisioningState).toBe("Cancelling");
    const { clock } = arm.emulator.runtime;
    await arm.emulator.advance(clock.now() + clock.paced(60_000));
    expect((await arm.call("GET", path)).body.properties.provisioningState).toBe("Canceled");
  });

  test("an audit policy has nothing to remediate with", async () => {
    const path = `${arm.subscription}${insights}/remediations/no`;
    const policyAssignmentId = `/providers/Microsoft.Management/managementGroups/${arm.emulator.runtime.state.tenant().tenantId}/providers/Microsoft.Authorization/policyAssignments/audit-location-matches-group`;
    const refused = await arm.call("PUT", path, { properties: { policyAssignmentId } });
    expect([refused.status, refused.body.error.code]).toEqual([400, "InvalidCreateRemediationRequest"]);
  });
});

test("a triggered evaluation looks at everything again, one scan a scope at a time", async () => {
  const scope = `${arm.subscription}/resourceGroups/rg-mail-prod-01`;
  const trigger = () => arm.call("POST", `${scope}${insights}/policyStates/latest/triggerEvaluation`);
  const before = await arm.all(scope);
  const first = await trigger();
  expect([first.status, first.headers.get("retry-after")]).toEqual([202, "1"]);
  const location = first.headers.get("location") ?? "";
  expect((await trigger()).headers.get("location")).toBe(location);
  expect((await arm.call("GET", location)).status).toBe(202);
  const { clock } = arm.emulator.runtime;
  await arm.emulator.advance(clock.now() + clock.paced(10_000));
  expect(await arm.call("GET", location)).toMatchObject({ status: 200, body: { status: "Succeeded" } });
  const after = await arm.all(scope);
  expect(after).toHaveLength(before.length);
  expect(new Set(after.map((row) => row.timestamp)).size).toBe(1);
  const codes = (rows: typeof after) =>
    rows
      .map(
        (row) =>
          `${row.resourceId} ${row.policyAssignmentId} ${row.policyDefinitionReferenceId} ${row.complianceState}`,
      )
      .toSorted();
  // A conflict is between policies: a rule alone finds the value wrong.
  const settled = (all: readonly string[]) => all.map((each) => each.replace(/ Conflict$/, " NonCompliant"));
  expect(codes(after)).toEqual(settled(codes(before)));
});

test("reset takes all of it back", async () => {
  const fresh = await startArm();
  try {
    expect(await arm.all(arm.subscription)).not.toEqual(await fresh.all(fresh.subscription));
    arm.emulator.runtime.store.reset();
    const window = "&$to=2025-01-15T12:00:00Z";
    expect(await arm.all(arm.subscription, window)).toEqual(await fresh.all(fresh.subscription, window));
  } finally {
    await fresh.emulator.close();
  }
});
