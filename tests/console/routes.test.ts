import { expect, onTestFinished, test } from "vitest";
import { passes } from "../../emulators/suite/console/member-routes.ts";
import { createSuite } from "../../emulators/suite/suite.ts";

test.each([
  ["GET", "journal", true],
  ["GET", "webhooks/deliveries/whd_1", true],
  ["GET", "smtp/messages/abc/raw", true],
  ["POST", "dead-letters/replay", true],
  ["DELETE", "webhooks/endpoints/ep_1", true],
  ["POST", "smtp/messages/abc/events", true],
  ["GET", "events", false],
  ["GET", "env", false],
  ["GET", "twilio/messages", false],
  ["GET", "smtp/../env", false],
  ["GET", "smtp/%2e%2e/env", false],
  ["GET", "smtp//env", false],
  ["GET", "smtp\\env", false],
  ["POST", "reset", false],
  ["POST", "seed", false],
  ["PUT", "mode", false],
  ["PUT", "smtp/messages", false],
])("%s %s passes to smtp: %s", (method, path, expected) => {
  expect(passes("smtp", method, path)).toBe(expected);
});

test("what is asked of Azure passes to it with its options, by PUT too, and not up and out", () => {
  const arm = "azure-policyinsights/arm/subscriptions/x/providers/Microsoft.PolicyInsights";
  expect(passes("azure-policyinsights", "PUT", `${arm}/remediations/fix`)).toBe(true);
  expect(passes("azure-policyinsights", "POST", `${arm}/policyStates/latest/queryResults`)).toBe(true);
  expect(passes("azure-policyinsights", "PUT", "mode")).toBe(false);
  expect(passes("azure-policyinsights", "PUT", `${arm}/../../../mode`)).toBe(false);
  expect(passes("twilio", "PUT", "twilio/sending-rates")).toBe(false);
});

test("the page's files are served with their type; nothing of it is in the journal", async () => {
  const suite = await createSuite({ only: ["twilio"], environment: { BACKLOT_LOG_LEVEL: "silent" } });
  onTestFinished(() => suite.close());
  const page = await fetch(`${suite.url}/`, { headers: { accept: "text/html,*/*" } });
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const script = await fetch(`${suite.url}/_backlot/console/console.js`);
  expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect((await script.arrayBuffer()).byteLength).toBeGreaterThan(10_000);
  expect((await fetch(`${suite.url}/_backlot/console/console.css`)).status).toBe(200);
  expect((await fetch(`${suite.url}/_backlot/console/other.js`)).status).toBe(404);
  const answer = await suite.control("GET", "/_backlot/members/twilio/clock");
  expect(await answer.json()).toMatchObject({ mode: "real" });
  expect((await suite.control("GET", "/_backlot/members/twilio/env")).status).toBe(403);
  expect((await suite.control("GET", "/_backlot/members/nobody/clock")).status).toBe(404);
  const { entries } = (await (await suite.control("GET", "/_backlot/journal")).json()) as { entries: unknown[] };
  expect(entries).toEqual([]);
});
