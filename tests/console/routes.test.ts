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

test("a browser finds an emulator's part at `/` of its port; every other client finds what was there", async () => {
  const suite = await createSuite({ environment: { BACKLOT_LOG_LEVEL: "silent" } });
  onTestFinished(() => suite.close());
  const addresses = {
    smtp: suite.services.smtp?.url,
    twilio: suite.services.twilio?.url,
    "ec2-spot": suite.services["ec2-spot"]?.url,
    "azure-policyinsights": suite.services["azure-policyinsights"]?.httpUrl,
  };
  for (const [name, url] of Object.entries(addresses)) {
    const page = await fetch(`${url}/`, { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } });
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await page.text()).toContain(`data-part="${name}"`);
    expect((await fetch(`${url}/`, { headers: { accept: "*/*" } })).headers.get("content-type")).not.toContain("html");
    expect((await fetch(`${url}/_backlot/console/console.css`)).status).toBe(200);
    expect(await (await fetch(`${url}/_backlot/console/api/services`)).json()).toMatchObject({ services: [{ name }] });
    const journal: unknown = await (await fetch(`${url}/_backlot/console/api/members/${name}/journal`)).json();
    // The page itself is nobody's operation; the plain `/` is one.
    expect(journal).toMatchObject({ last: 1, entries: [{ target: "/" }] });
    expect((await fetch(`${url}/_backlot/console/api/members/${name}/env`)).status).toBe(403);
  }
  const other = await fetch(`${addresses.smtp}/_backlot/console/api/members/twilio/journal`);
  expect(other.status).toBe(404);
});

test("with a token an emulator's part gives only its page and its files away", async () => {
  const suite = await createSuite({
    only: ["smtp"],
    environment: { BACKLOT_LOG_LEVEL: "silent", BACKLOT_CONTROL_TOKEN: "s3cret" },
  });
  onTestFinished(() => suite.close());
  const url = suite.services.smtp?.url;
  const api = `${url}/_backlot/console/api`;
  expect((await fetch(`${url}/`, { headers: { accept: "text/html" } })).status).toBe(200);
  expect((await fetch(`${api}/services`)).status).toBe(401);
  expect((await fetch(`${api}/console/mail/x/html?token=forged`)).status).toBe(401);
  const bearer = { authorization: "Bearer s3cret" };
  expect((await fetch(`${api}/services`, { headers: bearer })).status).toBe(200);
  const issued = (await (await fetch(`${api}/events/token`, { method: "POST", headers: bearer })).json()) as {
    token: string;
  };
  // Good for frames of captured mail, which cannot send a header; there is no such message.
  expect((await fetch(`${api}/console/mail/x/html?token=${issued.token}`)).status).toBe(404);
});
