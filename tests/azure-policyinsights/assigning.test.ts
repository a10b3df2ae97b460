/** What definitions, initiatives and assignments say is checked as in Azure, and followed. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Anything, type ArmClient, startArm } from "./arm-client.ts";

let arm: ArmClient;
/** Where the resources of the group are: most at the first. */
let places: readonly string[];
beforeAll(async () => {
  arm = await startArm();
  const rows = await arm.all(
    groupScope(),
    "&$apply=groupby((resourceLocation),aggregate($count as n))&$orderby=n desc",
  );
  places = rows.map((row) => (row as Anything & { resourceLocation: string }).resourceLocation);
  expect(places.length).toBeGreaterThan(1);
});
afterAll(() => arm.emulator.close());

const authorization = "/providers/Microsoft.Authorization";
const groupScope = () => `${arm.subscription}/resourceGroups/rg-web-prod-01`;
const definitionId = (name: string) => `${arm.subscription}${authorization}/policyDefinitions/${name}`;
const setId = (name: string) => `${arm.subscription}${authorization}/policySetDefinitions/${name}`;
const assignmentId = (name: string) => `${groupScope()}${authorization}/policyAssignments/${name}`;
const builtIn = (id: string) => `${authorization}/policyDefinitions/${id}`;
const allowedLocations = builtIn("e56962a6-4747-49cd-b67b-bf8b01975c4c");
const inheritTag = builtIn("ea3f2387-9b95-492a-a190-fcdc54f7b070");
const secureTransfer = builtIn("404c3081-a854-4457-ae30-26a93ef643f9");

/** A literal with this member would look like a promise. */
const rule = (condition: unknown, effect: string, details?: unknown) => ({
  if: condition,
  ["th" + "en"]: { effect, ...(details === undefined ? {} : { details }) },
});
const whereAllowed = { field: "location", notIn: "[parameters('allowed')]" };
const allowed = { allowed: { type: "Array" } };
const effect = { effect: { type: "String", allowedValues: ["Audit", "Disabled"], defaultValue: "Audit" } };

async function define(name: string, properties: object) {
  const answer = await arm.call("PUT", definitionId(name), { properties: { mode: "Indexed", ...properties } });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
}

async function assign(name: string, properties: object, more: object = {}) {
  const answer = await arm.call("PUT", assignmentId(name), { properties, ...more });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body;
}

const statesOf = (name: string, query = "") => arm.all(assignmentId(name), query);
const locationsOf = async (name: string, compliance: string) => {
  const rows = await statesOf(name, `&$filter=complianceState eq '${compliance}'&$select=resourceLocation`);
  return new Set(rows.map((row) => (row as Anything & { resourceLocation: string }).resourceLocation));
};

