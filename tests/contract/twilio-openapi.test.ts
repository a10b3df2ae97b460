/** Walks every operation of both tiers and holds each answer against Twilio's own OpenAPI files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { capabilities } from "../../emulators/twilio/capabilities.ts";
import { type Schema, violations } from "../support/openapi-schema.ts";
import { control, start, type TwilioServer, twilioServer } from "./twilio-client.ts";

interface Spec {
  readonly operations: readonly {
    readonly operation: string;
    readonly tier: number;
    readonly responses: Readonly<Record<string, string | null>>;
  }[];
  readonly schemas: Readonly<Record<string, Schema>>;
}

const spec: Spec = JSON.parse(
  readFileSync(join(packageRoot(), "fixtures/parity/twilio/openapi-responses.json"), "utf8"),
);
const operations = spec.operations.map((entry) => {
  const [method = "", address = ""] = entry.operation.split(" ");
  const literal = (address.match(/\{/g) ?? []).length;
  const form = address.replace(/[.]/g, "\\.").replace(/\{[^}]+\}/g, "[^/?]+?");
  return { ...entry, method, form: new RegExp(`^${form}$`), literal };
});

let server: TwilioServer;
const visited = new Map<string, string[]>();

beforeAll(async () => {
  server = await twilioServer();
});
afterAll(() => server.close());

type Parameters = Readonly<Record<string, string | readonly string[]>>;

/** Calls `https://<product>.twilio.com<path>` here, and checks the answer as the operation declares it. */
async function call(method: string, address: string, parameters: Parameters = {}): Promise<Record<string, unknown>> {
  const { TWILIO_ACCOUNT_SID: user, TWILIO_AUTH_TOKEN: password } = server.env;
  const [, product = "", path = ""] = /^https:\/\/([a-z]+)\.twilio\.com(.*)$/.exec(address) ?? [];
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    for (const one of [value].flat()) body.append(name, String(one));
  const response = await fetch(`${server.url}${product === "api" ? "" : `/${product}`}${path}`, {
    method,
    headers: {
      ...(product === "oauth"
        ? {}
        : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` }),
      "x-twilio-webhook-enabled": "true",
    },
    ...(method === "POST" ? { body } : {}),
  });
  const text = await response.text();
  const found = operations
    .filter((one) => one.method === method && one.form.test(address.replace(/\?.*$/, "")))
    .sort((left, right) => left.literal - right.literal)[0];
  if (!found) throw new Error(`${method} ${address} is no operation of the specification`);
  const problems: string[] = [];
  const declared = found.responses[String(response.status)];
  if (declared === undefined) problems.push(`${address}: status ${response.status}: ${text}`);
  else if (declared === null) problems.push(...(text === "" ? [] : [`${address}: a body with ${response.status}`]));
  else problems.push(...violations(JSON.parse(text), envelope(spec.schemas[declared] ?? {}, text)));
  visited.set(found.operation, [...(visited.get(found.operation) ?? []), ...problems]);
  return text === "" ? {} : JSON.parse(text);
}

/** Legacy totals are declared, but no longer sent, in the envelope of the 2010 API. */
function envelope(schema: Schema, text: string): Schema {
  if (!text.startsWith('{"first_page_uri"') || !schema.properties) return schema;
  const kept = Object.entries(schema.properties).filter(
    ([name]) => !["num_pages", "total", "last_page_uri"].includes(name),
  );
  return { ...schema, properties: Object.fromEntries(kept) };
}

const sidOf = (made: Record<string, unknown>) => String(made.sid);

/** List, create, list, fetch, update, delete: whatever of it the resource has. */
async function walk(
  base: string,
  create: Parameters,
  more: { update?: Parameters; ending?: string; remove?: boolean } = {},
) {
  const ending = more.ending ?? (base.startsWith("https://api.") ? ".json" : "");
  const made = await call("POST", `${base}${ending}`, create);
  await call("GET", `${base}${ending}`);
  const one = `${base}/${sidOf(made)}${ending}`;
  await call("GET", one);
  if (more.update) await call("POST", one, more.update);
  if (more.remove !== false) await call("DELETE", one);
  return sidOf(made);
}

const wait = (seconds: number) => server.advance(server.runtime.clock.now() + seconds * 1_000);

test("accounts, numbers and what accounts keep", async () => {
  const accounts = "https://api.twilio.com/2010-04-01/Accounts";
  const account = `${accounts}/${server.env.TWILIO_ACCOUNT_SID}`;
  await walk(accounts, { FriendlyName: "Third unit" }, { update: { Status: "suspended" }, remove: false });
  await walk(
    `${account}/Addresses`,
    { CustomerName: "A", Street: "1 Set", City: "LA", Region: "CA", PostalCode: "90001", IsoCountry: "US" },
    { update: { City: "B" }, remove: false },
  );
  const { addresses = [] } = (await call("GET", `${account}/Addresses.json`)) as {
    addresses?: Record<string, unknown>[];
  };
  const addressSid = sidOf(addresses[0] ?? {});
  const kept = await call("POST", `${account}/IncomingPhoneNumbers.json`, { AreaCode: "415", AddressSid: addressSid });
  await call("GET", `${account}/Addresses/${addressSid}/DependentPhoneNumbers.json`);
  await call("DELETE", `${account}/Addresses/${addressSid}.json`);
  expect(kept.phone_number).toMatch(/^\+1415555/);
  await walk(`${account}/Applications`, { FriendlyName: "App" }, { update: { SmsUrl: "http://example.com/sms" } });
  for (const keys of ["Keys", "SigningKeys"])
    await walk(`${account}/${keys}`, { FriendlyName: "K" }, { update: { FriendlyName: "L" } });
  await call("GET", `${account}/Balance.json`);
  await call("POST", `${account}/OutgoingCallerIds.json`, { PhoneNumber: "+14155550123" });
  await wait(10);
  const { outgoing_caller_ids: ids = [] } = (await call("GET", `${account}/OutgoingCallerIds.json`)) as {
    outgoing_caller_ids?: Record<string, unknown>[];
  };
  const callerId = `${account}/OutgoingCallerIds/${sidOf(ids[0] ?? {})}.json`;
  await call("GET", callerId);
  await call("POST", callerId, { FriendlyName: "Mine" });
  await call("DELETE", callerId);
  const usage = ["", "/AllTime", "/Daily", "/LastMonth", "/Monthly", "/ThisMonth", "/Today", "/Yearly", "/Yesterday"];
  for (const span of usage) await call("GET", `${account}/Usage/Records${span}.json?Category=sms`);

  await call("GET", `${account}/AvailablePhoneNumbers.json`);
  await call("GET", `${account}/AvailablePhoneNumbers/US.json`);
  for (const type of ["Local", "Mobile", "TollFree", "National", "Voip", "SharedCost", "MachineToMachine"])
    await call("GET", `${account}/AvailablePhoneNumbers/GB/${type}.json`);
  await walk(`${account}/IncomingPhoneNumbers`, { PhoneNumber: "+12065550111" }, { update: { FriendlyName: "N" } });
  for (const [type, number] of [
    ["Local", "+12065550112"],
    ["Mobile", "+447700900123"],
    ["TollFree", "+18005550112"],
  ] as const) {
    await call("POST", `${account}/IncomingPhoneNumbers/${type}.json`, { PhoneNumber: number });
    await call("GET", `${account}/IncomingPhoneNumbers/${type}.json`);
  }
});

test("messages, calls, recordings, queues and conferences", async () => {
  const account = `https://api.twilio.com/2010-04-01/Accounts/${server.env.TWILIO_ACCOUNT_SID}`;
  const From = server.env.TWILIO_PHONE_NUMBER ?? "";
  const To = "+14155550199";
  const message = sidOf(
    await call("POST", `${account}/Messages.json`, { To, From, Body: "x", MediaUrl: "https://example.com/a.png" }),
  );
  await wait(60);
  const media = `${account}/Messages/${message}/Media`;
  const { media_list: list = [] } = (await call("GET", `${media}.json`)) as { media_list?: Record<string, unknown>[] };
  await call("GET", `${media}/${sidOf(list[0] ?? {})}.json`);
  await call("DELETE", `${media}/${sidOf(list[0] ?? {})}.json`);
  await call("POST", `${account}/Messages/${message}/Feedback.json`, { Outcome: "confirmed" });
  for (const [method, body] of [
    ["GET", {}],
    ["POST", { Body: "" }],
    ["DELETE", {}],
  ] as const)
    await call(method, `${account}/Messages/${message}.json`, body);
  await call("GET", `${account}/Messages.json?PageSize=2`);

  const Twiml = "<Response><Pause length='600'/></Response>";
  const phoneCall = sidOf(await call("POST", `${account}/Calls.json`, { To, From, Twiml }));
  await wait(10);
  const recordings = `${account}/Calls/${phoneCall}/Recordings`;
  const one = sidOf(await call("POST", `${recordings}.json`));
  await wait(5);
  await call("POST", `${recordings}/${one}.json`, { Status: "stopped" });
  await call("GET", `${recordings}.json`);
  await call("GET", `${recordings}/${one}.json`);
  await call("DELETE", `${recordings}/${one}.json`);
  const other = sidOf(await call("POST", `${recordings}.json`));
  await call("GET", `${account}/Recordings.json`);
  await call("GET", `${account}/Recordings/${other}.json`);
  await call("GET", `${account}/Calls/${phoneCall}.json`);
  await call("POST", `${account}/Calls/${phoneCall}.json`, { Status: "completed" });
  await call("DELETE", `${account}/Recordings/${other}.json`);
  await call("GET", `${account}/Calls.json?PageSize=1`);
  await call("DELETE", `${account}/Calls/${phoneCall}.json`);

  await walk(`${account}/Queues`, { FriendlyName: "q" }, { update: { MaxSize: "5" } });
  const waiting = sidOf(
    await call("POST", `${account}/Calls.json`, { To, From, Twiml: "<Response><Enqueue>line</Enqueue></Response>" }),
  );
  const talking = sidOf(
    await call("POST", `${account}/Calls.json`, {
      To: "+14155550188",
      From,
      Twiml: "<Response><Dial record='record-from-answer'><Conference>stage</Conference></Dial></Response>",
    }),
  );
  await wait(10);
  const { queues = [] } = (await call("GET", `${account}/Queues.json`)) as { queues?: Record<string, unknown>[] };
  const members = `${account}/Queues/${sidOf(queues[0] ?? {})}/Members`;
  await call("GET", `${members}.json`);
  await call("GET", `${members}/${waiting}.json`);
  await call("POST", `${members}/${waiting}.json`, { Url: "http://127.0.0.1:9/nowhere" });
  const { conferences = [] } = (await call("GET", `${account}/Conferences.json`)) as {
    conferences?: Record<string, unknown>[];
  };
  const conference = `${account}/Conferences/${sidOf(conferences[0] ?? {})}`;
  await call("GET", `${conference}.json`);
  const invited = await call("POST", `${conference}/Participants.json`, { To: "+14155550177", From });
  await call("GET", `${conference}/Participants.json`);
  await call("GET", `${conference}/Participants/${talking}.json`);
  await call("POST", `${conference}/Participants/${talking}.json`, { Muted: "true" });
  await call("DELETE", `${conference}/Participants/${invited.call_sid}.json`);
  const held = await call("POST", `${account}/Calls/${talking}/Recordings.json`);
  const inConference = server.runtime.state;
  expect(inConference.message(message)).toBeUndefined();
  await conferenceRecordings(conference, sidOf(held));
  await call("POST", `${conference}.json`, { Status: "completed" });
});

/** A recording that is started on somebody in a conference is one of the conference's as well. */
async function conferenceRecordings(conference: string, sid: string): Promise<void> {
  await call("GET", `${conference}/Recordings.json`);
  await call("GET", `${conference}/Recordings/${sid}.json`);
  await call("POST", `${conference}/Recordings/${sid}.json`, { Status: "paused" });
  await call("DELETE", `${conference}/Recordings/${sid}.json`);
}

test("messaging services, verify, lookups and tokens", async () => {
  const services = "https://messaging.twilio.com/v1/Services";
  const { state } = server.runtime;
  await walk(services, { FriendlyName: "S" }, { update: { StickySender: "false" } });
  const own = `${services}/${sidOf(await call("POST", services, { FriendlyName: "T" }))}`;
  const { incoming_phone_numbers: numbers = [] } = (await call(
    "GET",
    `https://api.twilio.com/2010-04-01/Accounts/${server.env.TWILIO_ACCOUNT_SID}/IncomingPhoneNumbers.json?PhoneNumber=%2B12025550100`,
  )) as { incoming_phone_numbers?: Record<string, unknown>[] };
  await walk(`${own}/PhoneNumbers`, { PhoneNumberSid: sidOf(numbers[0] ?? {}) });
  const { shortCode } = await import("../../emulators/twilio/kinds.ts");
  await walk(`${own}/ShortCodes`, { ShortCodeSid: state.resourceByKey(shortCode, "12345")?.sid ?? "" });
  await walk(`${own}/AlphaSenders`, { AlphaSender: "Backlot" });

  const verify = "https://verify.twilio.com/v2";
  await walk(`${verify}/Services`, { FriendlyName: "V" }, { update: { CodeLength: "4" } });
  const service = `${verify}/Services/${server.env.TWILIO_VERIFY_SERVICE_SID}`;
  const verification = sidOf(await call("POST", `${service}/Verifications`, { To: "+14155550199", Channel: "sms" }));
  await call("GET", `${service}/Verifications/${verification}`);
  const { verifications } = (await control(server, "verifications")) as unknown as {
    verifications: { code: string }[];
  };
  await call("POST", `${service}/VerificationCheck`, { To: "+14155550199", Code: verifications[0]?.code ?? "" });
  const second = sidOf(await call("POST", `${service}/Verifications`, { To: "ada@example.com", Channel: "email" }));
  await call("POST", `${service}/Verifications/${second}`, { Status: "canceled" });
  const { attempts = [] } = (await call("GET", `${verify}/Attempts`)) as { attempts?: Record<string, unknown>[] };
  await call("GET", `${verify}/Attempts/${sidOf(attempts[0] ?? {})}`);
  await call("GET", `${verify}/Attempts/Summary`);

  const fields =
    "caller_name,sim_swap,call_forwarding,line_status,line_type_intelligence,identity_match,reassigned_number,sms_pumping_risk";
  for (const number of ["+14155550199", "+4912", "nonsense"])
    await call("GET", `https://lookups.twilio.com/v2/PhoneNumbers/${number}?Fields=${fields}`);
  const { TWILIO_CLIENT_ID = "", TWILIO_CLIENT_SECRET = "" } = server.env;
  await call("POST", "https://oauth.twilio.com/v2/token", {
    grant_type: "client_credentials",
    client_id: TWILIO_CLIENT_ID,
    client_secret: TWILIO_CLIENT_SECRET,
  });
});

test("conversations in both trees, and their users", async () => {
  const root = "https://conversations.twilio.com/v1";
  await walk(`${root}/Services`, { FriendlyName: "C" });
  const service = sidOf(await call("POST", `${root}/Services`, { FriendlyName: "D" }));
  for (const tree of [root, `${root}/Services/${service}`]) {
    await walk(`${tree}/Conversations`, { FriendlyName: "F" }, { update: { State: "closed" } });
    const held = `${tree}/Conversations/${sidOf(await call("POST", `${tree}/Conversations`, { UniqueName: "u", "Timers.Inactive": "PT10M" }))}`;
    await walk(`${held}/Participants`, { Identity: "ada" }, { update: { Attributes: "{}" } });
    await call("POST", `${held}/Participants`, { Identity: "ben" });
    await call("POST", `${held}/Participants`, {
      "MessagingBinding.Address": tree.endsWith("/v1") ? "+14155550199" : "+14155550198",
      "MessagingBinding.ProxyAddress": "+12025550100",
    });
    await walk(`${held}/Messages`, { Author: "ben", Body: "one" }, { update: { Body: "two" } });
    const message = sidOf(await call("POST", `${held}/Messages`, { Author: "ben", Body: "three" }));
    const { delivery_receipts: receipts = [] } = (await call("GET", `${held}/Messages/${message}/Receipts`)) as {
      delivery_receipts?: Record<string, unknown>[];
    };
    await call("GET", `${held}/Messages/${message}/Receipts/${sidOf(receipts[0] ?? {})}`);
    await walk(
      `${held}/Webhooks`,
      { Target: "webhook", "Configuration.Url": "http://example.com/" },
      { update: { "Configuration.Method": "GET" } },
    );
    await walk(`${tree}/Users`, { Identity: "cleo" }, { update: { FriendlyName: "Cleo" } });
    const { users = [] } = (await call("GET", `${tree}/Users`)) as { users?: Record<string, unknown>[] };
    const user = `${tree}/Users/${sidOf(users.find(({ identity }) => identity === "ben") ?? {})}/Conversations`;
    await call("GET", user);
    const joined = `${user}/${held.split("/").at(-1)}`;
    await call("GET", joined);
    await call("POST", joined, { NotificationLevel: "muted", LastReadMessageIndex: "0" });
    await call("DELETE", joined);
  }
  expect(server.runtime.clock.now()).toBeGreaterThan(start);
});

test("every answer is what Twilio's specification declares", () => {
  const wrong = [...visited].flatMap(([operation, problems]) =>
    [...new Set(problems)].map((problem) => `${operation}: ${problem}`),
  );
  expect(wrong).toEqual([]);
});

test.each([
  [1, 108],
  [2, 91],
])("every operation of tier %i was walked, and is declared as served", (tier, count) => {
  const all = spec.operations.filter((one) => one.tier === tier).map(({ operation }) => operation);
  expect(all).toHaveLength(count);
  expect(all.filter((operation) => !visited.has(operation))).toEqual([]);
  const served = new Set(
    capabilities.filter(({ status }) => status !== "absent").map(({ operation }) => shape(operation)),
  );
  expect(all.filter((operation) => !served.has(shape(operation)))).toEqual([]);
});

/** Without the host of the 2010 API and the names of path parameters. */
function shape(operation: string): string {
  return operation.replace("https://api.twilio.com", "").replace(/\{[^}]+\}/g, "{}");
}
