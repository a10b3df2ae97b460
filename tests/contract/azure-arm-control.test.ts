/** Azure Resource Manager through the control API: what it answers is what the official client reads. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { policyOf } from "./console-data.ts";

let suite: Suite;
beforeAll(async () => {
  suite = await createSuite({ only: ["azure-policyinsights"], clock: "frozen@2025-01-15T12:00:00Z" });
});
afterAll(() => suite.close());

const base = "/_backlot/azure-policyinsights/arm";
const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${suite.services["azure-policyinsights"]?.httpUrl}${base}${path}`, init);

test("a summary is the client's, without a token", async () => {
  const subscription = suite.env.AZURE_SUBSCRIPTION_ID ?? "";
  const { value = [] } = await policyOf(suite).policyStates.summarizeForSubscription("latest", subscription);
  const path = `/subscriptions/${subscription}/providers/Microsoft.PolicyInsights/policyStates/latest/summarize`;
  const answer = await ask(`${path}?api-version=2024-10-01`, { method: "POST" });
  const body = (await answer.json()) as { value: { results: { nonCompliantResources: number } }[] };
  expect(body.value[0]?.results.nonCompliantResources).toBe(value[0]?.results?.nonCompliantResources);
  expect(answer.headers.get("x-ms-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});

test("errors are Azure's own, and nothing is shown in real mode", async () => {
  const unknown = await ask("/subscriptions/0?api-version=2022-12-01");
  expect([unknown.status, await unknown.json()]).toMatchObject([400, { error: { code: "InvalidSubscriptionId" } }]);
  const nowhere = await ask("/nowhere?api-version=2022-12-01");
  expect([nowhere.status, await nowhere.json()]).toMatchObject([404, { error: { code: "InvalidResourceType" } }]);
  await suite.control("PUT", "/_backlot/mode", { mode: "real" });
  expect((await ask("/subscriptions?api-version=2022-12-01")).status).toBe(503);
  await suite.control("PUT", "/_backlot/mode", { mode: "mock" });
});
