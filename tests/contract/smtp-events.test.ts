import { createServer, type IncomingHttpHeaders } from "node:http";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { queuedId, rawClient } from "../smtp/raw-client.ts";

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const calls: { headers: IncomingHttpHeaders; body: string }[] = [];
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    calls.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(204).end();
  });
});

let server: Awaited<ReturnType<typeof mailServer>>;
beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  server = await mailServer();
  const address = receiver.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const response = await fetch(`${server.url}/_backlot/webhooks/endpoints`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ url: `http://127.0.0.1:${port}/hook`, secret, events: ["email.*"] }),
  });
  expect(response.status).toBe(201);
});
afterAll(async () => {
  await server.close();
  receiver.close();
});

test("each recipient is accepted at once and delivered a second later, in signed events", async () => {
  const client = await rawClient(server.port);
  const mail = "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n\r\nhello\r\n";
  const id = queuedId(await client.mail("ann@example.com", ["bob@example.org", "cy@example.net"], mail));
  client.end();
  await expect.poll(() => calls.length).toBe(2);
  await server.advance(Date.parse("2025-01-15T12:00:00.999Z"));
  expect(calls).toHaveLength(2);
  await server.advance(Date.parse("2025-01-15T12:00:01Z"));
  const verifier = new Webhook(secret);
  const events = calls.map(({ body, headers }) =>
    verifier.verify(body, {
      "webhook-id": String(headers["webhook-id"]),
      "webhook-timestamp": String(headers["webhook-timestamp"]),
      "webhook-signature": String(headers["webhook-signature"]),
    }),
  );
  const event = (type: string, recipient: string, timestamp: string) => ({
    type,
    timestamp,
    data: { messageId: id, recipient, from: "ann@example.com", subject: "Grüße" },
  });
  expect(events).toEqual([
    event("email.accepted", "bob@example.org", "2025-01-15T12:00:00.000Z"),
    event("email.accepted", "cy@example.net", "2025-01-15T12:00:00.000Z"),
    event("email.delivered", "bob@example.org", "2025-01-15T12:00:01.000Z"),
    event("email.delivered", "cy@example.net", "2025-01-15T12:00:01.000Z"),
  ]);
});

test("a message deleted before its delivery has none", async () => {
  const before = calls.length;
  const client = await rawClient(server.port);
  await client.mail("ann@example.com", ["bob@example.org"], "x\r\n");
  client.end();
  await fetch(`${server.url}/_backlot/smtp/messages`, { method: "DELETE" });
  await server.advance(server.runtime.clock.now() + 5000);
  expect(calls.length - before).toBe(1);
});

test("reset empties the mailbox and gives the same ids again", async () => {
  const send = async () => {
    const client = await rawClient(server.port);
    const id = queuedId(await client.mail("ann@example.com", ["reset@example.org"], "same\r\n"));
    client.end();
    return id;
  };
  server.reset();
  const digest = server.digest();
  const first = await send();
  expect(server.digest()).not.toBe(digest);
  server.reset();
  expect(server.digest()).toBe(digest);
  expect(await send()).toBe(first);
});
