/** What clients and receivers rely on, whatever the resource: no waiting for receivers, limits in Twilio's words, signatures. */
import fc from "fast-check";
import twilio from "twilio";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signature, withBodyHash, withQuery } from "../../emulators/twilio/domain/signature.ts";
import { senderQueue } from "../../emulators/twilio/kinds.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { pairsOf, signable } from "../support/signed-requests.ts";
import { start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
let receiver: Receiver;
beforeEach(async () => {
  server = await twilioServer();
  receiver = await startReceiver();
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

const create = (more: object = {}) =>
  server
    .client()
    .messages.create({ to: "+14155550199", from: server.env.TWILIO_PHONE_NUMBER ?? "", body: "hi", ...more });

test("a create never waits for a receiver, and a message moves by itself to its end", async () => {
  receiver.answer = (_call, _n, response) => void setTimeout(() => response.end(), 1_500);
  const first = await create({ statusCallback: receiver.url });
  const moved = server.advance(start + 60_000);
  await expect.poll(() => receiver.calls.length, { timeout: 5_000 }).toBe(1);
  const began = Date.now();
  expect((await create()).status).toBe("queued");
  expect(Date.now() - began).toBeLessThan(1_000);
  await moved;
  expect(receiver.calls).toHaveLength(2);
  expect((await server.client().messages(first.sid).fetch()).status).toBe("delivered");
});

test("the fragment's read deadline holds, and is not part of what is called or signed", async () => {
  receiver.answer = () => {};
  await create({ statusCallback: `${receiver.url}#rt=200&tt=300&rc=1&rp=rt` });
  const began = Date.now();
  await server.advance(start + 1_000);
  await server.advance(start + 60_000);
  expect(Date.now() - began).toBeLessThan(3_000);
  expect(receiver.calls.map(({ url }) => url)).toEqual(Array(4).fill("/hook"));
});

test("a planned 429 comes as 20429, and nothing was made", async () => {
  const before = server.digest();
  const plan = await fetch(`${server.url}/_backlot/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ match: { method: "POST" }, times: 1, action: { status: 429 } }),
  });
  expect(plan.ok).toBe(true);
  await expect(create()).rejects.toMatchObject({ status: 429, code: 20429, message: "Too Many Requests" });
  expect(server.digest()).toBe(before);
  expect((await create()).status).toBe("queued");
});

test("past a ceiling of concurrent requests comes 20429 with the count", async () => {
  const post = (method: string, path: string, body: object) =>
    fetch(`${server.url}/_backlot/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  expect((await post("PUT", "limits", { concurrency: 3 })).status).toBe(200);
  const slow = { match: { method: "POST" }, times: 3, action: { delayMs: 300, on: "real" } };
  expect((await post("POST", "faults", slow)).ok).toBe(true);
  const { TWILIO_ACCOUNT_SID: sid = "", TWILIO_AUTH_TOKEN: token = "", TWILIO_PHONE_NUMBER: From = "" } = server.env;
  const answers = await Promise.all(
    ["a", "b", "c", "d", "e"].map((Body) =>
      fetch(`${server.url}/2010-04-01/Accounts/${sid}/Messages.json`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(`${sid}:${token}`)}` },
        body: new URLSearchParams({ To: "+14155550199", From, Body }),
      }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 429, 429]);
  const counts = answers.map(({ headers }) => headers.get("twilio-concurrent-requests"));
  expect(counts.sort()).toEqual(["1", "2", "3", "4", "4"]);
  const refused = answers.find(({ status }) => status === 429);
  expect(refused?.headers.get("x-twilio-error-code")).toBe("20429");
  expect(await refused?.json()).toMatchObject({ code: 20429, message: "Too Many Requests", status: 429 });
  expect((await create()).status).toBe("queued");
});

test("the SDK's autoRetry gets every message through a ceiling of one, and none twice", async () => {
  const set = (method: string, path: string, body: object) =>
    fetch(`${server.url}/_backlot/${path}`, { method, body: JSON.stringify(body) });
  expect((await set("PUT", "limits", { concurrency: 1 })).status).toBe(200);
  const slow = { match: { method: "POST" }, action: { delayMs: 50, on: "real" } };
  expect((await set("POST", "faults", slow)).ok).toBe(true);
  const client = server.client(undefined, undefined, { retries: 20 });
  const bodies = ["a", "b", "c", "d", "e", "f"];
  const from = server.env.TWILIO_PHONE_NUMBER ?? "";
  const made = await Promise.all(bodies.map((body) => client.messages.create({ to: "+14155550198", from, body })));
  expect(made.map(({ body }) => body)).toEqual(bodies);
  const refused = server.runtime.journal.read({ matches: ({ data }) => data.status === 429 });
  expect(refused.length).toBeGreaterThanOrEqual(bodies.length - 1);
  const stored = await client.messages.list({ to: "+14155550198" });
  expect(stored.map(({ body }) => body).sort()).toEqual(bodies);
});

test("with sending rates a long code sends one message a second, and its queue fills up", async () => {
  const rates = { method: "PUT", headers: { "content-type": "application/json" }, body: '{"apply":true}' };
  expect((await fetch(`${server.url}/_backlot/twilio/sending-rates`, rates)).status).toBe(200);
  const sids: string[] = [];
  for (let n = 0; n < 5; n += 1) sids.push((await create({ validityPeriod: n === 4 ? 3 : 36_000 })).sid);
  await server.advance(start + 120_000);
  const sent = await Promise.all(sids.map((sid) => server.client().messages(sid).fetch()));
  expect(sent.map(({ status, errorCode }) => [status, errorCode])).toEqual([
    ...Array(4).fill(["delivered", null]),
    ["failed", 30001],
  ]);
  const gaps = sent.slice(1, 4).map(({ dateSent }, n) => dateSent.getTime() - (sent[n]?.dateSent.getTime() ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
  expect((sent[3]?.dateSent.getTime() ?? 0) - start).toBeGreaterThanOrEqual(4_000);
  server.runtime.store.write(() => {
    const queue = server.runtime.state.resourceByKey(senderQueue, server.env.TWILIO_PHONE_NUMBER ?? "");
    if (queue) server.runtime.state.changeResource(senderQueue, { ...queue, data: { freeAt: start + 5 * 3_600_000 } });
  });
  await expect(create()).rejects.toMatchObject({ status: 400, code: 21611 });
});

test("the SDK's validators accept any form, query and JSON body that is signed", () => {
  const token = "0123456789abcdef0123456789abcdef";
  fc.assert(
    fc.property(signable, ({ url, form }) => {
      const pairs = pairsOf(form);
      expect(twilio.validateRequest(token, signature(token, url, pairs), url, form)).toBe(true);
      const query = withQuery(url, new URLSearchParams(pairs).toString());
      expect(twilio.validateRequest(token, signature(token, query, []), query, {})).toBe(true);
      const body = JSON.stringify(form);
      const hashed = withBodyHash(url, body);
      expect(twilio.validateRequestWithBody(token, signature(token, hashed, []), hashed, body)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
