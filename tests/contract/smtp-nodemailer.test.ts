import { createTransport, type SendMailOptions } from "nodemailer";
import PostalMime from "postal-mime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
beforeAll(async () => {
  server = await mailServer();
});
afterAll(() => server.close());

const idOf = (response: string) => /queued as ([0-9A-Za-z]{22})$/.exec(response)?.[1] ?? "";

async function send(mail: SendMailOptions, options: Record<string, unknown> = {}) {
  const transport = createTransport({ host: "127.0.0.1", port: server.port, ...options });
  const info = await transport.sendMail(mail);
  transport.close();
  const id = idOf(info.response);
  return { info, id, parsed: await PostalMime.parse(await server.raw(id)) };
}

const from = "Ann <ann@example.com>";
const to = "bob@example.org";

test("text, HTML and an attachment arrive as they were sent", async () => {
  const file = Buffer.from(Array.from({ length: 3000 }, (_, n) => (n * 7) % 256));
  const { info, parsed } = await send({
    from,
    to,
    cc: "cy@example.net",
    bcc: "dee@example.net",
    subject: "Rechnung für März",
    text: ".leading dot\n\nend",
    html: "<p>hi</p>",
    attachments: [{ filename: "data.bin", content: file }],
  });
  expect(info.accepted).toEqual([to, "cy@example.net", "dee@example.net"]);
  expect(info.response).toMatch(/^250 2\.0\.0 Ok: queued as [0-9A-Za-z]{22}$/);
  expect(parsed.subject).toBe("Rechnung für März");
  expect(parsed.text?.trim()).toBe(".leading dot\n\nend");
  expect(parsed.html?.trim()).toBe("<p>hi</p>");
  const content = parsed.attachments[0]?.content;
  expect(content instanceof ArrayBuffer && Buffer.from(content).equals(file)).toBe(true);
});

test("a pool sends many over few connections", async () => {
  const transport = createTransport({ host: "127.0.0.1", port: server.port, pool: true, maxConnections: 3 });
  const sent = await Promise.all(
    Array.from({ length: 30 }, (_, n) => transport.sendMail({ from, to, subject: `pooled ${n}`, text: `${n}` })),
  );
  transport.close();
  const ids = sent.map(({ response }) => idOf(response));
  expect(new Set(ids).size).toBe(30);
  for (const [n, id] of ids.entries())
    expect((await PostalMime.parse(await server.raw(id))).subject).toBe(`pooled ${n}`);
});

test("the null sender and addresses in Unicode", async () => {
  const bounce = await send({ from, to, text: "x", envelope: { from: "", to } });
  expect(await server.json(`/_backlot/smtp/messages/${bounce.id}/envelope`)).toMatchObject({
    mailFrom: { address: "" },
  });
  const unicode = await send({ from, to: "jörg@exämple.org", subject: "✉", text: "Grüße" });
  expect(await server.json(`/_backlot/smtp/messages/${unicode.id}/envelope`)).toMatchObject({
    mailFrom: { parameters: { SMTPUTF8: true } },
    rcptTo: [{ address: "jörg@exämple.org" }],
  });
  expect(unicode.parsed.subject).toBe("✉");
});

test("8-bit raw content is kept to the byte", async () => {
  const raw = Buffer.concat([Buffer.from("Subject: x\r\n\r\n"), Buffer.from([0xe9, 0xfc, 0x80]), Buffer.from("\r\n")]);
  const { id } = await send({ envelope: { from: "ann@example.com", to }, raw });
  expect((await server.raw(id)).equals(raw)).toBe(true);
});

test("user and password of any kind are welcome", async () => {
  const { id } = await send({ from, to, text: "x" }, { auth: { user: "anyone", pass: "anything" } });
  expect(await server.json(`/_backlot/smtp/messages/${id}/envelope`)).toMatchObject({ auth: { username: "anyone" } });
});