describe("refusals", () => {
  const type = { field: "type", equals: "Microsoft.Cache/redis" };
  test.each<[string, unknown, string, string]>([
    ["a rule inside a rule", { policyRule: { policyRule: rule(type, "audit") } }, "InvalidPolicyRule", "'policyRule'"],
    ["no then", { policyRule: { if: type } }, "InvalidPolicyRule", "Required property 'then' not found"],
    ["no comparison", { policyRule: rule({ field: "type" }, "audit") }, "InvalidPolicyRule", "Path 'if'"],
    [
      "a comparison that is none",
      { policyRule: rule({ allOf: [type, { field: "name", equal: "x" }] }, "audit") },
      "InvalidPolicyRule",
      "Could not find member 'equal' on object of type 'LeafExpressionDefinition'. Path 'if.allOf[1].equal'.",
    ],
    ["two comparisons", { policyRule: rule({ ...type, like: "*" }, "audit") }, "InvalidPolicyRule", "Path 'if'"],
    ["nothing compared", { policyRule: rule({ equals: "x" }, "audit") }, "InvalidPolicyRule", "'field'"],
    ["no effect", { policyRule: rule(type, "") }, "InvalidPolicyRule", "'effect'"],
    ["an unknown effect", { policyRule: rule(type, "forbid") }, "InvalidPolicyRuleEffect", "'forbid'"],
    ["modify without operations", { policyRule: rule(type, "modify") }, "InvalidPolicyRuleEffectDetails", "details"],
    [
      "no related type",
      { policyRule: rule(type, "auditIfNotExists", {}) },
      "InvalidPolicyRuleEffectDetails",
      "details",
    ],
    [
      "an unused parameter",
      { policyRule: rule(type, "audit"), parameters: allowed },
      "UnusedPolicyParameters",
      "allowed",
    ],
    ["an undeclared parameter", { policyRule: rule(whereAllowed, "audit") }, "InvalidPolicyRule", "'allowed'"],
  ])("a definition with %s", async (_, properties, code, text) => {
    const answer = await arm.call("PUT", definitionId("refused"), { properties });
    expect([answer.status, answer.body.error.code]).toEqual([400, code]);
    expect(answer.body.error.message).toContain(text);
    expect((await arm.call("GET", definitionId("refused"))).status).toBe(404);
  });

  test.each<[string, unknown, string, string]>([
    [
      "without a parameter",
      { policyDefinitionId: allowedLocations },
      "MissingPolicyParameter",
      "The policy assignment 'refused' is missing the parameter(s) 'listOfAllowedLocations' as defined in the policy definition 'e56962a6-4747-49cd-b67b-bf8b01975c4c'.",
    ],
    [
      "with an effect that is not allowed",
      { policyDefinitionId: secureTransfer, parameters: { effect: { value: "Modify" } } },
      "PolicyParameterValueNotAllowed",
      "The allowed values are 'Audit, Deny, Disabled'.",
    ],
    [
      "that changes resources, without an identity",
      { policyDefinitionId: inheritTag, parameters: { tagName: { value: "x" } } },
      "ResourceIdentityRequired",
      "'managed identity' when assigning 'modify'",
    ],
    [
      "with an enforcement mode that is none",
      { policyDefinitionId: secureTransfer, enforcementMode: "Never" },
      "InvalidRequestContent",
      "'Never'",
    ],
    [
      "with a version pattern that is none",
      { policyDefinitionId: secureTransfer, definitionVersion: "newest" },
      "InvalidRequestContent",
      "'newest'",
    ],
  ])("an assignment %s", async (_, properties, code, text) => {
    const answer = await arm.call("PUT", assignmentId("refused"), { properties });
    expect([answer.status, answer.body.error.code]).toEqual([400, code]);
    expect(answer.body.error.message).toContain(text);
  });

  test("a parameter nobody declared, in an assignment and in an initiative", async () => {
    await define("plain", { policyRule: rule(type, "audit") });
    const parameters = { extra: { value: 1 } };
    const assigned = await arm.call("PUT", assignmentId("refused"), {
      properties: { policyDefinitionId: definitionId("plain"), parameters },
    });
    expect(assigned.body.error).toEqual({
      code: "UndefinedPolicyParameter",
      message:
        "The policy assignment 'refused' has the parameter(s) 'extra' which are not defined in the policy definition 'plain'.",
    });
    const policyDefinitions = [{ policyDefinitionId: definitionId("plain"), parameters }];
    const set = await arm.call("PUT", setId("refused"), { properties: { policyDefinitions } });
    expect(set.body.error.message).toBe(
      "The policy set definition 'refused' is attempting to assign the parameter(s) 'extra' which are not defined in the policy definition 'plain'.",
    );
    const nested = await arm.call("PUT", setId("refused"), {
      properties: { policyDefinitions: [{ policyDefinitionId: setId("other") }] },
    });
    expect(nested.body.error.code).toBe("InvalidCreatePolicySetDefinitionRequest");
  });

  test("what is in use cannot be deleted", async () => {
    await define("used", { policyRule: rule(type, "audit") });
    await arm.call("PUT", setId("using"), {
      properties: { policyDefinitions: [{ policyDefinitionId: definitionId("used") }] },
    });
    await assign("using", { policyDefinitionId: setId("using") });
    const refusal = async (id: string) => (await arm.call("DELETE", id)).body.error;
    expect(await refusal(definitionId("used"))).toMatchObject({
      code: "InvalidDeletePolicyDefinitionRequest",
      message: expect.stringContaining(`referenced by the policy set definition '${setId("using").toLowerCase()}'`),
    });
    expect(await refusal(setId("using"))).toMatchObject({ code: "InvalidDeletePolicySetDefinitionRequest" });
    for (const id of [assignmentId("using"), setId("using"), definitionId("used")])
      expect((await arm.call("DELETE", id)).status).toBe(200);
  });
});

