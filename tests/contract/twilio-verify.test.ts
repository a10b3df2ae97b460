import { afterEach, beforeEach, expect, test } from "vitest";
import { control, start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
beforeEach(async () => {
  server = await twilioServer();
});
afterEach(() => server.close());

const to = "+14155550199";
const service = () => server.client().verify.v2.services(server.env.TWILIO_VERIFY_SERVICE_SID ?? "");
const send = (channel = "sms") => service().verifications.create({ to, channel });
const check = (code: string) => service().verificationChecks.create({ to, code });
async function code(): Promise<string> {
  const { verifications } = (await control(server, `verifications?to=${encodeURIComponent(to)}`)) as unknown as {
    verifications: { code: string; status: string }[];
  };
  return verifications.find(({ status }) => status === "pending")?.code ?? "";
}
const wrong = async () => String((Number(await code()) + 1) % 1_000_000).padStart(6, "0");

test("a code is sent, checked and used up", async () => {
  const sent = await send();
  expect(sent).toMatchObject({
    to,
    channel: "sms",
    status: "pending",
    valid: false,
    sendCodeAttempts: [{ channel: "SMS" }],
  });
  expect(await code()).toMatch(/^\d{6}$/);
  expect(await check(await wrong())).toMatchObject({ status: "pending", valid: false });
  const right = await code();
  const approved = await check(right);
  expect(approved).toMatchObject({ sid: sent.sid, status: "approved", valid: true });
  // Python reads no milliseconds.
  const raw = await fetch(
    `${server.url}/verify/v2/Services/${server.env.TWILIO_VERIFY_SERVICE_SID}/Verifications/${sent.sid}`,
    {
      headers: {
        authorization: `Basic ${Buffer.from(`${server.env.TWILIO_ACCOUNT_SID}:${server.env.TWILIO_AUTH_TOKEN}`).toString("base64")}`,
      },
    },
  );
  expect(await raw.json()).toMatchObject({ date_created: "2025-01-15T12:00:00Z", status: "approved" });
  await expect(check(right)).rejects.toMatchObject({
    status: 404,
    code: 20404,
    message: `The requested resource /Services/${server.env.TWILIO_VERIFY_SERVICE_SID}/VerificationCheck was not found`,
  });
  expect(await server.client().verify.v2.verificationAttemptsSummary().fetch()).toMatchObject({
    totalAttempts: 1,
    totalConverted: 1,
  });
});

test("after five wrong checks even the right code is refused, until the code expires", async () => {
  await send();
  const right = await code();
  for (let n = 1; n <= 5; n += 1) expect(await check(await wrong())).toMatchObject({ valid: false, status: "pending" });
  for (const one of ["000000", right]) await expect(check(one)).rejects.toMatchObject({ status: 429, code: 60202 });
  await expect(send()).rejects.toMatchObject({ status: 429, code: 60202 });
  await server.advance(start + 600_000);
  expect((await send()).status).toBe("pending");
});

test("the same verification is sent again, five times at most", async () => {
  const first = await send();
  for (let n = 2; n <= 5; n += 1) expect((await send("call")).sid).toBe(first.sid);
  await expect(send()).rejects.toMatchObject({ status: 429, code: 60203, message: "Max send attempts reached" });
});

test("codes expire after ten minutes; a verification is canceled or approved by hand", async () => {
  const { sid } = await send();
  const right = await code();
  await server.advance(start + 599_999);
  expect(await service().verifications(sid).fetch()).toMatchObject({ status: "pending" });
  await server.advance(start + 600_000);
  await expect(check(right)).rejects.toMatchObject({ status: 404, code: 20404 });
  expect(await service().verifications(sid).fetch()).toMatchObject({ status: "expired" });
  const second = await send();
  expect(await service().verifications(to).update({ status: "canceled" })).toMatchObject({
    sid: second.sid,
    status: "canceled",
  });
  const third = await send();
  expect(await service().verifications(third.sid).update({ status: "approved" })).toMatchObject({
    status: "approved",
    valid: true,
  });
});

test("what cannot be verified is refused in Verify's words", async () => {
  await expect(service().verifications.create({ to: "+4912", channel: "sms" })).rejects.toMatchObject({
    status: 400,
    code: 60200,
    message: "Invalid parameter `To`: +4912",
  });
  await expect(service().verifications.create({ to, channel: "pigeon" })).rejects.toMatchObject({ code: 60200 });
  await expect(service().verifications.create({ to, channel: "sms", customCode: "123456" })).rejects.toMatchObject({
    code: 60204,
  });
  await expect(service().verifications.create({ to, channel: "sms", amount: "10" })).rejects.toMatchObject({
    code: 60206,
  });
});

test("services are made, listed with `meta`, changed and removed", async () => {
  const verify = server.client().verify.v2;
  const made = await verify.services.create({ friendlyName: "Second", codeLength: 4 });
  expect(made).toMatchObject({ codeLength: 4, lookupEnabled: false, totp: { issuer: "Second", time_step: 30 } });
  expect((await verify.services.list({ pageSize: 1 })).map(({ sid }) => sid)).toEqual([
    made.sid,
    server.env.TWILIO_VERIFY_SERVICE_SID,
  ]);
  expect(await verify.services(made.sid).update({ friendlyName: "Renamed" })).toMatchObject({
    friendlyName: "Renamed",
    codeLength: 4,
  });
  const { sid } = await verify.services(made.sid).verifications.create({ to: "ada@example.com", channel: "email" });
  expect(await verify.verificationAttempts.list({ verificationSid: sid })).toMatchObject([
    { channel: "email", conversionStatus: "unconverted" },
  ]);
  expect(await verify.services(made.sid).remove()).toBe(true);
  await expect(verify.services(made.sid).fetch()).rejects.toMatchObject({ status: 404 });
});

test("lookups answer what is valid, and say why the rest is not", async () => {
  const lookup = (number: string, fields?: string) =>
    server
      .client()
      .lookups.v2.phoneNumbers(number)
      .fetch(fields ? { fields } : {});
  expect(await lookup("+14155550199", "line_type_intelligence")).toMatchObject({
    valid: true,
    countryCode: "US",
    callingCountryCode: "1",
    nationalFormat: "(415) 555-0199",
    lineTypeIntelligence: { type: "mobile" },
    callerName: null,
    url: `${server.url}/lookups/v2/PhoneNumbers/+14155550199`,
  });
  expect(await lookup("+4915")).toMatchObject({ valid: false, validationErrors: ["TOO_SHORT"], countryCode: null });
  expect(await lookup("hello")).toMatchObject({ valid: false, validationErrors: ["NOT_A_NUMBER"] });
});

test("a bearer token is fetched once and accepted everywhere", async () => {
  const { TWILIO_CLIENT_ID = "", TWILIO_CLIENT_SECRET = "", TWILIO_ACCOUNT_SID = "" } = server.env;
  const form = { grant_type: "client_credentials", client_id: TWILIO_CLIENT_ID, client_secret: TWILIO_CLIENT_SECRET };
  const answer = await fetch(`${server.url}/oauth/v2/token`, { method: "POST", body: new URLSearchParams(form) });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const fetchAs = (bearer: string) =>
    fetch(`${server.url}/2010-04-01/Accounts/${TWILIO_ACCOUNT_SID}/Messages.json`, {
      headers: { authorization: `Bearer ${bearer}` },
    });
  expect((await fetchAs(token)).status).toBe(200);
  expect((await fetchAs(`${token}x`)).status).toBe(401);
  expect((await fetchAs("a.b.c")).status).toBe(401);
  const older = new URLSearchParams({
    GrantType: "client_credentials",
    ClientSid: TWILIO_CLIENT_ID,
    ClientSecret: TWILIO_CLIENT_SECRET,
  });
  expect((await fetch(`${server.url}/oauth/v1/token`, { method: "POST", body: older })).status).toBe(201);
  const refused = await fetch(`${server.url}/oauth/v2/token`, {
    method: "POST",
    body: new URLSearchParams({ ...form, client_secret: "no" }),
  });
  expect(refused.status).toBe(401);
});

test("a service is changed as strictly as it is made", async () => {
  const { services } = server.client().verify.v2;
  const made = await services.create({ friendlyName: "Strict", customCodeEnabled: true });
  const invalid = { status: 400, code: 60200 };
  await expect(services.create({ friendlyName: "Strict", codeLength: 3 })).rejects.toMatchObject({
    ...invalid,
    message: "Invalid parameter `CodeLength`: 3",
  });
  await expect(services.create({ friendlyName: "Code 12345" })).rejects.toMatchObject(invalid);
  await expect(services(made.sid).update({ friendlyName: "Code 12345" })).rejects.toMatchObject(invalid);
  await expect(services(made.sid).update({ codeLength: 11 })).rejects.toMatchObject(invalid);
  expect(await services(made.sid).update({ codeLength: 8 })).toMatchObject({ codeLength: 8, friendlyName: "Strict" });
});
