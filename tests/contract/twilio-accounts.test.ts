/** What accounts may do when they are suspended or closed, what keys may, and what all of it has cost. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { control, start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
beforeEach(async () => {
  server = await twilioServer();
});
afterEach(() => server.close());

const to = "+14155550199";

async function subaccount() {
  const parent = server.client();
  const sub = await parent.api.v2010.accounts.create({ friendlyName: "Unit five" });
  const own = server.client(sub.sid, sub.authToken);
  const number = await own.incomingPhoneNumbers.create({ areaCode: "503" });
  const set = (status: "active" | "suspended" | "closed") => parent.api.v2010.accounts(sub.sid).update({ status });
  return { parent, sub, own, number, set };
}

test("a suspended account is out of reach, its waiting messages fail, and only its parent opens it again", async () => {
  const { parent, sub, own, number, set } = await subaccount();
  const waiting = await own.messages.create({ to, from: number.phoneNumber, body: "too late" });
  await set("suspended");
  const inactive = { status: 403, code: 20005 };
  await expect(own.api.v2010.accounts(sub.sid).fetch()).rejects.toMatchObject(inactive);
  await expect(own.api.v2010.accounts(sub.sid).update({ status: "active" })).rejects.toMatchObject(inactive);
  await expect(own.verify.v2.services.list()).rejects.toMatchObject(inactive);
  await expect(control(server, "inbound-messages", { from: to, to: number.phoneNumber, body: "hi" })).rejects.toThrow(
    /404.*No active account has the number/,
  );
  await expect(control(server, "inbound-calls", { from: to, to: number.phoneNumber })).rejects.toThrow(/404/);
  await server.advance(start + 60_000);
  expect((await parent.api.v2010.accounts(sub.sid).fetch()).status).toBe("suspended");
  expect((await set("active")).status).toBe("active");
  expect(await own.messages(waiting.sid).fetch()).toMatchObject({
    status: "failed",
    errorCode: 30002,
    errorMessage: "Account suspended",
  });
  expect((await own.messages.create({ to, from: number.phoneNumber, body: "again" })).status).toBe("queued");
});

test("a closed account loses its numbers, which are on offer again", async () => {
  const { parent, number, set } = await subaccount();
  await expect(parent.incomingPhoneNumbers.create({ phoneNumber: number.phoneNumber })).rejects.toMatchObject({
    code: 21422,
  });
  await set("closed");
  await expect(control(server, "inbound-messages", { from: to, to: number.phoneNumber, body: "hi" })).rejects.toThrow(
    /404/,
  );
  expect((await parent.incomingPhoneNumbers.create({ phoneNumber: number.phoneNumber })).phoneNumber).toBe(
    number.phoneNumber,
  );
});

test("a standard key works for its account, but manages neither accounts nor keys; a main key does", async () => {
  const { parent, sub } = await subaccount();
  const { TWILIO_ACCOUNT_SID: accountSid = "", TWILIO_API_KEY, TWILIO_API_SECRET } = server.env;
  const { sid, secret } = await parent.newKeys.create({ friendlyName: "Standard" });
  const standard = server.client(sid, secret, { accountSid });
  const main = server.client(TWILIO_API_KEY, TWILIO_API_SECRET, { accountSid });
  expect((await standard.incomingPhoneNumbers.list({ limit: 1 })).length).toBe(1);
  expect((await standard.balance.fetch()).currency).toBe("USD");
  const refused = { status: 401, code: 20003, message: "Authentication Error - invalid username" };
  for (const managing of [
    () => standard.api.v2010.accounts(accountSid).fetch(),
    () => standard.api.v2010.accounts.create({}),
    () => standard.keys.list(),
    () => standard.keys(sid).remove(),
    () => standard.newKeys.create({}),
    () => standard.signingKeys.list(),
  ])
    await expect(managing()).rejects.toMatchObject(refused);
  expect((await main.api.v2010.accounts(accountSid).fetch()).sid).toBe(accountSid);
  expect((await main.keys(sid).fetch()).friendlyName).toBe("Standard");
  await expect(main.api.v2010.accounts(sub.sid).messages.list()).rejects.toMatchObject({ status: 401, code: 20003 });
});