describe("what is followed", () => {
  test("the values that an initiative hands on, its own or from its assignment", async () => {
    await define("where", { policyRule: rule(whereAllowed, "audit"), parameters: allowed });
    const set = await arm.call<{ properties: { policyDefinitions: { policyDefinitionReferenceId: string }[] } }>(
      "PUT",
      setId("wheres"),
      {
        properties: {
          parameters: { places: { type: "Array" } },
          policyDefinitions: [
            {
              policyDefinitionId: definitionId("where"),
              policyDefinitionReferenceId: "fixed",
              parameters: { allowed: { value: [places[0]] } },
            },
            { policyDefinitionId: definitionId("where"), parameters: { allowed: { value: "[parameters('places')]" } } },
          ],
        },
      },
    );
    const [, second] = set.body.properties.policyDefinitions;
    // Azure numbers what has no reference.
    expect(second?.policyDefinitionReferenceId).toMatch(/^\d{10,20}$/);
    await assign("wheres", { policyDefinitionId: setId("wheres"), parameters: { places: { value: [places[1]] } } });
    const compliant = async (reference = "") => {
      const rows = await statesOf(
        "wheres",
        `&$filter=isCompliant eq true and policyDefinitionReferenceId eq '${reference}'&$select=resourceLocation`,
      );
      return new Set(rows.map((row) => (row as Anything & { resourceLocation: string }).resourceLocation));
    };
    expect(await compliant("fixed")).toEqual(new Set([places[0]]));
    expect(await compliant(second?.policyDefinitionReferenceId)).toEqual(new Set([places[1]]));
  });

  test("the effect that an assignment gives, and what is disabled has no states", async () => {
    await define("any", {
      policyRule: rule({ field: "type", like: "*" }, "[parameters('effect')]"),
      parameters: effect,
    });
    const policyDefinitionId = definitionId("any");
    const actions = async () =>
      new Set(
        (await statesOf("any")).map(
          (row) => (row as Anything & { policyDefinitionAction: string }).policyDefinitionAction,
        ),
      );
    await assign("any", { policyDefinitionId });
    expect(await actions()).toEqual(new Set(["audit"]));
    await assign("any", { policyDefinitionId, parameters: { effect: { value: "Disabled" } } });
    expect(await actions()).toEqual(new Set());
    await assign("any", { policyDefinitionId: secureTransfer, parameters: { effect: { value: "Deny" } } });
    expect(await actions()).toEqual(new Set(["deny"]));
    const overrides = [{ kind: "policyEffect", value: "Disabled" }];
    expect((await arm.call("PATCH", assignmentId("any"), { properties: { overrides } })).status).toBe(200);
    expect(await actions()).toEqual(new Set());
  });

  test("definitionVersion: the newest version that its pattern asks for", async () => {
    await define("places", {
      version: "1.0.0",
      policyRule: rule({ field: "location", notEquals: places[0] }, "audit"),
    });
    const policyDefinitionId = definitionId("places");
    await assign("first", { policyDefinitionId, definitionVersion: "1.*.*" });
    await assign("newest", { policyDefinitionId });
    const write = (version: string, location = "") =>
      arm.call("PUT", `${policyDefinitionId}/versions/${version}`, {
        properties: { policyRule: rule({ field: "location", notEquals: location }, "audit") },
      });
    await write("2.0.0", places[1]);
    expect(await locationsOf("newest", "Compliant")).toEqual(new Set([places[1]]));
    expect(await locationsOf("first", "Compliant")).toEqual(new Set([places[0]]));
    await write("1.1.0", "antarctica");
    expect(await locationsOf("first", "Compliant")).toEqual(new Set());
    const [row] = await statesOf("first", "&$top=1");
    expect(row).toMatchObject({ policyDefinitionVersion: "1.1.0" });
    expect((await arm.call("GET", assignmentId("first"))).body.properties).toMatchObject({
      definitionVersion: "1.*.*",
    });
    const missing = await arm.call("PUT", assignmentId("third"), {
      properties: { policyDefinitionId, definitionVersion: "3.*.*" },
    });
    expect([missing.status, missing.body.error.code]).toEqual([404, "PolicyDefinitionVersionNotFound"]);
  });

  test("an identity has a principal, which stays the same", async () => {
    const made = await assign(
      "changing",
      { policyDefinitionId: inheritTag, parameters: { tagName: { value: "x" } } },
      { identity: { type: "SystemAssigned" }, location: "westeurope" },
    );
    const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
    const { tenantId } = arm.emulator.runtime.state.tenant();
    expect(made).toMatchObject({
      identity: { type: "SystemAssigned", principalId: expect.stringMatching(uuid), tenantId },
      systemData: { createdByType: "Application", createdAt: "2025-01-15T12:00:00.000Z" },
    });
    expect((await arm.call("GET", assignmentId("changing"))).body).toEqual(made);
    const nowhere = await arm.call("PUT", assignmentId("nowhere"), {
      identity: { type: "SystemAssigned" },
      properties: { policyDefinitionId: secureTransfer },
    });
    expect(nowhere.body.error.code).toBe("LocationRequired");
  });
});

