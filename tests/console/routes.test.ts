import { Hono } from "hono";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Instant } from "../../emulators/kernel/clock.ts";
import type { KernelEnv } from "../../emulators/kernel/emulator.ts";
import { answerJson } from "../../emulators/kernel/exchange.ts";
import { RequestExchange } from "../../emulators/kernel/exchange-fetch.ts";
import { passes } from "../../emulators/suite/console/member-routes.ts";
import { consolePage } from "../../emulators/suite/console/page.ts";
import type { PageData } from "../../emulators/suite/console/page-facts.ts";
import { createSuite } from "../../emulators/suite/suite.ts";

async function openedPage(url: string | undefined) {
  const page = await fetch(`${url}/`, { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } });
  const text = await page.text();
  const files = [...text.matchAll(/"(\/_backlot\/console\/[\w-]+\.(js|css))"/g)].map(([, path, type]) => ({
    path,
    type,
  }));
  return { headers: page.headers, text, files, data: dataIn(text) };
}

const dataIn = (page: string) =>
  JSON.parse(/<script type="application\/json"[^>]*>(.*?)<\/script>/s.exec(page)?.[1] ?? "null") as PageData;

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
  const page = await openedPage(suite.url);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("cache-control")).toBe("no-store");
  const types: Readonly<Record<string, string>> = {
    js: "text/javascript; charset=utf-8",
    css: "text/css; charset=utf-8",
  };
  expect(page.files.map(({ type }) => type).sort()).toEqual(["css", "js", "js"]);
  for (const { path, type } of page.files) {
    const file = await fetch(`${suite.url}${path}`);
    expect(file.headers.get("content-type")).toBe(types[type ?? ""]);
    // Its name changes with what is in it.
    expect(file.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(5_000);
  }
  expect((await fetch(`${suite.url}/_backlot/console/other.js`)).status).toBe(404);
  const answer = await suite.control("GET", "/_backlot/members/twilio/clock");
  expect(await answer.json()).toMatchObject({ mode: "real" });
  expect((await suite.control("GET", "/_backlot/members/twilio/env")).status).toBe(403);
  expect((await suite.control("GET", "/_backlot/members/nobody/clock")).status).toBe(404);
  const { entries } = (await (await suite.control("GET", "/_backlot/journal")).json()) as { entries: unknown[] };
  expect(entries).toEqual([]);
});

test("the page brings the first answers of the control API, whatever a seed holds", async () => {
  const seed = "</script><script>alert(1)</script>";
  const suite = await createSuite({ seed, environment: { BACKLOT_LOG_LEVEL: "silent" } });
  onTestFinished(() => suite.close());
  // What comes too late for the page is left out, as the first health check of a busy process may be.
  const { text, data } = await vi.waitFor(
    async () => {
      const opened = await openedPage(suite.url);
      expect(Object.keys(opened.data.answers ?? {})).toHaveLength(5);
      return opened;
    },
    { timeout: 10_000 },
  );
  expect(text).not.toContain("<script>alert");
  expect(data).toMatchObject({ seed });
  for (const path of ["/_backlot/services", "/_backlot/egress", "/_backlot/dead-letters?limit=1"])
    expect(data.answers?.[path]).toEqual(await (await suite.control("GET", path)).json());
  expect(data.answers).toMatchObject({
    "/_backlot/health": { status: "healthy", checks: { twilio: { status: "healthy" } } },
    "/_backlot/clock": { mode: "real" },
  });
});

test("a service that is slow to say how it is keeps nobody from the page", async () => {
  const suite = await createSuite({ only: ["twilio"], environment: { BACKLOT_LOG_LEVEL: "silent" } });
  onTestFinished(() => suite.close());
  const control = new Hono<KernelEnv>();
  control.get("/_backlot/services", (c) => answerJson(c.env.exchange, 200, { services: [] }));
  control.get("/_backlot/health", () => new Promise<never>(() => undefined));
  control.get("/_backlot/clock", (c) => answerJson(c.env.exchange, 500, { message: "not now" }));
  const files = { names: async () => ["console-1.js", "console-1.css"], read: async () => undefined };
  const exchange = new RequestExchange(new Request("http://127.0.0.1/"), "1", 0 as Instant);
  await consolePage(exchange, { facts: { seed: "a" }, files, control: async () => control });
  expect(dataIn(String(exchange.answered?.body)).answers).toEqual({ "/_backlot/services": { services: [] } });
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
    const page = await openedPage(url);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.data).toMatchObject({
      part: name,
      suite: suite.url,
      answers: { "/_backlot/services": { services: [{ name }] } },
    });
    expect((await fetch(`${url}/`, { headers: { accept: "*/*" } })).headers.get("content-type")).not.toContain("html");
    for (const { path } of page.files) expect((await fetch(`${url}${path}`)).status).toBe(200);
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
  expect((await openedPage(url)).data).toEqual({
    seed: "backlot",
    base: expect.any(String),
    part: "smtp",
    suite: suite.url,
  });
  expect((await openedPage(suite.url)).data).toEqual({ seed: "backlot" });
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
