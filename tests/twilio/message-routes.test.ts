import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningEmulator, startEmulator } from "../../emulators/kernel/start.ts";
import { twilio } from "../../emulators/twilio/index.ts";
import { messagingService, phoneNumber } from "../../emulators/twilio/kinds.ts";
import type { Account, TwilioState } from "../../emulators/twilio/store.ts";

const start = Date.parse("2025-01-15T12:00:00Z");
const from = "+12025550100";
const to = "+14155550199";
const window = "SendAt time must be between 300 seconds and 35 days (3024000 seconds) in the future, inclusive.";

let emulator: RunningEmulator<TwilioState>;
let main: Account;
let forTests: Account;
let sub: string;
let service: string;

beforeAll(async () => {
  emulator = await startEmulator(twilio, {
    environment: { BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z", BACKLOT_PACE: "1" },
    listen: false,
  });
  const { state } = emulator.runtime;
  main = known(state.mainAccount("live"));
  forTests = known(state.mainAccount("test"));
  sub = known(state.resourceByKey(phoneNumber, "+12025550104")).accountSid;
  service = known(state.firstResource(messagingService, main.sid)).sid;
});
afterAll(() => emulator.close());

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the seed lacks something");
  return value;
}

interface Call {
  readonly method?: string;
  readonly form?: Record<string, string> | [string, string][];
  readonly as?: Account | null;
  readonly headers?: Record<string, string>;
}

function call(path: string, { method, form, as = main, headers = {} }: Call = {}): Promise<Response> {
  const authorization = as && { authorization: `Basic ${btoa(`${as.sid}:${as.authToken}`)}` };
  return emulator.fetch(
    new Request(`http://127.0.0.1:4101${path}`, {
      method: method ?? (form ? "POST" : "GET"),
      headers: { ...authorization, ...headers },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    }),
  );
}

/** What tests read of a message or of a list. */
interface Shown {
  readonly sid: string;
  readonly uri: string;
  readonly date_sent: string;
  readonly messages: readonly Shown[];
  readonly next_page_uri: string;
  readonly previous_page_uri: string;
}

async function shown(answer: Promise<Response>): Promise<Shown> {
  return (await (await answer).json()) as Shown;
}

const messages = (sid = main.sid) => `/2010-04-01/Accounts/${sid}/Messages.json`;
const send = (form: Record<string, string> | [string, string][], as = main) => call(messages(as.sid), { form, as });

