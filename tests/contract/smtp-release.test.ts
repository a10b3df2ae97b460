/** Mail is released to a server that may be called, in every dialect's words, and to no other. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import mailhog from "mailhog";
import { MailpitClient } from "mailpit-api";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { dotStuffed, queuedId, rawClient } from "../smtp/raw-client.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
/** Where released mail arrives. */
let other: Awaited<ReturnType<typeof mailServer>>;
beforeAll(async () => {
  other = await mailServer({ BACKLOT_SEED: "other" });
  server = await mailServer({ BACKLOT_MAIL_RELAY: `127.0.0.1:${other.port}` });
});
afterAll(async () => {
  await server.close();
  await other.close();
});
afterEach(() => {
  server.reset();
  other.reset();
});

const content = `Subject: on its way\r\n\r\n.dot\r\n${"x".repeat(400_000)}\r\n`;
async function send(): Promise<string> {
  const client = await rawClient(server.port);
  const wire = dotStuffed(Buffer.from(content));
  const id = queuedId(await client.mail("ann@example.com", ["bob@example.org"], wire));
  client.end();
  return id;
}
/** What the other server has: recipients, and whether the bytes are the same. */
async function arrived() {
  const { messages } = (await other.json("/_backlot/smtp/messages")) as { messages: { id: string; to: string[] }[] };
  const [message] = messages;
  return message && [message.to, String(await other.raw(message.id)) === content];
}
const refusedHosts = async () => ((await server.json("/_backlot/egress")) as { refused: { target: string }[] }).refused;

async function closedPort(): Promise<number> {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  taken.close();
  await once(taken, "close");
  return port;
}

test("Mailpit's", async () => {
  const mailpit = new MailpitClient(server.url);
  const id = await send();
  expect((await mailpit.getConfiguration()).MessageRelay).toMatchObject({ Enabled: true });
  expect(await mailpit.releaseMessage(id, { To: ["cy@example.net"] })).toBe("ok");
  expect(await arrived()).toEqual([["cy@example.net"], true]);
  await expect(mailpit.releaseMessage(id, { To: ["not an address"] })).rejects.toThrow("Invalid email address");
});

test("Mailpit's, without the Bcc field that the header may have", async () => {
  const mailpit = new MailpitClient(server.url);
  for (const [sent, released] of [
    [
      "Bcc: eve@example.net,\r\n dan@example.net\r\nSubject: x\r\n\r\nBcc: stays\r\n",
      "Subject: x\r\n\r\nBcc: stays\r\n",
    ],
    ["Subject: y\r\nBCC : eve@example.net\r\n\r\ny\r\n", "Subject: y\r\n\r\ny\r\n"],
  ] as const) {
    const client = await rawClient(server.port);
    const id = queuedId(await client.mail("ann@example.com", ["bob@example.org"], sent));
    client.end();
    await mailpit.releaseMessage(id, { To: ["cy@example.net"] });
    const [message] = ((await other.json("/_backlot/smtp/messages")) as { messages: { id: string }[] }).messages;
    expect(String(await other.raw(message?.id ?? ""))).toBe(released);
    expect(String(await server.raw(id))).toBe(sent);
    other.reset();
  }
});

test("MailDev's", async () => {
  const id = await send();
  const relay = (to: string) => fetch(`${server.url}/email/${id}/relay${to}`, { method: "POST" });
  expect(await server.json("/config")).toMatchObject({ isOutgoingEnabled: true, outgoingHost: "127.0.0.1" });
  expect(await (await relay("")).json()).toBe(true);
  expect(await arrived()).toEqual([["bob@example.org"], true]);
  expect((await relay("/nobody")).status).toBe(400);
});

test("MailHog's, whose request names the server", async () => {
  const client = mailhog({ host: "127.0.0.1", port: server.portOf("mailbox") });
  const id = `${await send()}@mailhog.example`;
  const release = (host: string, port: number) =>
    client.releaseMessage(id, { host, port: String(port), email: "cy@example.net", username: "u", password: "p" });
  expect((await release("127.0.0.1", other.port)).statusCode).toBe(200);
  expect(await arrived()).toEqual([["cy@example.net"], true]);
  expect(await release("mail.example.com", 25)).toMatchObject({ error: "not_released" });
  expect(await release("127.0.0.1", await closedPort())).toMatchObject({ error: "not_released" });
  expect((await refusedHosts()).map(({ target }) => target)).toEqual(["smtp://mail.example.com:25"]);
});

test("what the other server refuses is told", async () => {
  const rule = { match: { stage: "rcpt" }, action: { status: 550, code: "5.1.1", message: "Unknown here" } };
  await fetch(`${other.url}/_backlot/faults`, { method: "POST", body: JSON.stringify(rule) });
  const id = await send();
  await expect(new MailpitClient(server.url).releaseMessage(id, { To: ["cy@example.net"] })).rejects.toThrow(
    "550 5.1.1 Unknown here",
  );
});
