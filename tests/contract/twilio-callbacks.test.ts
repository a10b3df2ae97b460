import twilio from "twilio";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";
import { start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
let receiver: Receiver;
beforeEach(async () => {
  server = await twilioServer();
  receiver = await startReceiver();
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

const to = "+14155550199";
const fields = (call: Received) => Object.fromEntries(new URLSearchParams(call.body));
const isSigned = (call: Received, url = receiver.url) =>
  twilio.validateRequest(
    server.env.TWILIO_AUTH_TOKEN ?? "",
    String(call.headers["x-twilio-signature"]),
    url,
    fields(call),
  );

test("the callback hears of sent and delivered, in a form that the SDK's validator accepts", async () => {
  const message = await server.client().messages.create({
    to,
    from: server.env.TWILIO_PHONE_NUMBER ?? "",
    body: "hi",
    statusCallback: receiver.url,
  });
  await server.advance(start + 60_000);
  expect(receiver.calls.map(fields)).toEqual([
    {
      SmsSid: message.sid,
      SmsStatus: "sent",
      MessageStatus: "sent",
      To: to,
      MessageSid: message.sid,
      AccountSid: server.env.TWILIO_ACCOUNT_SID,
      From: server.env.TWILIO_PHONE_NUMBER,
      ApiVersion: "2010-04-01",
    },
    expect.objectContaining({ MessageStatus: "delivered", RawDlrDoneDate: "2501151200" }),
  ]);
  for (const call of receiver.calls) {
    expect(isSigned(call)).toBe(true);
    expect(call).toMatchObject({
      method: "POST",
      headers: {
        "user-agent": "TwilioProxy/1.1",
        accept: "*/*",
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        "i-twilio-idempotency-token": expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
  }
});

test("with a messaging service it hears of queued as well, but never of accepted", async () => {
  await server.client().messages.create({
    to,
    messagingServiceSid: server.env.TWILIO_MESSAGING_SERVICE_SID ?? "",
    body: "hi",
    statusCallback: receiver.url,
  });
  await server.advance(start + 60_000);
  expect(receiver.calls.map((call) => fields(call).MessageStatus)).toEqual(["queued", "sent", "delivered"]);
  expect(receiver.calls.map((call) => fields(call).MessagingServiceSid)).toEqual(
    Array(3).fill(server.env.TWILIO_MESSAGING_SERVICE_SID),
  );
});

test("a failure brings its code; the call an API key made is signed with the account's token", async () => {
  const { TWILIO_API_KEY = "", TWILIO_API_SECRET = "", TWILIO_ACCOUNT_SID = "" } = server.env;
  const client = server.client(TWILIO_API_KEY, TWILIO_API_SECRET, { accountSid: TWILIO_ACCOUNT_SID });
  await client.messages.create({
    to: "+12025550133",
    from: server.env.TWILIO_PHONE_NUMBER ?? "",
    body: "hi",
    statusCallback: `${receiver.url}?user=a%20b#rc=0`,
  });
  await server.advance(start + 60_000);
  const last = receiver.calls[1];
  expect(last && fields(last)).toMatchObject({ MessageStatus: "undelivered", ErrorCode: "30003" });
  expect(receiver.calls.map(({ url }) => url)).toEqual(["/hook?user=a%20b", "/hook?user=a%20b"]);
  expect(receiver.calls.every((call) => isSigned(call, `${receiver.url}?user=a%20b`))).toBe(true);
});

test("what a subaccount sends is signed with the subaccount's token, whoever asked for it", async () => {
  const parent = server.client();
  const sub = await parent.api.v2010.accounts.create({ friendlyName: "Unit" });
  const { phoneNumber } = await parent.api.v2010
    .accounts(sub.sid)
    .incomingPhoneNumbers.create({ phoneNumber: "+13125550150" });
  await parent.api.v2010
    .accounts(sub.sid)
    .messages.create({ to, from: phoneNumber, body: "hi", statusCallback: receiver.url });
  await server.advance(start + 60_000);
  expect(receiver.calls).toHaveLength(2);
  for (const call of receiver.calls) {
    expect(fields(call).AccountSid).toBe(sub.sid);
    expect(isSigned(call)).toBe(false);
    const signature = String(call.headers["x-twilio-signature"]);
    expect(twilio.validateRequest(sub.authToken, signature, receiver.url, fields(call))).toBe(true);
  }
});

test("answers are not retried unless the URL asks; tries of one delivery carry one token", async () => {
  receiver.answer = (call, n, response) => void response.writeHead(call.url === "/hook" || n < 2 ? 500 : 200).end();
  const from = server.env.TWILIO_PHONE_NUMBER ?? "";
  const send = (statusCallback: string) =>
    server.client().messages.create({ to: "+12025550139", from, body: "hi", statusCallback });
  await send(`${receiver.url}2#rc=3&rp=5xx`);
  await server.advance(start + 60_000);
  expect(receiver.calls.map(({ url }) => url)).toEqual(["/hook2", "/hook2", "/hook2"]);
  expect(new Set(receiver.calls.map(({ headers }) => headers["i-twilio-idempotency-token"])).size).toBe(1);
  await send(receiver.url);
  await server.advance(start + 120_000);
  expect(receiver.calls.filter(({ url }) => url === "/hook")).toHaveLength(1);
});

test("registered endpoints hear of every status, the first included", async () => {
  const endpoint = await fetch(`${server.url}/_backlot/webhooks/endpoints`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ url: receiver.url, events: ["message.*"] }),
  });
  expect(await endpoint.text()).toContain(receiver.url);
  const { sid } = await server.client().messages.create({ to, from: server.env.TWILIO_PHONE_NUMBER ?? "", body: "hi" });
  await server.advance(start + 60_000);
  const events = receiver.calls.map(({ body }) => JSON.parse(body));
  expect(events.map(({ type }) => type)).toEqual(["message.queued", "message.sent", "message.delivered"]);
  expect(events[0].data).toMatchObject({ sid, status: "queued", to, body: "hi", num_segments: 1 });
});

test("test credentials never call back", async () => {
  const account = server.runtime.state.mainAccount("test");
  const client = server.client(account?.sid, account?.authToken);
  const message = await client.messages.create({ to, from: "+15005550006", body: "hi", statusCallback: receiver.url });
  expect(message.status).toBe("queued");
  await server.advance(start + 60_000);
  expect(receiver.calls).toEqual([]);
});