describe("what a create refuses, in this order and in these words", () => {
  const refusals: readonly [string, () => Record<string, string>, number, number, string][] = [
    ["nothing at all", () => ({}), 400, 21604, "A 'To' phone number is required."],
    ["no sender", () => ({ To: "junk" }), 400, 21603, "A 'From' phone number is required."],
    ["no body", () => ({ To: "junk", From: from }), 400, 21602, "Message body is required."],
    [
      "a long body",
      () => ({ To: "junk", From: from, Body: "x".repeat(1601) }),
      400,
      21617,
      "The concatenated message body exceeds the 1600 character limit",
    ],
    [
      "a bad To before a bad From",
      () => ({ To: "+324863", From: "?", Body: "hi" }),
      400,
      21211,
      "Invalid 'To' Phone Number: +32XXXX",
    ],
    [
      "To equal to From",
      () => ({ To: from, From: from, Body: "hi" }),
      400,
      21211,
      "Invalid 'To' Phone Number: +1202555XXXX",
    ],
    [
      "a bad From",
      () => ({ To: to, From: "?", Body: "hi" }),
      400,
      21212,
      "The 'From' number ? is not a valid phone number, shortcode, or alphanumeric sender ID.",
    ],
    [
      "a From that nobody owns",
      () => ({ To: to, From: "+14155550100", Body: "hi" }),
      400,
      21659,
      "'From' +14155550100 is not a Twilio phone number or Short Code country mismatch",
    ],
    [
      "a From of another account",
      () => ({ To: to, From: "+12025550104", Body: "hi" }),
      400,
      21660,
      "Mismatch between the 'From' number +12025550104 and the account {account}",
    ],
    [
      "a voice-only From",
      () => ({ To: to, From: "+12025550103", Body: "hi" }),
      400,
      21606,
      "The From phone number +12025550103 is not a valid, SMS-capable inbound phone number or short code for your account.",
    ],
    [
      "a name as sender to the United States",
      () => ({ To: to, From: "MyShop", Body: "hi" }),
      400,
      21612,
      "Message cannot be sent with the current combination of 'To' (+1415555XXXX) and/or 'From' (MyShop) parameters",
    ],
    [
      "a channel",
      () => ({ To: `whatsapp:${to}`, From: from, Body: "hi" }),
      400,
      21910,
      "Invalid From and To pair. From and To should be of the same channel",
    ],
    [
      "a service sid that is none",
      () => ({ To: to, MessagingServiceSid: "MG1", Body: "hi" }),
      400,
      21705,
      "The Messaging Service Sid is invalid",
    ],
    [
      "a service that does not exist",
      () => ({ To: to, MessagingServiceSid: `MG${"0".repeat(32)}`, Body: "hi" }),
      404,
      21701,
      `The Messaging Service MG${"0".repeat(32)} does not exist`,
    ],
    [
      "a sender outside its service",
      () => ({ To: to, From: from, MessagingServiceSid: service, Body: "hi" }),
      400,
      21711,
      "The 'From' number provided does not belong to the specified Messaging Service",
    ],
    [
      "a callback host with an underscore",
      () => ({ To: to, From: from, Body: "hi", StatusCallback: "http://my_app/cb" }),
      400,
      21609,
      "The StatusCallback URL http://my_app/cb is not a valid URL.",
    ],
    [
      "a validity of nothing",
      () => ({ To: to, From: from, Body: "hi", ValidityPeriod: "0" }),
      400,
      21624,
      "ValidityPeriod 0 is not between 1 and 36000 seconds",
    ],
    [
      "a medium without a host",
      () => ({ To: to, From: from, MediaUrl: "cat.png" }),
      400,
      21620,
      "Invalid media URL(s): cat.png",
    ],
    [
      "a schedule without a service",
      () => ({ To: to, From: from, Body: "hi", ScheduleType: "fixed" }),
      400,
      35118,
      "MessagingServiceSid is required to schedule a message",
    ],
    [
      "a schedule without a time",
      () => ({ To: to, MessagingServiceSid: service, Body: "hi", ScheduleType: "fixed" }),
      400,
      35111,
      "SendAt timestamp is missing",
    ],
    [
      "a schedule in 299 seconds",
      () => ({
        To: to,
        MessagingServiceSid: service,
        Body: "hi",
        ScheduleType: "fixed",
        SendAt: "2025-01-15T12:04:59Z",
      }),
      400,
      35114,
      window,
    ],
    [
      "a schedule in 35 days and a second",
      () => ({
        To: to,
        MessagingServiceSid: service,
        Body: "hi",
        ScheduleType: "fixed",
        SendAt: "2025-02-19T12:00:01Z",
      }),
      400,
      35117,
      window,
    ],
    [
      "a schedule at no time",
      () => ({ To: to, MessagingServiceSid: service, Body: "hi", ScheduleType: "fixed", SendAt: "tomorrow" }),
      400,
      35115,
      window,
    ],
  ];

  test.each(refusals)("%s", async (_, form, status, code, message) => {
    const before = emulator.digest();
    const response = await send(form());
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      code,
      message: message.replace("{account}", main.sid),
      more_info: `https://www.twilio.com/docs/errors/${code}`,
      status,
    });
    expect(response.headers.get("x-twilio-error-code")).toBe(String(code));
    expect(emulator.digest()).toBe(before);
  });

  test("a body that is no form has no parameters", async () => {
    const response = await call(messages(), { method: "POST", headers: { "content-type": "application/json" } });
    expect(await response.json()).toMatchObject({ code: 21604 });
  });
});

