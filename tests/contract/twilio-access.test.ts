import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { phoneNumber } from "../../emulators/twilio/kinds.ts";
import { type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
beforeAll(async () => {
  server = await twilioServer();
});
afterAll(() => server.close());

describe("credentials", () => {
  test("an account signs in with its token or an API key, and its parent for it", async () => {
    const { TWILIO_ACCOUNT_SID = "", TWILIO_API_KEY = "", TWILIO_API_SECRET = "" } = server.env;
    const byKey = server.client(TWILIO_API_KEY, TWILIO_API_SECRET, { accountSid: TWILIO_ACCOUNT_SID });
    expect(await byKey.messages.list({ limit: 1 })).toHaveLength(1);
    const account = await server.client().api.v2010.accounts(TWILIO_ACCOUNT_SID).fetch();
    expect(account).toMatchObject({
      sid: TWILIO_ACCOUNT_SID,
      ownerAccountSid: TWILIO_ACCOUNT_SID,
      authToken: server.env.TWILIO_AUTH_TOKEN,
      friendlyName: "Backlot Pictures",
      status: "active",
      type: "Full",
      dateCreated: new Date("2024-01-16T12:00:00Z"),
      subresourceUris: expect.objectContaining({
        messages: `/2010-04-01/Accounts/${TWILIO_ACCOUNT_SID}/Messages.json`,
      }),
    });
    const sub = server.runtime.state.resourceByKey(phoneNumber, "+12025550104")?.accountSid ?? "";
    expect(await server.client().api.v2010.accounts(sub).fetch()).toMatchObject({
      sid: sub,
      ownerAccountSid: TWILIO_ACCOUNT_SID,
    });
    const asSub = server.client(undefined, undefined, { accountSid: sub });
    expect(await asSub.messages.create({ to: "+14155550199", from: "+12025550104", body: "hi" })).toMatchObject({
      accountSid: sub,
    });
  });

  test("credentials look as the SDKs in every language expect them", () => {
    expect(server.env).toMatchObject({
      TWILIO_ACCOUNT_SID: expect.stringMatching(/^AC[0-9a-f]{32}$/),
      TWILIO_AUTH_TOKEN: expect.stringMatching(/^[0-9a-f]{32}$/),
      TWILIO_API_KEY: expect.stringMatching(/^SK[0-9a-f]{32}$/),
      TWILIO_API_SECRET: expect.stringMatching(/^[0-9A-Za-z]{32}$/),
      TWILIO_PHONE_NUMBER: "+12025550100",
      TWILIO_MESSAGING_SERVICE_SID: expect.stringMatching(/^MG[0-9a-f]{32}$/),
      TWILIO_VERIFY_SERVICE_SID: expect.stringMatching(/^VA[0-9a-f]{32}$/),
      BACKLOT_TWILIO_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    });
  });

  test("a wrong token, a user that is no sid and no credentials have a text each", async () => {
    await expect(server.client(undefined, "wrong").messages.list({ limit: 1 })).rejects.toMatchObject({
      status: 401,
      code: 20003,
      message: "Authenticate",
      moreInfo: "https://www.twilio.com/docs/errors/20003",
    });
    const path = `${server.url}/2010-04-01/Accounts/${server.env.TWILIO_ACCOUNT_SID}/Messages.json`;
    const none = await fetch(path);
    expect(none.headers.get("www-authenticate")).toBe('Basic realm="Twilio API"');
    expect(await none.json()).toMatchObject({ message: "Authentication Error - No credentials provided", status: 401 });
    const odd = await fetch(path, { headers: { authorization: `Basic ${btoa("me:secret")}` } });
    expect(await odd.json()).toMatchObject({ code: 20003, message: "Authentication Error - invalid username" });
  });

  test("products that are not emulated answer 20404 through the SDK", async () => {
    const { TWILIO_VERIFY_SERVICE_SID = "" } = server.env;
    const verify = server.client().verify.v2.services(TWILIO_VERIFY_SERVICE_SID);
    await expect(verify.webhooks.list()).rejects.toMatchObject({
      status: 404,
      code: 20404,
      message: `The requested resource /Services/${TWILIO_VERIFY_SERVICE_SID}/Webhooks was not found`,
    });
  });
});

describe("real mode", () => {
  const refusal = {
    status: 503,
    code: 20503,
    moreInfo: "https://www.twilio.com/docs/errors/20503",
    message: expect.stringContaining("TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_PHONE_NUMBER"),
    details: {
      service: "Twilio",
      hint: expect.stringContaining("Call Twilio itself"),
      required: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_PHONE_NUMBER"],
      missing: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_PHONE_NUMBER"],
      docs: "README.md#real-mode",
      example: expect.stringContaining("TWILIO_ACCOUNT_SID=ACxxxx"),
    },
  };

  test("the SDK surfaces what to set, and nothing is stored", async () => {
    const real = await twilioServer({ APP_MODE: "production" });
    const before = real.digest();
    const sending = real.client().messages.create({ to: "+14155550199", from: "+12025550100", body: "hi" });
    await expect(sending).rejects.toMatchObject(refusal);
    expect(real.digest()).toBe(before);
    const xml = await fetch(`${real.url}/2010-04-01/Accounts/AC1/Messages`);
    expect([xml.status, xml.headers.get("content-type")]).toEqual([503, "application/xml"]);
    expect(await xml.text()).toContain("<Required>TWILIO_ACCOUNT_SID</Required>");
    await real.close();
  });

  test("one request can ask for it by header", async () => {
    const client = server.client(undefined, undefined, { headers: { "X-Backlot-Mode": "real" } });
    await expect(client.messages.list({ limit: 1 })).rejects.toMatchObject(refusal);
    expect(await server.client().messages.list({ limit: 1 })).toHaveLength(1);
  });
});

test("a body beyond the limit is 20413", async () => {
  const small = await twilioServer({ BACKLOT_BODY_LIMIT: "1000" });
  const sending = small.client().messages.create({ to: "+14155550199", from: "+12025550100", body: "x".repeat(1_100) });
  await expect(sending).rejects.toMatchObject({ status: 413, code: 20413 });
  await small.close();
});
