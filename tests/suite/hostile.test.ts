/** Bad input of every kind, to every service: a clear error in the provider's shape, never a stack trace, never a hang. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";

let suite: Suite;
beforeAll(async () => {
  suite = await createSuite({ environment: { BACKLOT_LOG_LEVEL: "silent" } });
});
afterAll(() => suite.close());

type Service = "twilio" | "azure" | "ec2" | "mailbox";
const base = (service: Service): string =>
  ({
    twilio: suite.services.twilio?.url,
    azure: suite.services["azure-policyinsights"]?.httpUrl,
    ec2: suite.services["ec2-spot"]?.url,
    mailbox: suite.services.smtp?.url,
  })[service] ?? "";
const account = () => `/2010-04-01/Accounts/${suite.env.TWILIO_ACCOUNT_SID}/Messages.json`;
const states = () =>
  `/subscriptions/${suite.env.AZURE_SUBSCRIPTION_ID}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults`;
const basic = () => `Basic ${btoa(`${suite.env.TWILIO_ACCOUNT_SID}:${suite.env.TWILIO_AUTH_TOKEN}`)}`;
const form = { "content-type": "application/x-www-form-urlencoded" };

/** How each provider's error looks. */
const shape: Record<Service, RegExp> = {
  twilio:
    /^\{"code": ?\d+, ?"message": ?"[^"]+", ?"more_info": ?"https:\/\/www\.twilio\.com\/docs\/errors\/\d+", ?"status": ?4\d\d/,
  azure: /^\{"error":(\{"code":"\w+","message":"|"\w+","error_description":")/,
  ec2: /<(Error|Response)[\s\S]*<Code>[\w.]+<\/Code>\s*<Message>[^<]+<\/Message>/,
  mailbox: /^\{"error":"\w+","message":"/,
};

const cases: readonly [string, Service, () => [path: string, init: RequestInit], number][] = [
  [
    "a form that is no form",
    "twilio",
    () => [account(), { method: "POST", headers: { ...form, authorization: basic() }, body: "%%%=%ff&&&=" }],
    400,
  ],
  [
    "JSON where a form belongs",
    "twilio",
    () => [
      account(),
      { method: "POST", headers: { "content-type": "application/json", authorization: basic() }, body: '{"To":' },
    ],
    400,
  ],
  [
    "a wrong token",
    "twilio",
    () => [account(), { headers: { authorization: `Basic ${btoa(`${suite.env.TWILIO_ACCOUNT_SID}:nope`)}` } }],
    401,
  ],
  [
    "an Authorization header that is none",
    "twilio",
    () => [account(), { headers: { authorization: "Basic \u00ff\u00ff" } }],
    401,
  ],
  ["an unknown route", "twilio", () => ["/2010-04-01/Nothing.json", { headers: { authorization: basic() } }], 404],
  ["a wrong method", "twilio", () => [account(), { method: "PUT", headers: { authorization: basic() } }], 405],
  [
    "100 MB",
    "twilio",
    () => [
      account(),
      { method: "POST", headers: { ...form, authorization: basic() }, body: new Uint8Array(100_000_000) },
    ],
    413,
  ],
  ["no token", "azure", () => [`${states()}?api-version=2024-10-01`, { method: "POST" }], 401],
  [
    "a broken token",
    "azure",
    () => [`${states()}?api-version=2024-10-01`, { method: "POST", headers: { authorization: "Bearer a.b.c" } }],
    401,
  ],
  [
    "a token request without a body",
    "azure",
    () => [`/${suite.env.AZURE_TENANT_ID}/oauth2/v2.0/token`, { method: "POST" }],
    400,
  ],
  ["an unknown route", "azure", () => ["/nothing/here?api-version=2024-10-01", {}], 404],
  [
    "100 MB",
    "azure",
    () => [`${states()}?api-version=2024-10-01`, { method: "POST", body: new Uint8Array(100_000_000) }],
    413,
  ],
  ["no action", "ec2", () => ["/", { method: "POST", headers: form, body: "" }], 400],
  [
    "a form that is no form",
    "ec2",
    () => ["/", { method: "POST", headers: form, body: "Action=%zz&Version=<>&&&" }],
    400,
  ],
  [
    "an unknown action",
    "ec2",
    () => ["/", { method: "POST", headers: form, body: "Action=Describe%3CScript%3E&Version=2016-11-15" }],
    400,
  ],
  [
    "a broken signature header",
    "ec2",
    () => [
      "/",
      {
        method: "POST",
        headers: { ...form, authorization: "AWS4-HMAC-SHA256 Credential=/////" },
        body: "Action=DescribeRegions&Version=2016-11-15",
      },
    ],
    400,
  ],
  ["100 MB", "ec2", () => ["/", { method: "POST", headers: form, body: new Uint8Array(100_000_000) }], 413],
  ["an unknown route", "mailbox", () => ["/api/v9/messages", {}], 404],
  ["100 MB", "mailbox", () => ["/api/v1/messages", { method: "DELETE", body: new Uint8Array(100_000_000) }], 413],
];

test.each(cases)("%s, to %s", async (_, service, request, status) => {
  const [path, init] = request();
  const response = await fetch(base(service) + path, init);
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.stringMatching(shape[service])]);
  expect(text).not.toMatch(/\bat .*\.(ts|js):\d+|node_modules/);
});

test("the journal says what came, and nothing was an incident", async () => {
  const page = (await (await suite.control("GET", "/_backlot/journal?limit=10000")).json()) as {
    entries: { kind: string; target?: string; status?: number }[];
  };
  expect(page.entries.filter(({ kind }) => kind === "incident")).toEqual([]);
  const requests = page.entries.filter(({ kind }) => kind === "request");
  expect(requests.length).toBeGreaterThanOrEqual(cases.length);
  expect(requests.filter(({ status }) => status === 413)).toHaveLength(4);
});