describe("lists", () => {
  const names = async (path: string) => {
    const answer = await arm.call("GET", path);
    return answer.status === 200 ? answer.body.value.map(({ name }) => name) : answer.body.error.code;
  };

  test("assignments by definition and by how they reach a scope", async () => {
    await assign("listed", { policyDefinitionId: secureTransfer });
    const list = (scope: string, filter: string) =>
      names(`${scope}${authorization}/policyAssignments?$filter=${filter}`);
    expect(await list(groupScope(), `policyDefinitionId eq '${secureTransfer}'`)).toEqual(["any", "listed"]);
    expect(await list(arm.subscription, "atExactScope()")).not.toContain("listed");
    expect(await list(arm.subscription, "atScope()")).toEqual(
      expect.arrayContaining(["require-costcenter", "SecurityCenterBuiltIn"]),
    );
    expect(await list(arm.subscription, "atScope()")).not.toContain("listed");
    expect(await list("/providers/Microsoft.Management/managementGroups/mg-corp", "atScope()")).toContain(
      "cis-azure-2-0-0",
    );
    expect(await list(arm.subscription, "name eq 'x'")).toBe("InvalidFilterInQueryString");
    expect(await names(`${arm.subscription}${authorization}/policyAssignments?$top=2`)).toHaveLength(2);
  });

  test("definitions by type, category and scope", async () => {
    await define("own", { policyRule: rule({ field: "name", equals: "x" }, "audit"), metadata: { category: "Mine" } });
    const list = (filter: string) => names(`${arm.subscription}${authorization}/policyDefinitions?$filter=${filter}`);
    expect(await list("category eq 'Mine'")).toEqual(["own"]);
    expect(await list("atExactScope()")).toEqual(await list("policyType eq 'Custom'"));
    expect(await list("policyType -eq 'BuiltIn'")).not.toContain("own");
    expect(await list("mode eq 'All'")).toBe("InvalidFilterInQueryString");
  });

  test("exemptions by assignment, scope and expiry", async () => {
    const path = `${groupScope()}${authorization}/policyExemptions`;
    const policyAssignmentId = `${arm.subscription}${authorization}/policyAssignments/SecurityCenterBuiltIn`;
    const put = (name: string, expiresOn: string) =>
      arm.call("PUT", `${path}/${name}`, {
        properties: { policyAssignmentId, exemptionCategory: "Waiver", expiresOn },
      });
    expect((await put("over", "2025-01-01T00:00:00Z")).body).toMatchObject({
      systemData: { createdAt: "2025-01-15T12:00:00.000Z" },
    });
    await put("later", "2025-12-31T00:00:00Z");
    expect((await put("never", "tomorrow")).body.error.code).toBe("InvalidRequestContent");
    expect(await names(`${path}?$filter=atExactScope()`)).toEqual(["later", "over"]);
    expect(await names(`${path}?$filter=atExactScope() and excludeExpired()`)).toEqual(["later"]);
    expect(await names(`${path}?$filter=policyAssignmentId eq '/none'`)).toEqual([]);
    expect((await names(path)).length).toBeGreaterThan(2);
    expect(await names(`${path}?$filter=expired()`)).toBe("InvalidFilterInQueryString");
  });
});
