import { afterEach, beforeEach, expect, test } from "vitest";
import { start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
beforeEach(async () => {
  server = await twilioServer();
});
afterEach(() => server.close());

const to = "+14155550199";

test("queued, sent within two seconds, delivered within four more, billed after that", async () => {
  const client = server.client();
  const { sid } = await client.messages.create({
    to,
    from: server.env.TWILIO_PHONE_NUMBER ?? "",
    body: "x".repeat(161),
  });
  const at = async (seconds: number) => {
    await server.advance(start + seconds * 1_000);
    return client.messages(sid).fetch();
  };
  expect(await at(0.9)).toMatchObject({ status: "queued", dateSent: null });
  const sent = await at(2);
  expect(sent).toMatchObject({ status: "sent", price: null });
  expect(sent.dateSent.getTime()).toBeGreaterThan(start);
  await at(6);
  expect(await at(9)).toMatchObject({
    status: "delivered",
    price: "-0.01660",
    numSegments: "2",
    dateSent: sent.dateSent,
  });
});

test("a messaging service accepts, then chooses a sender of its pool and keeps to it", async () => {
  const client = server.client();
  const messagingServiceSid = server.env.TWILIO_MESSAGING_SERVICE_SID ?? "";
  const create = (body: string) => client.messages.create({ to, messagingServiceSid, body });
  const messages = [await create("one"), await create("two")];
  for (const message of messages)
    expect(message).toMatchObject({ status: "accepted", from: null, numSegments: "0", messagingServiceSid });
  await server.advance(start + 800);
  const [first, second] = await Promise.all(messages.map(({ sid }) => client.messages(sid).fetch()));
  expect(first).toMatchObject({
    status: "queued",
    from: expect.stringMatching(/^\+1202555010[12]$/),
    numSegments: "1",
  });
  expect(second?.from).toBe(first?.from);
  await server.advance(start + 60_000);
  expect(await client.messages(first?.sid ?? "").fetch()).toMatchObject({ status: "delivered" });
});

test("a pool's sender is of the recipient's country, then of its area code; without stickiness senders take turns", async () => {
  const client = server.client();
  const service = await client.messaging.v1.services.create({ friendlyName: "Near", stickySender: false });
  for (const phoneNumber of ["+14155550160", "+13125550160", "+13125550161"]) {
    const { sid } = await client.incomingPhoneNumbers.create({ phoneNumber });
    await client.messaging.v1.services(service.sid).phoneNumbers.create({ phoneNumberSid: sid });
  }
  const [london] = await client.incomingPhoneNumbers.list({ phoneNumber: "+447700900100" });
  await client.messaging.v1.services(service.sid).phoneNumbers.create({ phoneNumberSid: london?.sid ?? "" });
  const sendersTo = async (recipient: string, count: number) => {
    const sids: string[] = [];
    for (let n = 0; n < count; n += 1)
      sids.push(
        (await client.messages.create({ to: recipient, messagingServiceSid: service.sid, body: `n ${n}` })).sid,
      );
    await server.advance(server.runtime.clock.now() + 60_000);
    const sent = await Promise.all(sids.map((sid) => client.messages(sid).fetch()));
    return [...new Set(sent.map(({ from }) => from))].sort();
  };
  expect(await sendersTo("+14155550199", 6)).toEqual(["+14155550160"]);
  expect(await sendersTo("+13125550199", 12)).toEqual(["+13125550160", "+13125550161"]);
  expect(await sendersTo("+447700900123", 4)).toEqual(["+447700900100"]);
});

test.each([
  ["+12025550131", "failed", 30001, "Queue overflow"],
  ["+12025550133", "undelivered", 30003, "Unreachable destination handset"],
  ["+12025550135", "undelivered", 30005, "Unknown destination handset"],
  ["+12025550136", "undelivered", 30006, "Landline or unreachable carrier"],
  ["+12025550137", "undelivered", 30007, "Message filtered"],
  ["+12025550139", "failed", 30034, "US A2P 10DLC - Message from an Unregistered Number"],
])("a message to %s ends %s with %i", async (recipient, status, errorCode, errorMessage) => {
  const client = server.client();
  const message = await client.messages.create({
    to: recipient,
    from: server.env.TWILIO_PHONE_NUMBER ?? "",
    body: "hi",
  });
  expect(message.status).toBe("queued");
  await server.advance(start + 60_000);
  expect(await client.messages(message.sid).fetch()).toMatchObject({ status, errorCode, errorMessage });
});

test("a reset takes messages and their timers away", async () => {
  const before = server.digest();
  await server.client().messages.create({ to, from: server.env.TWILIO_PHONE_NUMBER ?? "", body: "hi" });
  expect(server.digest()).not.toBe(before);
  server.reset();
  expect(server.digest()).toBe(before);
  await server.advance(start + 60_000);
  expect(server.digest()).toBe(before);
});