describe("test credentials", () => {
  const sent: readonly [string, string, number][] = [
    ["+15005550001", "+15005550006", 21211],
    ["+15005550002", "+15005550006", 21612],
    ["+15005550003", "+15005550006", 21408],
    ["+15005550004", "+15005550006", 21610],
    ["+15005550009", "+15005550006", 21614],
    [to, "+15005550001", 21212],
    [to, "+15005550007", 21606],
    [to, "+15005550008", 21611],
    [to, from, 21606],
  ];
  test.each(sent)("to %s from %s is %i", async (recipient, sender, code) => {
    const response = await send({ To: recipient, From: sender, Body: "hi" }, forTests);
    expect(await response.json()).toMatchObject({ code, status: 400 });
  });

  test("the good number answers as usual and stores nothing", async () => {
    const before = emulator.digest();
    const response = await send({ To: to, From: "+15005550006", Body: "hi" }, forTests);
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ status: "queued", from: "+15005550006", num_segments: "1" });
    expect(emulator.digest()).toBe(before);
  });

  test("everything else is closed to them", async () => {
    const response = await call(messages(forTests.sid), { as: forTests });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      code: 20008,
      message: "Resource not accessible with Test Account Credentials",
    });
  });
});

describe("on the wire", () => {
  test("a message has its fields in Twilio's order, with spaces, and names the request after its sid", async () => {
    const response = await send({ To: "(415) 555-0199", From: from, Body: "Olé 👍" });
    const text = await response.text();
    const message: Record<string, unknown> = JSON.parse(text);
    expect(response.status).toBe(201);
    expect(Object.keys(message).join(", ")).toBe(
      "body, num_segments, direction, from, date_updated, price, error_message, uri, account_sid, num_media, to, " +
        "date_created, status, sid, date_sent, messaging_service_sid, error_code, price_unit, api_version, subresource_uris",
    );
    expect(text).toContain(`{"body": "Olé 👍", "num_segments": "1", "direction": "outbound-api", "from": "${from}", `);
    expect(message).toMatchObject({
      to,
      status: "queued",
      date_created: "Wed, 15 Jan 2025 12:00:00 +0000",
      date_sent: null,
      price: null,
      price_unit: "USD",
      subresource_uris: { media: `/2010-04-01/Accounts/${main.sid}/Messages/${message.sid}/Media.json` },
    });
    expect(response.headers.get("twilio-request-id")).toBe(`RQ${String(message.sid).slice(2)}`);
  });

  test("every answer carries Twilio's headers", async () => {
    const response = await call(messages());
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/json",
      "twilio-concurrent-requests": "1",
      "x-home-region": "us1",
      "x-api-domain": "api.twilio.com",
      "x-powered-by": "AT-5000",
      "x-shenanigans": "none",
      "strict-transport-security": "max-age=31536000",
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "ETag",
    });
    expect(response.headers.get("twilio-request-id")).toMatch(/^RQ[0-9a-f]{32}$/);
    expect(response.headers.get("twilio-request-duration")).toMatch(/^\d+\.\d{3}$/);
  });

  test("media make it an MM of one segment", async () => {
    const media: [string, string][] = [
      ["To", to],
      ["From", from],
      ["MediaUrl", "https://example.com/a.png"],
      ["MediaUrl", "https://example.com/b.png"],
    ];
    const message = await (await send(media)).json();
    expect(message).toMatchObject({
      sid: expect.stringMatching(/^MM[0-9a-f]{32}$/),
      num_media: "2",
      num_segments: "1",
      body: "",
    });
    expect(
      await (
        await send([
          ...media,
          ...Array.from({ length: 9 }, (): [string, string] => ["MediaUrl", "https://example.com/c.png"]),
        ])
      ).json(),
    ).toMatchObject({ code: 21623 });
  });

  test("a path without .json answers XML, errors too", async () => {
    const path = messages().replace(".json", "");
    const created = await call(path, { form: { To: to, From: from, Body: "a < b & c" } });
    const text = await created.text();
    expect(created.headers.get("content-type")).toBe("application/xml");
    expect(
      text.startsWith("<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse><Message><Body>a &lt; b &amp; c</Body>"),
    ).toBe(true);
    const sid = /<Sid>(SM[0-9a-f]{32})<\/Sid>/.exec(text)?.[1];
    expect(text).toContain(`<Uri>/2010-04-01/Accounts/${main.sid}/Messages/${sid}</Uri>`);
    expect(text).toContain("<DateSent/>");
    const refused = await call(path, { form: { From: from } });
    expect(await refused.text()).toBe(
      "<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse><RestException><Code>21604</Code>" +
        "<Message>A 'To' phone number is required.</Message>" +
        "<MoreInfo>https://www.twilio.com/docs/errors/21604</MoreInfo><Status>400</Status></RestException></TwilioResponse>",
    );
    const listed = await (await call(`${path}?PageSize=1`)).text();
    expect(listed).toContain(`<Messages end="0" firstpageuri="${path}?PageSize=1&amp;Page=0"`);
  });

  test("what is not there is 20404 with the path, and product hosts leave out the version", async () => {
    const lost = `/2010-04-01/Accounts/${main.sid}/Messages/SM${"0".repeat(32)}.json`;
    expect(await (await call(`${lost}?x=1`)).json()).toMatchObject({
      code: 20404,
      message: `The requested resource ${lost} was not found`,
    });
    expect(await (await call("/verify/v2/Services/VA1/Entities?x=1")).json()).toEqual({
      code: 20404,
      message: "The requested resource /Services/VA1/Entities was not found",
      more_info: "https://www.twilio.com/docs/errors/20404",
      status: 404,
    });
    const host = { host: "studio.sydney.au1.twilio.com" };
    const byHost = await call("/v2/Flows", { headers: host });
    expect(byHost.headers.get("x-api-domain")).toBe("studio.twilio.com");
    expect(await byHost.json()).toMatchObject({ message: "The requested resource /Flows was not found" });
    expect((await call(messages(), { headers: { host: "api.dublin.ie1.twilio.com" } })).status).toBe(200);
  });

  test("a method that is not there is 20004", async () => {
    const response = await call(messages(), { method: "PUT" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, POST"]);
    expect(await response.json()).toMatchObject({ code: 20004 });
  });
});

