/** A strict seed does what Azure does where clients usually expect lenience; another seed helps them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Anything, type ArmClient, startArm } from "./arm-client.ts";

let arm: ArmClient;
beforeAll(async () => {
  arm = await startArm();
});
afterAll(() => arm.emulator.close());

const insights = "/providers/Microsoft.PolicyInsights";
const set = "1f3afdf9-d0c9-4c3d-847f-89da613e70a8";

function strictly(strict: boolean): void {
  const { store, state } = arm.emulator.runtime;
  store.write(() => state.setEstate({ seed: "strict", groupsPerSubscription: 20, resourcesPerGroup: 50, strict }));
}

describe.each([false, true])("strict: %s", (strict) => {
  beforeAll(() => strictly(strict));

  test("nextLink by GET", async () => {
    const path = `${arm.subscription}${insights}/policyStates/latest/queryResults?api-version=2024-10-01`;
    const next = (await arm.call("POST", path)).body["@odata.nextLink"] ?? expect.fail("one page");
    const followed = await arm.call("GET", next);
    if (!strict) return expect(followed.status).toBe(200);
    expect([followed.status, followed.body.error]).toEqual([
      404,
      {
        code: "ResourceTypeNotSupported",
        message: "Unsupported resource type: 'Microsoft.PolicyInsights/policyStates/queryResults'.",
      },
    ]);
    expect((await arm.call("POST", next)).body.value).toHaveLength(1000);
  });

  test("a built-in set's states under a subscription", async () => {
    const rows = await arm.all(`${arm.subscription}/providers/Microsoft.Authorization/policySetDefinitions/${set}`);
    if (strict) expect(rows).toEqual([]);
    else expect(rows.length).toBeGreaterThan(100);
  });

  test("$top of a summary", async () => {
    const summary = async (query: string) => {
      const path = `${arm.subscription}${insights}/policyStates/latest/summarize?api-version=2024-10-01${query}`;
      const { body } = await arm.call<{ value: { policyAssignments: Anything[] }[] }>("POST", path);
      return body.value[0]?.policyAssignments.length ?? 0;
    };
    expect(await summary("&$top=2")).toBe(strict ? await summary("") : 2);
  });

  test("a scan says when to ask again, or does not", async () => {
    const started = await arm.call("POST", `${arm.subscription}${insights}/policyStates/latest/triggerEvaluation`);
    expect([started.status, started.headers.get("retry-after")]).toEqual([202, strict ? null : "1"]);
  });

  test("an Event Grid endpoint over plain HTTP", async () => {
    const destination = { endpointType: "WebHook", properties: { endpointUrl: "http://127.0.0.1:9/hook" } };
    const path = `${arm.subscription}/providers/Microsoft.EventGrid/eventSubscriptions/plain`;
    expect((await arm.call("PUT", path, { properties: { destination } })).status).toBe(strict ? 400 : 201);
  });
});
