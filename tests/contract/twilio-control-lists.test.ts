/** What the control API lists of messages and calls, whoever made them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { control, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
beforeAll(async () => {
  server = await twilioServer();
});
afterAll(() => server.close());

test("messages and calls of both directions are listed, newest first, with their words and their state", async () => {
  const [own, other] = ["+12025550100", "+12025550110"];
  const sent = await server.client().messages.create({ from: own, to: other, body: "Where are you?" });
  const received = await control(server, "inbound-messages", { from: other, to: own, body: "Nearly there" });
  const call = await control(server, "inbound-calls", { from: other, to: own });
  const { messages, total } = await control(server, "messages?limit=2");
  expect(messages).toMatchObject([
    { sid: received.sid, direction: "inbound", from: other, to: own, body: "Nearly there", status: "received" },
    { sid: sent.sid, direction: "outbound-api", from: own, to: other, body: "Where are you?" },
  ]);
  expect(total).toBeGreaterThanOrEqual(2);
  const { calls } = await control(server, "calls");
  expect(calls).toContainEqual(expect.objectContaining({ sid: call.sid, direction: "inbound", from: other, to: own }));
  await expect(control(server, "messages?limit=0")).rejects.toThrow(/query\.limit/);
});
