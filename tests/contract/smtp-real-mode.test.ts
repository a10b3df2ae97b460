import { createTransport } from "nodemailer";
import { expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { rawClient } from "../smtp/raw-client.ts";

test("real mode greets with what to set and closes; nothing is stored", async () => {
  const server = await mailServer({ USE_REAL_DATA: "true" });
  const before = server.digest();
  const client = await rawClient(server.port, false);
  const greeting = await client.reply();
  expect(greeting).toMatch(
    /^421 4\.3\.2 SMTP delivery real mode is refused: .*SMTP_HOST.*USE_REAL_DATA=true.*README\.md#/,
  );
  expect(greeting.length + 2).toBeLessThanOrEqual(512);
  client.end();
  await client.closed();

  const transport = createTransport({ host: "127.0.0.1", port: server.port });
  await expect(transport.sendMail({ from: "a@example.com", to: "b@example.com", text: "x" })).rejects.toMatchObject({
    responseCode: 421,
    message: expect.stringContaining("real mode is refused"),
  });
  expect(server.runtime.state.summaries(10)).toEqual([]);
  expect(server.digest()).toBe(before);
  expect(server.runtime.journal.read({ matches: (entry) => entry.kind === "session" })[0]?.data).toMatchObject({
    outcome: "refused",
  });

  const mailbox = await fetch(`${server.url}/api/v2/messages`);
  expect(mailbox.status).toBe(503);
  expect(await mailbox.json()).toMatchObject({
    error: "service_unavailable",
    service: "SMTP delivery",
    required: ["SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASSWORD"],
  });
  await server.close();
});

test("real mode raised in mid-session refuses the next command, and the end of the data", async () => {
  const server = await mailServer();
  const [idle, sending] = await Promise.all([rawClient(server.port), rawClient(server.port)]);
  for (const line of ["MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA"]) await sending.say(line);
  server.runtime.mode.raise();
  expect(await idle.say("MAIL FROM:<a@example.com>")).toMatch(/^421 4\.3\.2 /);
  sending.send("x\r\n.\r\n");
  expect(await sending.reply()).toMatch(/^421 4\.3\.2 /);
  await idle.closed();
  expect(server.runtime.state.summaries(10)).toEqual([]);
  server.runtime.mode.lower();
  const again = await rawClient(server.port);
  expect(await again.mail("a@example.com", ["b@example.com"], "x\r\n")).toMatch(/^250 /);
  again.end();
  await server.close();
});

test("closing is quick with idle sessions open", async () => {
  const server = await mailServer();
  const clients = await Promise.all([rawClient(server.port), rawClient(server.port)]);
  const start = performance.now();
  await server.close();
  expect(performance.now() - start).toBeLessThan(500);
  for (const client of clients) await client.closed();
});
