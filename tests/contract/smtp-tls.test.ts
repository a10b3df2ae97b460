import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { rawClient } from "../smtp/raw-client.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
let folder: string;
let ca: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "backlot-ca-"));
  server = await mailServer({ BACKLOT_SMTP_STARTTLS_PORT: "0", BACKLOT_SMTPS_PORT: "0", BACKLOT_CA_DIR: folder });
  ca = await readFile(join(folder, "ca.pem"), "utf8");
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const mail = { from: "a@example.com", to: "b@example.com", text: "x" };

test.each([
  ["smtp-starttls", false, "localhost"],
  ["smtp-starttls", false, "127.0.0.1"],
  ["smtps", true, "localhost"],
  ["smtps", true, "127.0.0.1"],
])("%s (secure: %s) on %s under the local authority", async (listener, secure, host) => {
  const transport = createTransport({ host, port: server.portOf(listener), secure, requireTLS: true, tls: { ca } });
  const { response } = await transport.sendMail(mail);
  transport.close();
  const id = /queued as (\S+)$/.exec(response)?.[1] ?? "";
  expect(await server.json(`/_backlot/smtp/messages/${id}/envelope`)).toMatchObject({ secure: true });
});

test("a client that does not trust the authority fails", async () => {
  const transport = createTransport({ host: "localhost", port: server.portOf("smtps"), secure: true });
  await expect(transport.sendMail(mail)).rejects.toMatchObject({ code: "ESOCKET" });
});

test("AUTH before STARTTLS is refused", async () => {
  const client = await rawClient(server.portOf("smtp-starttls"));
  expect(await client.say("EHLO again")).toContain("STARTTLS");
  expect(await client.say("AUTH PLAIN AGEAYg==")).toMatch(/^538 5\.7\.0/);
  expect(await client.say("AUTH CRAM-MD5")).toMatch(/^538 5\.7\.0/);
  client.end();
});

test("STARTTLS can be refused, and TLS can fail, as planned", async () => {
  const plan = (rule: unknown) =>
    fetch(`${server.url}/_backlot/faults`, { method: "POST", body: JSON.stringify(rule) });
  const attempt = async () => {
    const port = server.portOf("smtp-starttls");
    const transport = createTransport({ host: "localhost", port, requireTLS: true, tls: { ca } });
    try {
      return (await transport.sendMail(mail)).response.slice(0, 3);
    } catch (cause) {
      return cause instanceof Error && "code" in cause ? cause.code : cause;
    } finally {
      transport.close();
    }
  };
  await plan({ match: { stage: "starttls" }, action: { status: 454, code: "4.7.0" }, times: 1 });
  await plan({ match: { stage: "starttls" }, action: { effect: "tlsFail" }, times: 1 });
  expect(await attempt()).toBe("ETLS");
  expect(await attempt()).toBe("ESOCKET");
  expect(await attempt()).toBe("250");
});
