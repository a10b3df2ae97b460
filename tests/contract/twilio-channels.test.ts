/** WhatsApp and content templates: what differs from SMS, and what a message is made of. */
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
const from = () => `whatsapp:${number}`;

test("who wrote by WhatsApp is answered there, and the callback hears that the answer was read", async () => {
  receiver.answer = (call, _n, response) =>
    void response
      .writeHead(200, { "content-type": "text/xml" })
      .end(call.url === "/hook" ? "<Response><Message action='/status'>Welcome</Message></Response>" : "");
  const client = server.client();
  const [own] = await client.incomingPhoneNumbers.list({ phoneNumber: number });
  await client.incomingPhoneNumbers(own?.sid ?? "").update({ smsUrl: receiver.url });
  await control(server, "inbound-messages", { from: `whatsapp:${ada}`, to: number, body: "STOP" });
  await server.advance(start + 60_000);
  const [asked, ...told] = receiver.calls.map(fields);
  expect(asked).toMatchObject({ From: `whatsapp:${ada}`, To: from(), WaId: ada.slice(1), MessageType: "text" });
  expect(told.map(({ MessageStatus }) => MessageStatus)).toEqual(["sent", "delivered", "read"]);
  expect(told[2]).toMatchObject({
    EventType: "READ",
    ChannelPrefix: "whatsapp",
    ChannelToAddress: ada,
    ChannelInstallSid: expect.stringMatching(/^XE[0-9a-f]{32}$/),
    To: `whatsapp:${ada}`,
    From: from(),
  });
  // No keyword of SMS was obeyed, so nothing else was sent.
  const sent = await client.messages.list({ to: `whatsapp:${ada}` });
  expect(sent.map(({ body, status, numSegments, price }) => [body, status, numSegments, price])).toEqual([
    ["Welcome", "read", "1", "-0.00500"],
  ]);
});

test("free text needs a message of the last day, a template does not", async () => {
  const client = server.client();
  const send = (more: { body?: string; contentSid?: string }) =>
    client.messages.create({ to: `whatsapp:${ada}`, from: from(), ...more });
  const statusOf = async (sid: string) => {
    const { status, errorCode } = await client.messages(sid).fetch();
    return [status, errorCode];
  };
  const cold = await send({ body: "Hello?" });
  const template = await client.content.v1.contents.create({
    language: "en",
    types: { "twilio/text": { body: "Your call time changed" } } as never,
  } as never);
  const warm = await send({ contentSid: template.sid });
  expect(cold).toMatchObject({ status: "queued", to: `whatsapp:${ada}`, from: from() });
  await server.advance(start + 60_000);
  expect(await statusOf(cold.sid)).toEqual(["undelivered", 63016]);
  expect(await statusOf(warm.sid)).toEqual(["read", null]);

  await control(server, "inbound-messages", { from: `whatsapp:${ada}`, to: from(), body: "Yes?" });
  const inTime = await send({ body: "Here you are" });
  await server.advance(start + 120_000);
  expect(await statusOf(inTime.sid)).toEqual(["read", null]);
  await server.advance(start + 25 * 3_600_000);
  const late = await send({ body: "Still there?" });
  await server.advance(start + 26 * 3_600_000);
  expect(await statusOf(late.sid)).toEqual(["undelivered", 63016]);
});

test("both ends are of one channel, and the sender is registered", async () => {
  const create = (to: string, sender: string) => server.client().messages.create({ to, from: sender, body: "hi" });
  await expect(create(`whatsapp:${ada}`, number)).rejects.toMatchObject({ status: 400, code: 21910 });
  await expect(create(ada, from())).rejects.toMatchObject({ status: 400, code: 21910 });
  await expect(create(`whatsapp:${ada}`, "whatsapp:+12025550101")).rejects.toMatchObject({ code: 63007 });
  await expect(create("whatsapp:nobody", from())).rejects.toMatchObject({ code: 21211 });
});

test("a template is made, listed, sent with variables and removed", async () => {
  const client = server.client();
  const contents = client.content.v1.contents;
  const made = await contents.create({
    friendly_name: "call time",
    language: "en",
    variables: { 1: "there", 2: "06:30" },
    types: {
      "twilio/media": { body: "Hi {{1}}, be here at {{2}}", media: ["https://example.com/{{gate}}.png"] },
    } as never,
  } as never);
  expect(made).toMatchObject({ sid: expect.stringMatching(/^HX/), friendlyName: "call time", language: "en" });
  expect(made.links).toMatchObject({ approval_fetch: expect.stringMatching(/\/ApprovalRequests$/) });
  expect((await contents.list()).map(({ sid }) => sid)).toEqual([made.sid]);
  expect(await client.content.v1.contents(made.sid).fetch()).toMatchObject({ variables: { 1: "there", 2: "06:30" } });

  const send = (contentVariables?: string, contentSid = made.sid) =>
    client.messages.create({ to: ada, from: number, contentSid, ...(contentVariables ? { contentVariables } : {}) });
  expect(await send('{"1":"Ada","gate":"north"}')).toMatchObject({
    sid: expect.stringMatching(/^MM/),
    body: "Hi Ada, be here at 06:30",
    numMedia: "1",
  });
  await expect(send()).rejects.toMatchObject({ status: 400, code: 21656 });
  for (const wrong of ["[]", "nonsense", '{"1":2}']) await expect(send(wrong)).rejects.toMatchObject({ code: 21656 });
  await expect(send(undefined, "HX1")).rejects.toMatchObject({ status: 400, code: 21655 });
  await expect(send(undefined, `HX${"0".repeat(32)}`)).rejects.toMatchObject({ status: 404, code: 21654 });
  expect(await client.content.v1.contents(made.sid).remove()).toBe(true);
  await expect(send('{"gate":"x"}')).rejects.toMatchObject({ code: 21654 });
});
