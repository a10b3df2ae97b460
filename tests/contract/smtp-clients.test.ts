/** Clients that are not ours: the npm client mailhog, Python's smtplib and curl. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import mailhog from "mailhog";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { dotStuffed, queuedId, rawClient } from "../smtp/raw-client.ts";
import { python3, testWith } from "../support/tools.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
let client: ReturnType<typeof mailhog>;
beforeAll(async () => {
  server = await mailServer();
  client = mailhog({ host: "127.0.0.1", port: server.portOf("mailbox") });
});
afterAll(() => server.close());
beforeEach(() => client.deleteAll());
const sample = (name: string) => readFile(new URL(`../../fixtures/mail/${name}.eml`, import.meta.url));
async function send(wire: Buffer): Promise<string> {
  const session = await rawClient(server.port);
  const id = queuedId(await session.mail("ann@example.com", ["bob@example.org"], dotStuffed(wire)));
  session.end();
  return id;
}

test("mailhog lists, searches, decodes and deletes", async () => {
  const id = await send(await sample("utf8-subject"));
  await send(await sample("attachment"));
  expect((await client.messages(0, 10))?.count).toBe(2);
  expect(await client.latestTo("bob@example.org")).toMatchObject({ attachments: [{ name: "figures.csv" }] });
  expect((await client.search("Grüße", "containing"))?.count).toBeGreaterThanOrEqual(0);
  const found = (await client.messages())?.items.find(({ ID }) => ID.startsWith(id));
  expect(found?.subject).toBe("Grüße aus Köln ✉");
  expect((await client.deleteMessage(found?.ID ?? "")).statusCode).toBe(200);
  expect((await client.messages())?.count).toBe(1);
});

test("new mail is in MailHog's event stream", async () => {
  const stream = await fetch(`${server.url}/api/v1/events`);
  expect(stream.headers.get("content-type")).toBe("text/event-stream");
  const reader = stream.body?.getReader();
  const id = await send(await sample("text"));
  let text = "";
  while (!text.includes("\n\n", 5)) text += Buffer.from((await reader?.read())?.value ?? []).toString();
  await reader?.cancel();
  const json = text
    .split("\n")
    .flatMap((line) => (line.startsWith("data: ") ? [line.slice(6)] : []))
    .join("\n");
  expect(JSON.parse(json)).toMatchObject({ ID: `${id}@mailhog.example` });
});

testWith(python3, "Python's smtplib sends", async (python) => {
  const script = `
import smtplib, sys
from email.message import EmailMessage
m = EmailMessage()
m["From"], m["To"], m["Subject"] = "ann@example.com", "bob@example.org", "Grüße aus Python"
m.set_content("Hällo")
m.add_attachment(b"1,2", maintype="text", subtype="csv", filename="a.csv")
with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as s:
    s.login("ann", "secret")
    assert s.send_message(m) == {}
    s.sendmail("ann@example.com", ["ok@example.org", "cy@example.net"], "Subject: two\\r\\n\\r\\nx\\r\\n")
`;
  const child = spawn(python, ["-c", script, String(server.port)], { stdio: ["ignore", "ignore", "pipe"] });
  let problems = "";
  child.stderr.on("data", (chunk) => (problems += String(chunk)));
  const [status] = await once(child, "exit");
  expect(problems).toBe("");
  expect(status).toBe(0);
  expect(await server.json("/api/v1/message/latest?query=subject:python")).toMatchObject({
    Subject: "Grüße aus Python",
    Username: "ann",
    Attachments: [{ FileName: "a.csv" }],
  });
});

const curl = { name: "curl", package: "curl", commands: ["/usr/bin/curl", "curl"], probe: ["--version"] };
testWith(curl, "curl sends", async (command) => {
  const child = spawn(
    command,
    [
      "-s",
      `smtp://127.0.0.1:${server.port}`,
      "--mail-from",
      "ann@example.com",
      "--mail-rcpt",
      "bob@example.org",
      "-T",
      "-",
    ],
    { stdio: ["pipe", "ignore", "inherit"] },
  );
  child.stdin.end("Subject: from curl\r\n\r\nx\r\n");
  expect((await once(child, "exit"))[0]).toBe(0);
  expect(await server.json("/api/v1/search?query=curl")).toMatchObject({ messages_count: 1 });
});
