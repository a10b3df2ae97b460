/** What a trial account may not do, and how its messages say that it is one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { phoneNumber } from "../../emulators/twilio/kinds.ts";
import { start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
beforeAll(async () => {
  server = await twilioServer();
});
afterAll(() => server.close());

const from = "+12025550106";
const verified = "+14155550101";

test("a trial account reaches verified numbers alone", async () => {
  const { state } = server.runtime;
  const account = state.account(state.resourceByKey(phoneNumber, from)?.accountSid ?? "");
  const client = server.client(account?.sid, account?.authToken);
  expect(await client.api.v2010.accounts(account?.sid ?? "").fetch()).toMatchObject({ type: "Trial" });

  expect(await client.messages.create({ to: verified, from, body: "x".repeat(130) })).toMatchObject({
    body: `Sent from your Twilio trial account - ${"x".repeat(130)}`,
    numSegments: "2",
  });
  await expect(client.messages.create({ to: "+14155550199", from, body: "hi" })).rejects.toMatchObject({
    status: 400,
    code: 21608,
    message: expect.stringMatching(/^The number \+1415555XXXX is unverified\. Trial accounts cannot send messages/),
  });
  const twiml = "<Response/>";
  expect((await client.calls.create({ to: verified, from, twiml })).status).toBe("queued");
  await expect(client.calls.create({ to: "+14155550199", from, twiml })).rejects.toMatchObject({ code: 21219 });
  await expect(client.incomingPhoneNumbers.create({ areaCode: "415" })).rejects.toMatchObject({ code: 21404 });

  await client.validationRequests.create({ phoneNumber: "+14155550199" });
  await server.advance(start + 10_000);
  expect((await client.messages.create({ to: "+14155550199", from, body: "hi" })).status).toBe("queued");
});
