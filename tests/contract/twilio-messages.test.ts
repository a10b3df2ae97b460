import { afterAll, beforeAll, expect, test } from "vitest";
import { start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
beforeAll(async () => {
  server = await twilioServer();
});
afterAll(() => server.close());

const to = "+14155550199";

test("a message is created, fetched, redacted and deleted", async () => {
  const client = server.client();
  const from = server.env.TWILIO_PHONE_NUMBER ?? "";
  const created = await client.messages.create({ to, from, body: "Hello from the set" });
  expect(created).toMatchObject({
    sid: expect.stringMatching(/^SM[0-9a-f]{32}$/),
    accountSid: server.env.TWILIO_ACCOUNT_SID,
    status: "queued",
    direction: "outbound-api",
    body: "Hello from the set",
    from,
    to,
    numSegments: "1",
    numMedia: "0",
    price: null,
    priceUnit: "USD",
    errorCode: null,
    messagingServiceSid: null,
    dateSent: null,
    dateCreated: new Date(start),
  });
  expect((await client.messages(created.sid).fetch()).toJSON()).toEqual({
    ...created.toJSON(),
    subresourceUris: {
      media: created.uri.replace(".json", "/Media.json"),
      feedback: created.uri.replace(".json", "/Feedback.json"),
    },
  });

  await expect(client.messages(created.sid).remove()).rejects.toMatchObject({ status: 400, code: 20009 });
  await server.advance(start + 60_000);
  expect(await client.messages(created.sid).update({ body: "" })).toMatchObject({ body: "", status: "delivered" });
  await expect(client.messages(created.sid).update({ body: "other" })).rejects.toMatchObject({ code: 30400 });
  await expect(client.messages(created.sid).update({ status: "canceled" })).rejects.toMatchObject({ code: 30409 });
  expect(await client.messages(created.sid).remove()).toBe(true);
  await expect(client.messages(created.sid).fetch()).rejects.toMatchObject({
    status: 404,
    code: 20404,
    message: `The requested resource ${created.uri} was not found`,
    moreInfo: "https://www.twilio.com/docs/errors/20404",
  });
});

test("the SDK walks all pages, newest first, and filters", async () => {
  const client = server.client();
  const from = server.env.TWILIO_PHONE_NUMBER ?? "";
  for (let n = 1; n <= 5; n += 1) await client.messages.create({ to: "+14155550177", from, body: `n ${n}` });
  const all = await client.messages.list({ to: "(415) 555-0177", pageSize: 2 });
  expect(all.map(({ body }) => body)).toEqual(["n 5", "n 4", "n 3", "n 2", "n 1"]);
  expect(await client.messages.list({ to: "+14155550177", limit: 3 })).toHaveLength(3);

  const first = await client.messages.page({ to: "+14155550177", pageSize: 2 });
  const second = await first.nextPage();
  const again = await second?.previousPage();
  expect(again?.instances.map(({ sid }) => sid)).toEqual(first.instances.map(({ sid }) => sid));

  const day = await client.messages.list({ dateSent: new Date("2025-01-14T00:00:00Z") });
  expect(day.length).toBeGreaterThan(0);
  expect(day.every(({ dateSent }) => dateSent.toISOString().startsWith("2025-01-14"))).toBe(true);
  const older = await client.messages.list({ dateSentBefore: new Date("2025-01-09T12:00:00Z") });
  const newer = await client.messages.list({ dateSentAfter: new Date("2025-01-09T12:00:01Z") });
  const unsent = (await client.messages.list()).filter(({ dateSent }) => dateSent === null);
  expect(older.length + newer.length + unsent.length).toBe((await client.messages.list()).length);
});

test("a page is followed by the next one, whatever was sent meanwhile", async () => {
  const client = server.client();
  const from = server.env.TWILIO_PHONE_NUMBER ?? "";
  const send = (body: string) => client.messages.create({ to: "+14155550178", from, body });
  for (let n = 1; n <= 4; n += 1) await send(`n ${n}`);
  const first = await client.messages.page({ to: "+14155550178", pageSize: 2 });
  await send("n 5");
  await send("n 6");
  const second = await first.nextPage();
  expect(first.instances.map(({ body }) => body)).toEqual(["n 4", "n 3"]);
  expect(second?.instances.map(({ body }) => body)).toEqual(["n 2", "n 1"]);
  expect(second?.nextPageUrl).toBeUndefined();

  const services = client.messaging.v1.services;
  const made: string[] = [];
  for (let n = 1; n <= 3; n += 1) made.push((await services.create({ friendlyName: `S ${n}` })).sid);
  const newest = await services.page({ pageSize: 2 });
  await services.create({ friendlyName: "S 4" });
  expect([...newest.instances, ...((await newest.nextPage())?.instances ?? [])].map(({ sid }) => sid)).toEqual([
    ...made.toReversed(),
    server.env.TWILIO_MESSAGING_SERVICE_SID,
  ]);
});

test("the seed tells a year: messages and calls of every month, and usage that adds them up", async () => {
  const own = await twilioServer();
  const client = own.client();
  const [messages, calls] = [await client.messages.list(), await client.calls.list()];
  expect(messages.length).toBeGreaterThan(300);
  const months = (dates: readonly Date[]) => new Set(dates.map((date) => date.toISOString().slice(0, 7))).size;
  expect(months(messages.map(({ dateCreated }) => dateCreated))).toBeGreaterThanOrEqual(12);
  expect(months(calls.map(({ startTime }) => startTime))).toBeGreaterThanOrEqual(12);
  expect(new Set(messages.map(({ status }) => status))).toEqual(
    new Set(["delivered", "received", "undelivered", "failed"]),
  );
  const [usage] = await client.usage.records.allTime.list({ category: "sms", includeSubaccounts: false });
  // What failed was never handed over, and is not billed.
  expect(Number(usage?.count)).toBe(messages.filter(({ status }) => status !== "failed").length);
  const again = await twilioServer();
  expect(again.digest()).toBe(own.digest());
  await own.close();
  await again.close();
});

test("deleting everything page by page reaches everything", async () => {
  const own = await twilioServer();
  const client = own.client();
  const total = (await client.messages.list()).length;
  let removed = 0;
  let page = await client.messages.page({ pageSize: 7 });
  for (;;) {
    for (const { sid } of page.instances) removed += (await client.messages(sid).remove()) ? 1 : 0;
    if (!page.nextPageUrl) break;
    page = await client.messages.getPage(page.nextPageUrl);
  }
  expect(removed).toBe(total);
  expect(await client.messages.list()).toEqual([]);
  await own.close();
});

test("errors arrive as the SDK's RestException", async () => {
  const client = server.client();
  await expect(
    client.messages.create({ to: "nobody", from: server.env.TWILIO_PHONE_NUMBER ?? "", body: "hi" }),
  ).rejects.toMatchObject({
    status: 400,
    code: 21211,
    message: "Invalid 'To' Phone Number: nobody",
    moreInfo: "https://www.twilio.com/docs/errors/21211",
  });
});

test("the same calls get the same sids on another instance, whatever came between", async () => {
  const [left, right] = [await twilioServer(), await twilioServer()];
  const from = left.env.TWILIO_PHONE_NUMBER ?? "";
  const send = (where: TwilioServer, body: string) => where.client().messages.create({ to, from, body });
  const one = await Promise.all(["a", "b", "a"].map((body) => send(left, body)));
  const other = await Promise.all(["b", "a", "a"].map((body) => send(right, body)));
  const sids = (messages: readonly { readonly sid: string }[]) => messages.map(({ sid }) => sid).sort();
  expect(sids(one)).toEqual(sids(other));
  expect(left.digest()).toBe(right.digest());
  await left.close();
  await right.close();
});
