/** What becomes of mail: bounces with their notifications, complaints, automatic replies, opens and clicks. */
import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { mailServer } from "../smtp/mail-server.ts";
import { queuedId, rawClient } from "../smtp/raw-client.ts";
import { startReceiver } from "../smtp/receiver.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
beforeAll(async () => {
  [server, receiver] = [await mailServer(), await startReceiver()];
});
afterAll(async () => {
  await server.close();
  receiver.close();
});
afterEach(() => {
  server.reset();
  receiver.calls.length = 0;
});

const post = (path: string, body: unknown) =>
  fetch(`${server.url}${path}`, { method: "POST", body: JSON.stringify(body) });
async function send(to: string, mail = "", rcpt = ""): Promise<string> {
  const client = await rawClient(server.port);
  await client.say(`MAIL FROM:<ann@example.com>${mail}`);
  await client.say(`RCPT TO:<${to}>${rcpt}`);
  await client.say("DATA");
  client.send(
    "From: ann@example.com\r\nSubject: Hello\r\nMessage-ID: <m1@example.com>\r\n\r\nsee https://app.test/a\r\n.\r\n",
  );
  const id = queuedId(await client.reply());
  client.end();
  return id;
}
const later = (ms: number) => server.advance(server.runtime.clock.now() + ms);
const Events = z.object({
  events: z.array(z.looseObject({ type: z.string().optional() })),
  signingKey: z.string().optional(),
});
const events = async (id: string, as = "") =>
  Events.parse(await server.json(`/_backlot/smtp/messages/${id}/events${as}`));
const types = async (id: string) => (await events(id)).events.map(({ type }) => type);
const Inbox = z.object({ messages: z.array(z.looseObject({ id: z.string(), from: z.string() })) });
const inboxOf = async (address: string) =>
  Inbox.parse(await server.json(`/_backlot/smtp/messages?to=${address}`)).messages;

test("an asynchronous bounce is told and comes back as a notification", async () => {
  await post("/_backlot/webhooks/endpoints", { url: receiver.url, events: ["email.*"] });
  const id = await send("async+5.2.2@magic.test", " RET=HDRS ENVID=env1", " ORCPT=rfc822;old@magic.test");
  await later(1000);
  expect(await types(id)).toEqual(["email.accepted", "email.bounced"]);
  await expect.poll(() => receiver.calls.length).toBe(2);
  expect(JSON.parse(receiver.calls[1]?.body ?? "")).toMatchObject({
    type: "email.bounced",
    data: {
      messageId: id,
      recipient: "async+5.2.2@magic.test",
      status: "5.2.2",
      response: expect.stringContaining("over quota"),
    },
  });
  const [notification] = await inboxOf("ann@example.com");
  expect(notification?.from).toBe("");
  const raw = (await server.raw(notification?.id ?? "")).toString("latin1");
  for (const part of [
    "Content-Type: multipart/report; report-type=delivery-status;",
    "Auto-Submitted: auto-replied",
    "Original-Envelope-Id: env1",
    "Original-Recipient: rfc822;old@magic.test",
    "Final-Recipient: rfc822; async+5.2.2@magic.test",
    "Action: failed",
    "Status: 5.2.2",
    "Content-Type: text/rfc822-headers\r\n\r\nFrom: ann@example.com",
  ])
    expect(raw).toContain(part);
  expect(raw).not.toContain("see https://app.test");
});

test("NOTIFY says what is told: NEVER nothing, SUCCESS a delivery", async () => {
  await send("async@magic.test", "", " NOTIFY=NEVER");
  await later(1000);
  expect(await inboxOf("ann@example.com")).toEqual([]);
  await send("bob@example.org", " RET=FULL", " NOTIFY=SUCCESS");
  await later(1000);
  const [notification] = await inboxOf("ann@example.com");
  const raw = (await server.raw(notification?.id ?? "")).toString("latin1");
  expect(raw).toContain("Action: delivered");
  expect(raw).toContain("Content-Type: message/rfc822\r\n\r\nFrom: ann@example.com");
});

test("a complaint brings an ARF report, an absence an automatic reply; a null sender gets neither", async () => {
  const complained = await send("complaint@simulator.amazonses.com");
  await later(2000);
  expect(await types(complained)).toEqual(["email.accepted", "email.delivered", "email.complained"]);
  const [report] = await inboxOf("ann@example.com");
  expect((await server.raw(report?.id ?? "")).toString()).toContain("Feedback-Type: abuse");
  await send("ooo@magic.test");
  await later(2000);
  const replies = await inboxOf("ann@example.com");
  expect(replies.at(-1)).toMatchObject({ from: "ooo@magic.test", subject: "Out of office: Hello" });
});

test("a fault rule can bounce or defer what was accepted", async () => {
  await post("/_backlot/faults", {
    match: { stage: "rcpt", facts: { to: "slow@*" } },
    action: { effect: "defer", with: { deferrals: 2, text: "try later" } },
  });
  const id = await send("slow@example.org");
  await later(10_000);
  expect(await types(id)).toEqual(["email.accepted", "email.deferred", "email.deferred", "email.delivered"]);
});

test("opens and clicks happen when a test says so, in any provider's words", async () => {
  const id = await send("bob@example.org");
  await later(1000);
  expect((await post(`/_backlot/smtp/messages/${id}/events`, { type: "email.clicked" })).status).toBe(201);
  expect(
    (await post(`/_backlot/smtp/messages/${id}/events`, { type: "email.opened", recipient: "who@example.org" })).status,
  ).toBe(400);
  const words = async (as: string) => (await events(id, `?as=${as}`)).events;
  expect(await words("sendgrid")).toMatchObject([
    { event: "processed" },
    { event: "delivered", email: "bob@example.org" },
    { event: "click", url: "https://app.test/a" },
  ]);
  expect(await words("postmark")).toMatchObject([
    { RecordType: "Delivery" },
    { RecordType: "Click", OriginalLink: "https://app.test/a" },
  ]);
  expect(await words("ses")).toMatchObject([
    { notificationType: "Delivery", mail: { destination: ["bob@example.org"] } },
  ]);
  expect(await words("resend")).toMatchObject([
    { type: "email.sent" },
    { type: "email.delivered" },
    { type: "email.clicked" },
  ]);
  const mailgun = await events(id, "?as=mailgun");
  const signature = z.object({
    signature: z.object({ timestamp: z.string(), token: z.string().length(50), signature: z.string() }),
  });
  for (const event of mailgun.events) {
    const { timestamp, token, signature: signed } = signature.parse(event).signature;
    expect(
      createHmac("sha256", mailgun.signingKey ?? "")
        .update(timestamp + token)
        .digest("hex"),
    ).toBe(signed);
  }
});
