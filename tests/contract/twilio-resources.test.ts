import { afterAll, beforeAll, expect, test } from "vitest";
import { start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
beforeAll(async () => {
  server = await twilioServer();
});
afterAll(() => server.close());

test("a subaccount is made, used with the parent's credentials, suspended and closed", async () => {
  const client = server.client();
  const sub = await client.api.v2010.accounts.create({ friendlyName: "Unit three" });
  expect(sub).toMatchObject({
    friendlyName: "Unit three",
    status: "active",
    ownerAccountSid: server.env.TWILIO_ACCOUNT_SID,
  });
  expect(sub.authToken).toMatch(/^[0-9a-f]{32}$/);
  const own = server.client(sub.sid, sub.authToken);
  const number = await own.incomingPhoneNumbers.create({ phoneNumber: "+13125550150" });
  expect((await own.messages.create({ to: "+14155550199", from: number.phoneNumber, body: "hi" })).status).toBe(
    "queued",
  );
  expect((await client.api.v2010.accounts(sub.sid).messages.list()).length).toBe(1);
  expect((await client.api.v2010.accounts.list({ friendlyName: "Unit three" })).map(({ sid }) => sid)).toEqual([
    sub.sid,
  ]);
  await client.api.v2010.accounts(sub.sid).update({ status: "suspended" });
  await expect(own.messages.list()).rejects.toMatchObject({ status: 403, code: 20005 });
  await client.api.v2010.accounts(sub.sid).update({ status: "closed" });
  await expect(client.api.v2010.accounts(sub.sid).update({ status: "active" })).rejects.toMatchObject({ code: 21479 });
  await expect(
    client.api.v2010.accounts(server.env.TWILIO_ACCOUNT_SID ?? "").update({ status: "closed" }),
  ).rejects.toMatchObject({ code: 21477 });
});

test("a number is sought, bought, found, set up and given back", async () => {
  const client = server.client();
  const search = client.availablePhoneNumbers("US");
  const [offer] = await search.local.list({ areaCode: 415, smsEnabled: true, limit: 5 });
  expect(offer).toMatchObject({ isoCountry: "US", capabilities: { voice: true, sms: true, mms: true } });
  const bought = await client.incomingPhoneNumbers.create({
    phoneNumber: offer?.phoneNumber ?? "",
    smsUrl: "http://example.com/sms",
  });
  expect(bought).toMatchObject({
    phoneNumber: offer?.phoneNumber,
    friendlyName: offer?.friendlyName,
    smsUrl: "http://example.com/sms",
    voiceUrl: "",
    smsMethod: "POST",
    status: "in-use",
  });
  const again = await search.local.list({ areaCode: 415, limit: 100 });
  expect(again.map(({ phoneNumber }) => phoneNumber)).not.toContain(bought.phoneNumber);
  await expect(client.incomingPhoneNumbers.create({ phoneNumber: bought.phoneNumber })).rejects.toMatchObject({
    code: 21422,
  });
  await expect(client.incomingPhoneNumbers.create({ areaCode: "533" })).rejects.toMatchObject({ code: 21452 });
  await expect(client.incomingPhoneNumbers.create({ phoneNumber: "123" })).rejects.toMatchObject({ code: 21421 });
  const context = client.incomingPhoneNumbers(bought.sid);
  expect(await context.update({ friendlyName: "Main", smsMethod: "GET" })).toMatchObject({
    friendlyName: "Main",
    smsMethod: "GET",
    smsUrl: "http://example.com/sms",
  });
  await expect(context.update({ smsMethod: "PUT" })).rejects.toMatchObject({ code: 21403 });
  expect((await client.incomingPhoneNumbers.list({ phoneNumber: "*415555*" })).map(({ sid }) => sid)).toEqual([
    bought.sid,
  ]);
  expect((await client.incomingPhoneNumbers.mobile.list()).map(({ phoneNumber }) => phoneNumber).sort()).toEqual([
    "+447700900100",
    "+61491570156",
  ]);
  expect((await client.messages.create({ to: "+14155550199", from: bought.phoneNumber, body: "hi" })).status).toBe(
    "queued",
  );
  expect(await context.remove()).toBe(true);
  await expect(
    client.messages.create({ to: "+14155550199", from: bought.phoneNumber, body: "hi" }),
  ).rejects.toMatchObject({ code: 21659 });
});

test("numbers are where their area code is, and are sought there", async () => {
  const search = server.client().availablePhoneNumbers("US");
  const golden = await search.local.list({ inRegion: "CA", limit: 50 });
  expect(new Set(golden.map(({ phoneNumber }) => phoneNumber.slice(2, 5)))).toEqual(new Set(["213", "415"]));
  const [offer] = await search.local.list({ areaCode: 415, limit: 1 });
  expect(offer).toMatchObject({ locality: "San Francisco", rateCenter: "SAN FRANCISCO", postalCode: "94103" });
  const found = { inLocality: "boston", inPostalCode: "02108", inLata: "128", inRateCenter: "BOSTON" };
  expect((await search.local.list({ ...found })).length).toBeGreaterThan(0);
  for (const name of Object.keys(found)) expect(await search.local.list({ ...found, [name]: "Nowhere" })).toEqual([]);
  const [free] = await search.tollFree.list({ limit: 1 });
  expect(free).toMatchObject({ locality: null, region: null, lata: null });
});

test("a number is handed to a subaccount, which then has it and its messages; its old pool has lost it", async () => {
  const client = server.client();
  const sub = await client.api.v2010.accounts.create({ friendlyName: "Unit four" });
  const number = await client.incomingPhoneNumbers.create({ areaCode: "617" });
  const service = await client.messaging.v1.services.create({ friendlyName: "Pool" });
  await client.messaging.v1.services(service.sid).phoneNumbers.create({ phoneNumberSid: number.sid });
  const context = client.incomingPhoneNumbers(number.sid);
  await expect(context.update({ accountSid: `AC${"0".repeat(32)}` })).rejects.toMatchObject({ code: 20001 });
  const moved = await context.update({ accountSid: sub.sid, friendlyName: "Moved" });
  expect(moved).toMatchObject({ accountSid: sub.sid, friendlyName: "Moved", sid: number.sid });
  await expect(context.fetch()).rejects.toMatchObject({ status: 404 });
  expect((await client.api.v2010.accounts(sub.sid).incomingPhoneNumbers.list()).map(({ sid }) => sid)).toEqual([
    number.sid,
  ]);
  expect(await client.messaging.v1.services(service.sid).phoneNumbers.list()).toEqual([]);
});

test("a trunk and a voice application take each other's place; what does not exist cannot be set", async () => {
  const client = server.client();
  const number = await client.incomingPhoneNumbers.create({ areaCode: "206" });
  const context = client.incomingPhoneNumbers(number.sid);
  const app = await client.applications.create({ friendlyName: "Switchboard" });
  const trunkSid = `TK${"1".repeat(32)}`;
  expect(await context.update({ voiceApplicationSid: app.sid })).toMatchObject({ voiceApplicationSid: app.sid });
  expect(await context.update({ trunkSid })).toMatchObject({ trunkSid, voiceApplicationSid: "" });
  expect(await context.update({ voiceApplicationSid: app.sid })).toMatchObject({
    trunkSid: null,
    voiceApplicationSid: app.sid,
  });
  expect(await context.update({ voiceApplicationSid: "", trunkSid })).toMatchObject({ trunkSid });
  expect(await context.update({ trunkSid: "" })).toMatchObject({ trunkSid: null, voiceApplicationSid: "" });
  const missing = "2".repeat(32);
  await expect(context.update({ smsApplicationSid: `AP${missing}` })).rejects.toMatchObject({ code: 21218 });
  await expect(context.update({ addressSid: `AD${missing}` })).rejects.toMatchObject({ code: 20001 });
  await expect(
    client.incomingPhoneNumbers.create({ areaCode: "206", voiceApplicationSid: `AP${missing}` }),
  ).rejects.toMatchObject({ code: 21218 });
});

test("test credentials buy magic numbers only", async () => {
  const account = server.runtime.state.mainAccount("test");
  const numbers = server.client(account?.sid, account?.authToken).incomingPhoneNumbers;
  expect(await numbers.create({ phoneNumber: "+15005550006" })).toMatchObject({ phoneNumber: "+15005550006" });
  expect(await numbers.create({ areaCode: "500" })).toMatchObject({ phoneNumber: "+15005550006" });
  await expect(numbers.create({ phoneNumber: "+15005550000" })).rejects.toMatchObject({
    code: 21422,
    message: "+15005550000 is not available",
  });
  await expect(numbers.create({ phoneNumber: "+15005550001" })).rejects.toMatchObject({ code: 21421 });
  await expect(numbers.list()).rejects.toMatchObject({ status: 403, code: 20008 });
});

test("keys show their secret once and sign in; a removed one does not", async () => {
  const client = server.client();
  const { sid, secret } = await client.newKeys.create({ friendlyName: "CI" });
  expect(secret).toMatch(/^[0-9A-Za-z]{32}$/);
  expect((await client.keys(sid).fetch()).toJSON()).not.toHaveProperty("secret");
  const accountSid = server.env.TWILIO_ACCOUNT_SID ?? "";
  const byKey = server.client(sid, secret, { accountSid });
  expect((await byKey.messages.list({ limit: 1 })).length).toBe(1);
  expect(await client.keys(sid).update({ friendlyName: "CD" })).toMatchObject({ friendlyName: "CD" });
  await client.keys(sid).remove();
  await expect(byKey.messages.list({ limit: 1 })).rejects.toMatchObject({ status: 401, code: 20003 });
  const signing = await client.newSigningKeys.create({});
  expect((await client.signingKeys.list()).map((key) => key.sid)).toEqual([signing.sid]);
});

test("applications, addresses, balance", async () => {
  const client = server.client();
  const app = await client.applications.create({
    friendlyName: "App",
    messageStatusCallback: "http://example.com/status",
  });
  expect((await client.applications.list({ friendlyName: "App" })).map(({ sid }) => sid)).toEqual([app.sid]);
  const address = await client.addresses.create({
    customerName: "Ada",
    street: "1 Main",
    city: "LA",
    region: "CA",
    postalCode: "90001",
    isoCountry: "US",
  });
  expect(address).toMatchObject({ friendlyName: "Ada", emergencyEnabled: false });
  await expect(
    client.addresses.create({
      customerName: "Ada",
      street: "",
      city: "LA",
      region: "CA",
      postalCode: "1",
      isoCountry: "US",
    }),
  ).rejects.toMatchObject({ code: 20001 });
  const number = await client.incomingPhoneNumbers.create({ areaCode: "312", addressSid: address.sid });
  expect((await client.addresses(address.sid).dependentPhoneNumbers.list()).map(({ sid }) => sid)).toEqual([
    number.sid,
  ]);
  const { TWILIO_ACCOUNT_SID = "", TWILIO_AUTH_TOKEN = "" } = server.env;
  const path = `/2010-04-01/Accounts/${TWILIO_ACCOUNT_SID}/Addresses/${address.sid}/DependentPhoneNumbers`;
  const authorization = `Basic ${btoa(`${TWILIO_ACCOUNT_SID}:${TWILIO_AUTH_TOKEN}`)}`;
  const xml = await (await fetch(`${server.url}${path}`, { headers: { authorization } })).text();
  expect(xml).toContain(`uri="${path}?PageSize=50&amp;Page=0"><DependentPhoneNumber>`);
  expect(await client.balance.fetch()).toMatchObject({
    currency: "USD",
    balance: expect.stringMatching(/^\d+\.\d\d$/),
  });
});

test("usage is counted from what was sent", async () => {
  const own = await twilioServer();
  const client = own.client();
  const count = async () => Number((await client.usage.records.allTime.list({ category: "sms-outbound" }))[0]?.count);
  const before = await count();
  const [morning] = await client.usage.records.today.list({ category: "sms-outbound" });
  for (const body of ["a", "b", "x".repeat(161)])
    await client.messages.create({ to: "+14155550199", from: own.env.TWILIO_PHONE_NUMBER ?? "", body });
  await own.advance(start + 60_000);
  expect(await count()).toBe(before + 3);
  const [today] = await client.usage.records.today.list({ category: "sms-outbound" });
  expect(today).toMatchObject({
    count: String(Number(morning?.count) + 3),
    usage: String(Number(morning?.usage) + 4),
    usageUnit: "segments",
    priceUnit: "usd",
    startDate: new Date("2025-01-15"),
  });
  const daily = await client.usage.records.daily.list({
    category: "sms",
    startDate: new Date("2025-01-06"),
    endDate: new Date("2025-01-15"),
  });
  expect(daily.length).toBe(10);
  await own.close();
});

test("a messaging service and its pool; the pool is what it sends with", async () => {
  const client = server.client();
  const service = await client.messaging.v1.services.create({
    friendlyName: "Alerts",
    statusCallback: "http://example.com/s",
  });
  expect(service).toMatchObject({
    stickySender: true,
    smartEncoding: true,
    validityPeriod: 36_000,
    inboundRequestUrl: null,
    usecase: "undeclared",
  });
  const context = client.messaging.v1.services(service.sid);
  await expect(
    client.messages.create({ to: "+14155550199", messagingServiceSid: service.sid, body: "hi" }),
  ).rejects.toMatchObject({ code: 21704 });
  const [number] = await client.incomingPhoneNumbers.list({ phoneNumber: "+12025550100" });
  const phoneNumberSid = number?.sid ?? "";
  expect(await context.phoneNumbers.create({ phoneNumberSid })).toMatchObject({
    sid: phoneNumberSid,
    phoneNumber: "+12025550100",
    countryCode: "US",
    capabilities: ["MMS", "SMS", "Voice"],
  });
  await expect(context.phoneNumbers.create({ phoneNumberSid })).rejects.toMatchObject({ status: 409, code: 21710 });
  const [other] = await client.incomingPhoneNumbers.list({ phoneNumber: "+12025550101" });
  await expect(context.phoneNumbers.create({ phoneNumberSid: other?.sid ?? "" })).rejects.toMatchObject({
    status: 409,
    code: 21712,
  });
  const alpha = await context.alphaSenders.create({ alphaSender: "Backlot" });
  expect(alpha).toMatchObject({ alphaSender: "Backlot", capabilities: ["SMS"] });
  const message = await client.messages.create({ to: "+447700900199", messagingServiceSid: service.sid, body: "hi" });
  await server.advance(server.runtime.clock.now() + 60_000);
  expect((await client.messages(message.sid).fetch()).from).toBe("Backlot");
  expect(await context.phoneNumbers(phoneNumberSid).remove()).toBe(true);
  expect((await context.phoneNumbers.create({ phoneNumberSid })).sid).toBe(phoneNumberSid);
  expect(await context.update({ smartEncoding: false, validityPeriod: 60 })).toMatchObject({
    smartEncoding: false,
    validityPeriod: 60,
  });
  await context.remove();
  await expect(context.fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
});

test("page links keep every filter, and survive what is added and removed meanwhile", async () => {
  const client = server.client();
  for (let n = 1; n <= 5; n += 1) await client.applications.create({ friendlyName: "same & more" });
  const first = await client.applications.page({ friendlyName: "same & more", pageSize: 2 });
  expect(first.nextPageUrl).toContain("FriendlyName=same%20%26%20more&PageSize=2&Page=1&PageToken=PA");
  await client.applications.create({ friendlyName: "same & more" });
  await client.applications(first.instances[1]?.sid ?? "").remove();
  const second = await first.nextPage();
  const third = await second?.nextPage();
  expect([...(second?.instances ?? []), ...(third?.instances ?? [])]).toHaveLength(3);
  expect(third?.nextPageUrl).toBeUndefined();
  const back = await third?.previousPage();
  expect(back?.instances.map(({ sid }) => sid)).toEqual(second?.instances.map(({ sid }) => sid));
});