describe("lists", () => {
  test("are newest first, with links that repeat every filter", async () => {
    const path = messages();
    const query = "To=%2B12025550110&From=%2B12025550100&DateSent%3E=2025-01-01&DateSent%3C=2025-01-15&PageSize=2";
    const first = await shown(call(`${path}?${query}`));
    expect(Object.keys(first)).toEqual([
      "first_page_uri",
      "end",
      "previous_page_uri",
      "messages",
      "uri",
      "page_size",
      "start",
      "next_page_uri",
      "page",
    ]);
    const filters = "To=%2B12025550110&From=%2B12025550100&DateSent%3C=2025-01-15&DateSent%3E=2025-01-01";
    expect(first).toMatchObject({
      first_page_uri: `${path}?${filters}&PageSize=2&Page=0`,
      uri: `${path}?${filters}&PageSize=2&Page=0`,
      previous_page_uri: null,
      start: 0,
      end: 1,
      page: 0,
      page_size: 2,
      next_page_uri: `${path}?${filters}&PageSize=2&Page=1&PageToken=PA${first.messages[1]?.sid}`,
    });
    const second = await shown(call(first.next_page_uri));
    expect(second).toMatchObject({
      start: 2,
      end: 3,
      page: 1,
      previous_page_uri: `${path}?${filters}&PageSize=2&Page=0&PageToken=PB${second.messages[0]?.sid}`,
    });
    const third = await shown(call(second.next_page_uri));
    expect(third).toMatchObject({ start: 4, end: 4, next_page_uri: null });
    const back = await shown(call(third.previous_page_uri));
    expect(back.messages).toEqual(second.messages);
    expect((await shown(call(back.previous_page_uri))).messages).toEqual(first.messages);
    const dates = [...first.messages, ...second.messages, ...third.messages].map(({ date_sent }) =>
      Date.parse(date_sent),
    );
    expect(dates).toEqual([...dates].sort((left, right) => right - left));
    expect(dates).toHaveLength(5);
  });

  test("a day means the whole day, also when it comes as its first instant; comparisons include", async () => {
    const count = async (query: string) => (await shown(call(`${messages()}?${query}`))).messages.length;
    const day = await count("DateSent=2025-01-14");
    expect(day).toBe(3);
    expect(await count("DateSent=2025-01-14T00%3A00%3A00Z")).toBe(day);
    expect(await count("DateSent%3E=2025-01-14&DateSent%3C=2025-01-14")).toBe(day);
    expect(await count("DateSent>=2025-01-14T11%3A30%3A00Z&DateSent<=2025-01-14T12%3A00%3A00Z")).toBe(1);
    expect(await (await call(`${messages()}?DateSent=yesterday`)).json()).toMatchObject({ code: 20001 });
  });

  test("page on past messages that were deleted meanwhile, and an empty page ends at 0", async () => {
    const page = await shown(call(`${messages()}?From=%2B12025550113&PageSize=1`));
    const message = known(page.messages[0]);
    expect((await call(message.uri, { method: "DELETE" })).status).toBe(204);
    const next = call(`${messages()}?PageSize=1&Page=1&PageToken=PA${message.sid}`);
    expect((await shown(next)).messages).toHaveLength(1);
    const empty = await shown(call(`${messages()}?To=%2B19995550000`));
    expect(empty).toMatchObject({ messages: [], start: 0, end: 0, next_page_uri: null, previous_page_uri: null });
    expect(await (await call(`${messages()}?PageToken=PASM1`)).json()).toMatchObject({ code: 21481 });
  });

  test("sizes are 50 unless asked, and 1000 at most", async () => {
    expect(await (await call(messages())).json()).toMatchObject({ page_size: 50 });
    expect(await (await call(`${messages()}?PageSize=5000`)).json()).toMatchObject({ page_size: 1000 });
  });
});

