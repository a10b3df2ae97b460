/** What tests need of a mailbox and no capture server has: waiting, taking, inboxes, links and codes. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import * as z from "zod";
import { mailServer } from "../smtp/mail-server.ts";
import { queuedId, rawClient } from "../smtp/raw-client.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
beforeAll(async () => {
  server = await mailServer();
});
afterAll(() => server.close());
const call = async (method: string, path: string, body?: unknown) => {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${server.url}/_backlot/smtp${path}`, init);
  return { status: response.status, body: Answer.parse(await response.json()) };
};
const Answer = z.looseObject({
  cursor: z.number().optional(),
  messages: z.array(z.looseObject({ id: z.string(), subject: z.string().nullable() })).optional(),
});
const subjects = (answer: Awaited<ReturnType<typeof call>>) => answer.body.messages?.map(({ subject }) => subject);
beforeEach(() => call("DELETE", "/messages"));

async function send(subject: string, options: { to?: string[]; head?: string; body?: string } = {}): Promise<string> {
  const client = await rawClient(server.port);
  const mail = `Subject: ${subject}\r\n${options.head ?? ""}\r\n${options.body ?? "x"}\r\n`;
  const id = queuedId(await client.mail("ann@example.com", options.to ?? ["bob@example.org"], mail));
  client.end();
  return id;
}

test("wait answers when the mail arrives, and at once when it is there", async () => {
  const waiting = call("GET", "/messages/wait?subject=welcome&to=*@example.org&timeoutMs=5000");
  await send("Other");
  const id = await send("Welcome!");
  expect((await waiting).body.messages).toMatchObject([{ id, subject: "Welcome!" }]);
  expect(subjects(await call("GET", "/messages/wait?query=welcome"))).toEqual(["Welcome!"]);
  expect(subjects(await call("GET", "/messages/wait?count=2"))).toEqual(["Other", "Welcome!"]);
});

test("wait says what it found when the time is up", async () => {
  await send("one");
  const late = await call("GET", "/messages/wait?count=2&timeoutMs=30");
  expect(late).toMatchObject({ status: 408, body: { error: "timeout", message: expect.stringContaining("1 of 2") } });
  expect((await call("GET", "/messages/wait?cuont=2")).status).toBe(400);
});

test("a cursor shows only what came after it", async () => {
  await send("before");
  const { cursor } = (await call("GET", "/messages")).body;
  await send("after");
  expect(subjects(await call("GET", `/messages?since=${cursor}`))).toEqual(["after"]);
  expect(subjects(await call("GET", `/messages/wait?since=${cursor}`))).toEqual(["after"]);
});

test("of many takers each message has one", async () => {
  for (let n = 0; n < 8; n += 1) await send(`job ${n}`);
  const taken = await Promise.all(
    Array.from({ length: 12 }, () => call("POST", "/messages/take", { query: "job", timeoutMs: 50 })),
  );
  expect(taken.flatMap((answer) => subjects(answer) ?? []).sort()).toEqual(
    Array.from({ length: 8 }, (_, n) => `job ${n}`),
  );
  expect(taken.filter(({ status }) => status === 408)).toHaveLength(4);
});

test("tests that share a server each have an inbox: by header, domain and plus tag", async () => {
  await send("mine", { head: "X-Backlot-Inbox: run-1\r\n" });
  await send("tagged", { to: ["bob+run-2@example.org"] });
  await send("elsewhere", { to: ["bob@run3.test"] });
  expect(subjects(await call("GET", "/messages?inbox=run-1"))).toEqual(["mine"]);
  expect(subjects(await call("GET", "/messages?inbox=tag:run-2"))).toEqual(["tagged"]);
  expect(subjects(await call("GET", "/messages?inbox=run3.test"))).toEqual(["elsewhere"]);
  expect((await call("GET", "/inboxes")).body).toMatchObject({
    inboxes: [
      { id: "domain:example.org", messages: 2 },
      { id: "domain:run3.test", messages: 1 },
      { id: "header:run-1", messages: 1 },
      { id: "tag:run-2", messages: 1 },
    ],
  });
  expect((await call("DELETE", "/inboxes/run-1")).body).toMatchObject({ deleted: 1 });
  expect((await call("GET", "/messages")).body).toMatchObject({ total: 2 });
});

test("links and one-time codes are decoded", async () => {
  const html = "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n";
  const id = await send("Sign in", {
    head: html,
    body: '<p>Order 20250115</p><p>Your code is <b>493 817</b></p><a href=3D"https://app.test/verify?a=3D1&amp;b=3D2">Ver=\r\nify</a>',
  });
  expect((await call("GET", `/messages/${id}/links`)).body).toEqual({
    links: [{ url: "https://app.test/verify?a=1&b=2", text: "Verify", source: "html" }],
  });
  expect((await call("GET", `/messages/${id}/codes`)).body).toMatchObject({
    codes: [{ code: "493817" }, { code: "20250115" }],
  });
  expect((await call("GET", `/messages/${id}/codes?pattern=Order%20(%5Cd%2B)`)).body).toMatchObject({
    codes: [{ code: "20250115" }],
  });
  expect((await call("GET", `/messages/${id}`)).body).toMatchObject({
    subject: "Sign in",
    warnings: ["missing_date", "missing_from", "missing_message_id"],
  });
});

test("export as mbox and as JSON", async () => {
  await send("one", { body: "From here on\r\nand more" });
  await send("two");
  const mbox = await (await fetch(`${server.url}/_backlot/smtp/export`)).text();
  expect(mbox.match(/^From ann@example.com Wed Jan 15 12:00:00 2025$/gm)).toHaveLength(2);
  expect(mbox).toContain("\n>From here on\n");
  expect((await call("GET", "/export?format=json&subject=two")).body).toMatchObject({
    messages: [{ raw: Buffer.from("Subject: two\r\n\r\nx\r\n").toString("base64") }],
  });
});

test("what a retention limit drops is counted and shown", async () => {
  const small = await mailServer();
  try {
    const seed = "retention: 2\nusers: []\nmessages: []\n";
    await fetch(`${small.url}/_backlot/seed`, { method: "POST", body: seed });
    const client = await rawClient(small.port);
    for (let n = 0; n < 5; n += 1)
      queuedId(await client.mail("ann@example.com", ["bob@example.org"], `Subject: ${n}\r\n\r\nx\r\n`));
    client.end();
    expect(await small.json("/_backlot/smtp/messages")).toMatchObject({
      total: 2,
      pruned: 3,
      messages: [{ subject: "4" }, { subject: "3" }],
    });
    expect(await small.json("/api/v1/search?query=x")).toMatchObject({ messages_count: 2 });
  } finally {
    await small.close();
  }
});

test("a reset and a snapshot bring the index back with the rows", async () => {
  await send("kept");
  await fetch(`${server.url}/_backlot/snapshots`, { method: "POST", body: JSON.stringify({ name: "one" }) });
  expect(subjects(await call("GET", "/messages/wait?query=kept"))).toEqual(["kept"]);
  server.reset();
  expect((await call("GET", "/messages/wait?query=kept&timeoutMs=0")).status).toBe(408);
});
