/** What clients write passes the policies that they assigned: it is amended, or refused. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ArmClient, startArm } from "./arm-client.ts";

let arm: ArmClient;
beforeAll(async () => {
  arm = await startArm();
});
afterAll(() => arm.emulator.close());

const authorization = "/providers/Microsoft.Authorization";
const group = (name = "rg-web-prod-01") => `${arm.subscription}/resourceGroups/${name}`;
const account = (name: string, within = group()) => `${within}/providers/Microsoft.Storage/storageAccounts/${name}`;
const secureTransfer = `${authorization}/policyDefinitions/404c3081-a854-4457-ae30-26a93ef643f9`;
const body = (https: boolean) => ({ location: "westeurope", properties: { supportsHttpsTrafficOnly: https } });

interface Refused {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly target: string;
    readonly additionalInfo: readonly { readonly type: string; readonly info: Record<string, unknown> }[];
  };
}

/** A literal with this member would look like a promise. */
const rule = (condition: unknown, effect: string, details?: unknown) => ({
  if: condition,
  ["th" + "en"]: { effect, ...(details === undefined ? {} : { details }) },
});

async function assign(name: string, properties: object, scope = group(), more: object = {}) {
  const id = `${scope}${authorization}/policyAssignments/${name}`;
  const answer = await arm.call("PUT", id, { properties, ...more });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return id;
}

async function define(name: string, policyRule: unknown, parameters?: object) {
  const id = `${arm.subscription}${authorization}/policyDefinitions/${name}`;
  const answer = await arm.call("PUT", id, { properties: { mode: "All", policyRule, parameters } });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return id;
}

test("nothing that is seeded refuses a write", async () => {
  expect((await arm.call("PUT", account("stfree"), body(false))).status).toBe(201);
  const list = await arm.call<{ value: { name: string; properties: { enforcementMode: string } }[] }>(
    "GET",
    `${arm.subscription}${authorization}/policyAssignments`,
  );
  const modes = new Map(list.body.value.map(({ name, properties }) => [name, properties.enforcementMode]));
  expect([modes.get("require-costcenter"), modes.get("SecurityCenterBuiltIn")]).toEqual(["DoNotEnforce", "Default"]);
});

test("deny refuses what it finds fault with, says who and why, and changes nothing", async () => {
  const assignment = await assign("https-only", {
    policyDefinitionId: secureTransfer,
    displayName: "HTTPS only",
    parameters: { effect: { value: "Deny" } },
  });
  const refused = await arm.call<Refused>("PUT", account("stdenied"), body(false));
  expect(refused.status).toBe(403);
  expect(refused.body.error).toMatchObject({
    code: "RequestDisallowedByPolicy",
    target: "stdenied",
    message: expect.stringMatching(
      /^Resource 'stdenied' was disallowed by policy\. Policy identifiers: '\[\{"policyAssignment":\{"name":"HTTPS only","id":"/,
    ),
    additionalInfo: [
      {
        type: "PolicyViolation",
        info: {
          policyAssignmentId: assignment,
          policyDefinitionEffect: "deny",
          policyAssignmentParameters: { effect: { value: "Deny" } },
          evaluationDetails: {
            evaluatedExpressions: expect.arrayContaining([
              expect.objectContaining({
                expression: "Microsoft.Storage/storageAccounts/supportsHttpsTrafficOnly",
                expressionValue: false,
                targetValue: true,
                operator: "NotEquals",
                result: "True",
              }),
            ]),
          },
        },
      },
    ],
  });
  expect((await arm.call("GET", account("stdenied"))).status).toBe(404);
  expect((await arm.call("PUT", account("stallowed"), body(true))).status).toBe(201);
  const worse = await arm.call<Refused>("PATCH", account("stallowed"), {
    properties: { supportsHttpsTrafficOnly: false },
  });
  expect(worse.body.error.code).toBe("RequestDisallowedByPolicy");
  // Another group is not its scope; what was there before is only found non-compliant.
  expect((await arm.call("PUT", account("stother", group("rg-data-prod-01")), body(false))).status).toBe(201);
  expect(await arm.all(assignment, "&$filter=complianceState eq 'NonCompliant'&$select=resourceId")).toContainEqual(
    expect.objectContaining({ resourceId: account("stfree").toLowerCase() }),
  );
});

