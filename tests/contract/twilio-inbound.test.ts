import twilio from "twilio";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";
import { control, start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
let receiver: Receiver;
let number: string;
beforeEach(async () => {
  server = await twilioServer();
  receiver = await startReceiver();
  number = server.env.TWILIO_PHONE_NUMBER ?? "";
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

const ada = "+14155550199";
const fields = (call: Received) => Object.fromEntries(new URLSearchParams(call.body));
const receive = (body: string, more: Record<string, unknown> = {}) =>
  control(server, "inbound-messages", { from: ada, to: number, body, ...more });
const own = async () => {
  const [found] = await server.client().incomingPhoneNumbers.list({ phoneNumber: number });
  if (!found) throw new Error("the account has no number");
  // In SDK 6.2.0 what a list holds cannot act for itself: its context is asked for by sid.
  return server.client().incomingPhoneNumbers(found.sid);
};
const answerWith = (documents: Record<string, string>) => {
  receiver.answer = (call, _n, response) => {
    const document = documents[call.url.split("?")[0] ?? ""];
    if (document === undefined) response.writeHead(500).end();
    else response.writeHead(200, { "content-type": "text/xml" }).end(document);
  };
};

test("an incoming message reaches the number's URL, and its TwiML sends replies", async () => {
  answerWith({
    "/hook": `<?xml version="1.0"?><Response><!-- two replies --><Message action="/status">Hello &amp; welcome</Message>
      <Message><Body>Look</Body><Media>/poster.png</Media></Message><Redirect>/next?x=1</Redirect><Message>never</Message></Response>`,
    "/next": "<Response><Message to='+14155550188'>And you</Message></Response>",
    "/status": "",
  });
  await (await own()).update({ smsUrl: receiver.url });
  const { sid } = await receive("Hi there", { mediaUrls: ["https://example.com/cat.png"] });
  await server.advance(start + 60_000);

  const [asked, again] = receiver.calls;
  if (!asked || !again) throw new Error("nobody was asked");
  expect([...new URLSearchParams(asked.body).keys()]).toEqual([
    ...["ToCountry", "ToState", "SmsMessageSid", "NumMedia", "ToCity", "FromZip", "SmsSid", "FromState", "SmsStatus"],
    ...["FromCity", "Body", "FromCountry", "To", "ToZip", "NumSegments", "MessageSid", "AccountSid", "From"],
    ...["MediaContentType0", "MediaUrl0", "ApiVersion"],
  ]);
  expect(fields(asked)).toMatchObject({
    Body: "Hi there",
    From: ada,
    To: number,
    SmsStatus: "received",
    NumMedia: "1",
  });
  expect(again.url).toBe("/next?x=1");
  for (const [call, url] of [
    [asked, receiver.url],
    [again, receiver.url.replace("/hook", "/next?x=1")],
  ] as const)
    expect(
      twilio.validateRequest(
        server.env.TWILIO_AUTH_TOKEN ?? "",
        String(call.headers["x-twilio-signature"]),
        url,
        fields(call),
      ),
    ).toBe(true);

  const client = server.client();
  const replies = (await client.messages.list({ from: number })).filter(
    ({ direction }) => direction === "outbound-reply",
  );
  expect(replies.map(({ body, to, numMedia, status }) => [body, to, numMedia, status]).sort()).toEqual([
    ["And you", "+14155550188", "0", "delivered"],
    ["Hello & welcome", ada, "0", "delivered"],
    ["Look", ada, "1", "delivered"],
  ]);
  const callbacks = receiver.calls.filter(({ url }) => url === "/status").map((call) => fields(call).MessageStatus);
  expect(callbacks).toEqual(["sent", "delivered"]);
  const [media] = await client.messages(sid).media.list();
  expect(media).toMatchObject({ contentType: "image/png", parentSid: sid });
});

test("what fails goes to the fallback with its code; without one it is written down", async () => {
  answerWith({
    "/hook": "<Response><Message>oops</Response>",
    "/fallback": "<Response><Message>Sorry</Message></Response>",
  });
  const mine = await own();
  await mine.update({ smsUrl: receiver.url, smsFallbackUrl: receiver.url.replace("/hook", "/fallback") });
  await receive("Hi");
  await server.advance(start + 60_000);
  const last = receiver.calls[1];
  expect(last && fields(last)).toMatchObject({ Body: "Hi", ErrorCode: "12100", ErrorUrl: receiver.url });
  expect((await server.client().messages.list({ to: ada, from: number })).map(({ body }) => body)).toContain("Sorry");

  await mine.update({ smsUrl: receiver.url.replace("/hook", "/gone"), smsFallbackUrl: "" });
  const { sid } = await receive("Again");
  await server.advance(start + 120_000);
  const alerts = (await journal(server, sid)).filter((line) => line.includes('"alert"'));
  expect(alerts).toEqual([expect.stringContaining('"errorCode":11200')]);
});

test("STOP silences a number and a whole service, START lets it speak again", async () => {
  const client = server.client();
  const send = (options: { from?: string; messagingServiceSid?: string }) =>
    client.messages.create({ to: ada, body: "hi", ...options });
  await receive("  stop ");
  await expect(send({ from: number })).rejects.toMatchObject({
    status: 400,
    code: 21610,
    message: "Attempt to send to unsubscribed recipient",
  });
  expect((await send({ from: "+12025550101" })).status).toBe("queued");
  const [reply] = await client.messages.list({ to: ada, from: number });
  expect(reply?.body).toMatch(/^You have successfully been unsubscribed/);
  await receive("START");
  expect((await send({ from: number })).status).toBe("queued");

  const messagingServiceSid = server.env.TWILIO_MESSAGING_SERVICE_SID ?? "";
  await control(server, "inbound-messages", { from: ada, to: "+12025550101", body: "Unsubscribe" });
  await expect(send({ messagingServiceSid })).rejects.toMatchObject({ code: 21610 });
});

test("an answer in plain text is a message, a redirect is followed, a loop is cut", async () => {
  receiver.answer = (call, _n, response) => {
    if (call.url === "/hook") response.writeHead(302, { location: "/moved" }).end();
    else if (call.url === "/moved") response.writeHead(200, { "content-type": "text/plain" }).end("plain words");
    else response.writeHead(200, { "content-type": "text/xml" }).end("<Response><Redirect>/loop</Redirect></Response>");
  };
  const mine = await own();
  await mine.update({ smsUrl: receiver.url });
  await receive("Hi");
  await server.advance(start + 60_000);
  expect(receiver.calls.map(({ method, url }) => `${method} ${url}`)).toEqual(["POST /hook", "GET /moved"]);
  expect((await server.client().messages.list({ to: ada })).map(({ body }) => body)).toContain("plain words");
  await mine.update({ smsUrl: receiver.url.replace("/hook", "/loop") });
  await receive("Again");
  await server.advance(start + 120_000);
  expect(receiver.calls.filter(({ url }) => url === "/loop").length).toBe(101);
});

async function journal(from: TwilioServer, subject: string): Promise<readonly string[]> {
  const response = await fetch(`${from.url}/_backlot/journal?limit=1000`);
  const { entries } = (await response.json()) as { entries: readonly unknown[] };
  return entries.map((entry) => JSON.stringify(entry)).filter((line) => line.includes(subject));
}