describe("scheduled messages", () => {
  test("wait for their time, can be called off before it and not after", async () => {
    const form = { To: to, MessagingServiceSid: service, ScheduleType: "fixed", SendAt: "2025-01-15T12:05:00Z" };
    const kept = await shown(send({ ...form, Body: "kept" }));
    const dropped = await shown(send({ ...form, Body: "dropped" }));
    expect(kept).toMatchObject({ status: "scheduled", from: null, num_segments: "0" });
    expect((await call(dropped.uri, { method: "DELETE" })).status).toBe(400);
    expect(await (await call(dropped.uri, { form: { Status: "canceled" } })).json()).toMatchObject({
      status: "canceled",
    });
    expect(await (await call(dropped.uri, { form: { Status: "canceled" } })).json()).toMatchObject({
      code: 30409,
      message: "This message cannot be canceled",
    });
    await emulator.advance(start + 299_000);
    expect(await (await call(kept.uri)).json()).toMatchObject({ status: "scheduled" });
    await emulator.advance(start + 310_000);
    expect(await (await call(kept.uri)).json()).toMatchObject({
      status: "delivered",
      from: expect.stringMatching(/^\+1202555010[12]$/),
      num_segments: "1",
    });
    expect(await (await call(dropped.uri)).json()).toMatchObject({ status: "canceled", date_sent: null });
  });
});

test("a subaccount is open to its parent and to itself, its parent is closed to it", async () => {
  const child = known(emulator.runtime.state.account(sub));
  expect((await call(messages(sub))).status).toBe(200);
  expect((await call(messages(sub), { as: child })).status).toBe(200);
  const denied = await call(messages(), { as: child });
  expect(await denied.json()).toMatchObject({
    code: 20404,
    message: `The requested resource ${messages()} was not found`,
  });
});