test("a message of its own, an exemption and DoNotEnforce", async () => {
  const properties = { policyDefinitionId: secureTransfer, parameters: { effect: { value: "Deny" } } };
  const assignment = await assign("https-only", {
    ...properties,
    nonComplianceMessages: [{ message: "Ask for HTTPS." }],
  });
  const put = async (name: string) => arm.call<Refused>("PUT", account(name), body(false));
  expect((await put("stmessage")).body.error.message).toBe(
    "Resource 'stmessage' was disallowed by policy. Reasons: 'Ask for HTTPS.'. See error details for policy resource IDs.",
  );
  const exemption = `${group()}${authorization}/policyExemptions/for-now`;
  await arm.call("PUT", exemption, { properties: { policyAssignmentId: assignment, exemptionCategory: "Waiver" } });
  expect((await put("stexempt")).status).toBe(201);
  await arm.call("DELETE", exemption);
  expect((await put("stmessage")).status).toBe(403);
  await assign("https-only", { ...properties, enforcementMode: "DoNotEnforce" });
  expect((await put("stmessage")).status).toBe(201);
});

test("modify and append complete what is written before deny looks at it", async () => {
  const cost = await define(
    "cost-tag",
    rule({ field: "tags['cost']", exists: false }, "modify", {
      roleDefinitionIds: ["/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"],
      operations: [
        { operation: "add", field: "tags['cost']", value: "[parameters('cost')]" },
        { operation: "addOrReplace", field: "Microsoft.Storage/storageAccounts/minimumTlsVersion", value: "TLS1_2" },
        { operation: "remove", field: "tags['old']" },
      ],
    }),
    { cost: { type: "String" } },
  );
  const scope = group("rg-data-prod-01");
  const identity = { identity: { type: "SystemAssigned" }, location: "westeurope" };
  await assign("cost-tag", { policyDefinitionId: cost, parameters: { cost: { value: "4711" } } }, scope, identity);
  const owner = await define(
    "owner-tag",
    rule({ field: "tags['owner']", exists: "false" }, "append", [{ field: "tags['owner']", value: "nobody" }]),
  );
  await assign("owner-tag", { policyDefinitionId: owner }, scope);
  const tagged = await define("tagged", rule({ field: "tags['cost']", exists: "false" }, "deny"));
  await assign("tagged", { policyDefinitionId: tagged }, scope);
  const made = await arm.call("PUT", account("stamended", scope), { ...body(true), tags: { old: "1", team: "x" } });
  expect([made.status, made.body]).toMatchObject([
    201,
    { tags: { cost: "4711", owner: "nobody", team: "x" }, properties: { minimumTlsVersion: "TLS1_2" } },
  ]);
  expect((await arm.call("GET", account("stamended", scope))).body).toEqual(made.body);
  expect(made.body).not.toMatchObject({ tags: { old: "1" } });
});

test("append adds to an array, and refuses to replace what was sent; members beside properties are found", async () => {
  const scope = group("rg-web-prod-01");
  const storage = "Microsoft.Storage/storageAccounts";
  const rules = `${storage}/networkAcls.ipRules`;
  const definition = await define(
    "office-only",
    rule({ field: "type", equals: storage }, "append", [
      { field: `${rules}[*]`, value: { value: "203.0.113.7", action: "Allow" } },
      { field: `${storage}/sku.name`, value: "Standard_LRS" },
    ]),
  );
  await assign("office-only", { policyDefinitionId: definition }, scope);
  const own = { value: "203.0.113.1", action: "Allow" };
  const send = (name: string, sku: object) =>
    arm.call<Refused>("PUT", account(name, scope), {
      location: "westeurope",
      ...sku,
      properties: { supportsHttpsTrafficOnly: true, networkAcls: { ipRules: [own] } },
    });
  expect(await send("stoffice", {})).toMatchObject({
    status: 201,
    body: {
      sku: { name: "Standard_LRS" },
      properties: { networkAcls: { ipRules: [own, { value: "203.0.113.7", action: "Allow" }] } },
    },
  });
  expect(await send("stsame", { sku: { name: "Standard_LRS" } })).toMatchObject({ status: 201 });
  expect(await send("stother", { sku: { name: "Premium_LRS" } })).toMatchObject({
    status: 403,
    body: { error: { code: "RequestDisallowedByPolicy" } },
  });
});

