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

test("usage and balance tell the same story as the logs, and still do when the logs are deleted", async () => {
  const client = server.client();
  const from = server.env.TWILIO_PHONE_NUMBER ?? "";
  const verify = client.verify.v2.services(server.env.TWILIO_VERIFY_SERVICE_SID ?? "");
  const usage = async () => {
    const records = await client.usage.records.today.list({ includeSubaccounts: false });
    return Object.fromEntries(records.map((one) => [one.category, [Number(one.count), Number(one.usage), one.price]]));
  };
  const before = await usage();
  const balance = async () => Number((await client.balance.fetch()).balance);
  const rich = await balance();
  const long = await client.messages.create({ to, from, body: "x".repeat(161) });
  const failed = await client.messages.create({ to: "+12025550139", from, body: "never" });
  const call = await client.calls.create({
    to,
    from,
    twiml: "<Response><Pause length='61'/></Response>",
    record: true,
  });
  await verify.verifications.create({ to, channel: "sms" });
  expect((await usage()).sms).toEqual(before.sms);
  await server.advance(start + 120_000);
  const grown = (category: string, by: readonly [count: number, usage: number, price: number]) =>
    (before[category] ?? []).map((value, n) => expect.closeTo(value + (by[n] ?? 0), 5));
  const after = {
    "sms-outbound": grown("sms-outbound", [1, 2, 0.0166]),
    "calls-outbound": grown("calls-outbound", [1, 2, 0.028]),
    recordings: grown("recordings", [1, 2, 0]),
    verifications: grown("verifications", [1, 1, 0.05]),
  };
  expect(await usage()).toMatchObject(after);
  expect(Math.abs(rich - 0.0946 - (await balance()))).toBeLessThan(0.011);
  const spent = await balance();
  const [recording] = await client.calls(call.sid).recordings.list();
  await client.recordings(recording?.sid ?? "").remove();
  await client.calls(call.sid).remove();
  for (const { sid } of [long, failed]) await client.messages(sid).remove();
  expect(await usage()).toMatchObject(after);
  expect(await balance()).toBe(spent);
});

test("subaccounts pay from their parent's balance", async () => {
  const { parent, own, number } = await subaccount();
  const before = (await parent.balance.fetch()).balance;
  for (let n = 0; n < 10; n += 1) await own.messages.create({ to, from: number.phoneNumber, body: `${n}` });
  await server.advance(start + 60_000);
  const after = (await parent.balance.fetch()).balance;
  expect(Math.abs(Number(before) - Number(after) - 0.083)).toBeLessThan(0.011);
  expect((await own.balance.fetch()).balance).toBe(after);
  const [total] = await parent.usage.records.allTime.list({ category: "totalprice" });
  expect((100 - Number(total?.price)).toFixed(2)).toBe(after);
});

test("days that do not exist are refused, and a span that ends before it begins is empty", async () => {
  const { records } = server.client().usage;
  for (const startDate of ["2025-02-30", "2025-13-01", "yesterday"])
    await expect(records.list({ startDate: startDate as unknown as Date })).rejects.toMatchObject({ code: 20001 });
  expect(await records.list({ startDate: new Date("2025-01-10"), endDate: new Date("2025-01-09") })).toEqual([]);
});