test("groups are refused as well, and denyAction keeps what it names from being deleted", async () => {
  const named = await define(
    "named-groups",
    rule(
      {
        allOf: [
          { field: "type", equals: "Microsoft.Resources/subscriptions/resourceGroups" },
          { field: "name", notLike: "rg-*" },
        ],
      },
      "deny",
    ),
  );
  await assign("named-groups", { policyDefinitionId: named }, arm.subscription);
  const refused = await arm.call<Refused>("PUT", group("mine"), { location: "westeurope" });
  expect([refused.status, refused.body.error.code]).toEqual([403, "RequestDisallowedByPolicy"]);
  expect((await arm.call("PUT", group("rg-mine"), { location: "westeurope" })).status).toBe(201);
  await assign("keep", {
    policyDefinitionId: `${authorization}/policyDefinitions/78460a36-508a-49a4-b2b2-2f5ec564f4bb`,
    parameters: { listOfResourceTypesDisallowedForDeletion: { value: ["Microsoft.Storage/storageAccounts"] } },
  });
  const kept = await arm.call<Refused>("DELETE", account("stallowed"));
  expect([kept.status, kept.body.error.message]).toEqual([
    403,
    expect.stringContaining("Deletion of resource 'stallowed' was disallowed by policy."),
  ]);
  expect((await arm.call("GET", account("stallowed"))).status).toBe(200);
});

test("a remediation makes the changes of a client's own definition, whatever is assigned meanwhile", async () => {
  const scope = group("rg-orders-prod-01");
  const team = await define(
    "team-tag",
    rule({ field: "tags['team']", exists: "false" }, "modify", {
      roleDefinitionIds: ["/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"],
      operations: [{ operation: "addOrReplace", field: "tags['team']", value: "[concat('of-', field('type'))]" }],
    }),
  );
  const identity = { identity: { type: "SystemAssigned" }, location: "westeurope" };
  const assignment = await assign("team-tag", { policyDefinitionId: team }, scope, identity);
  const failing = () => arm.all(assignment, "&$filter=complianceState eq 'NonCompliant'");
  const before = await failing();
  expect(before.length).toBeGreaterThan(20);
  const path = `${scope}/providers/Microsoft.PolicyInsights/remediations/team`;
  await arm.call("PUT", path, { properties: { policyAssignmentId: assignment } });
  const { clock } = arm.emulator.runtime;
  await arm.emulator.advance(clock.now() + clock.paced(16_000));
  const elsewhere = "/providers/Microsoft.Management/managementGroups/mg-landingzones";
  await assign("before-all-others", { policyDefinitionId: secureTransfer }, elsewhere);
  await arm.call("DELETE", `${arm.subscription}${authorization}/policyAssignments/deploy-keyvault-diagnostics`);
  await arm.emulator.advance(clock.now() + clock.paced(16_000));
  expect(await failing()).toEqual([]);
  const resource = before.find((row) => row.resourceId.includes("/providers/"));
  const body = (await arm.call("GET", resource?.resourceId ?? "")).body;
  expect(body).toMatchObject({ tags: { team: expect.stringMatching(/^of-Microsoft\./) } });
  const own = (await arm.call("GET", scope)).body;
  expect(own).toMatchObject({ tags: { team: "of-Microsoft.Resources/subscriptions/resourceGroups" } });
});

test("remediations are listed with those below a scope, by assignment; what is out of bounds is refused", async () => {
  const list = async (scope: string, query = "") => {
    const path = `${scope}/providers/Microsoft.PolicyInsights/remediations${query}`;
    const answer = await arm.call("GET", path);
    return answer.status === 200 ? answer.body.value.map(({ name }) => name) : answer.body.error.code;
  };
  expect(await list(arm.subscription)).toEqual(["team"]);
  expect(await list(group("rg-orders-prod-01"))).toEqual(["team"]);
  expect(await list(group())).toEqual([]);
  expect(await list(arm.subscription, "?$filter=policyAssignmentId eq '/none'")).toEqual([]);
  expect(await list(arm.subscription, "?$filter=name eq 'team'")).toBe("InvalidFilterInQueryString");
  expect(await list(arm.subscription, "?$top=many")).toBe("InvalidTopInQueryString");
  const policyAssignmentId = `${group("rg-orders-prod-01")}${authorization}/policyAssignments/team-tag`;
  const path = `${group("rg-orders-prod-01")}/providers/Microsoft.PolicyInsights/remediations/wrong`;
  for (const [member, value] of [
    ["resourceCount", 0],
    ["parallelDeployments", 31],
    ["failureThreshold", { percentage: 7 }],
    ["resourceDiscoveryMode", "Guess"],
  ] as const) {
    const refused = await arm.call("PUT", path, { properties: { policyAssignmentId, [member]: value } });
    expect([refused.status, refused.body.error.code]).toEqual([400, "InvalidCreateRemediationRequest"]);
    expect(refused.body.error.message).toContain(member);
  }
});
