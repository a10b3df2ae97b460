/** Mail is fetched by POP3: Python's poplib, and the dialogue byte by byte. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { dotStuffed, queuedId, rawClient } from "../smtp/raw-client.ts";
import { type Tool, testWith } from "../support/tools.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
beforeAll(async () => {
  server = await mailServer({ BACKLOT_POP3_PORT: "0" });
});
afterAll(() => server.close());
afterEach(() => server.reset());

async function send(to: string, content: string | Buffer): Promise<string> {
  const client = await rawClient(server.port);
  const id = queuedId(await client.mail("ann@example.com", [to], dotStuffed(Buffer.from(content))));
  client.end();
  return id;
}

/** Sends all commands in one write and answers with everything that came until the server closed. */
async function dialogue(...commands: readonly string[]): Promise<string> {
  const socket = connect(server.portOf("pop3"), "127.0.0.1");
  let said = "";
  socket.on("data", (bytes) => {
    said += bytes.toString("latin1");
  });
  socket.write(`${[...commands, "QUIT"].join("\r\n")}\r\n`);
  await once(socket, "close");
  return said;
}

const poplib: Tool = {
  name: "Python's poplib",
  package: "python3",
  commands: ["/usr/bin/python3", "python3"],
  probe: ["-c", "import poplib"],
};
const script = `
import json, poplib, sys
session = poplib.POP3("127.0.0.1", int(sys.argv[1]))
session.user("bob@example.org"); session.pass_("anything")
count, size = session.stat()
listed = [line.decode() for line in session.uidl()[1]]
first = b"\\r\\n".join(session.retr(1)[1]).decode()
top = [line.decode() for line in session.top(2, 1)[1]]
session.dele(1)
session.quit()
print(json.dumps({"count": count, "size": size, "uidl": listed, "first": first, "top": top}))
`;

testWith(poplib, "poplib sees one address's mail, reads it, and deletes what it was told to", async (command) => {
  const one = await send("bob@example.org", "Subject: one\r\n\r\n.dot\r\n..two\r\nend\r\n");
  const two = await send("bob@example.org", "Subject: two\r\n\r\na\r\nb\r\n");
  const other = await send("cy@example.org", "Subject: not bob's\r\n\r\nx\r\n");
  const { stdout } = await promisify(execFile)(command, ["-c", script, String(server.portOf("pop3"))]);
  expect(JSON.parse(stdout)).toEqual({
    count: 2,
    size: 34 + 22,
    uidl: [`1 ${one}`, `2 ${two}`],
    first: "Subject: one\r\n\r\n.dot\r\n..two\r\nend",
    top: ["Subject: two", "", "a"],
  });
  const left = (await server.json("/_backlot/smtp/messages")) as { messages: { id: string }[] };
  expect(left.messages.map(({ id }) => id).sort()).toEqual([two, other].sort());
});

test("every byte survives, in pieces too", async () => {
  const line = `${"x".repeat(70)}\r\n.\r\n`;
  const content = `Subject: large\r\n\r\n${line.repeat(8_000)}no line end`;
  await send("bob@example.org", `${content}\r\n`);
  const said = await dialogue("USER any", "PASS x", "RETR 1");
  const [, received = ""] = /octets\r\n([\s\S]*)\r\n\.\r\n\+OK 0 deleted\r\n$/.exec(said) ?? [];
  expect(received.replaceAll("\r\n..", "\r\n.") === content).toBe(true);
});

test("numbers, marks and their end", async () => {
  await send("bob@example.org", "Subject: a\r\n\r\nx\r\n");
  expect(await dialogue("STAT")).toBe("+OK Backlot POP3\r\n-ERR STAT is not possible before USER and PASS\r\n+OK\r\n");
  const said = await dialogue(
    "USER any",
    "PASS x",
    "DELE 1",
    "DELE 1",
    "STAT",
    "RSET",
    "LIST",
    "RETR 2",
    "TOP 1",
    "XYZ",
  );
  expect(said.split("\r\n").slice(3)).toEqual([
    "+OK message 1 is marked",
    "-ERR there is no message 1",
    "+OK 0 0",
    "+OK 1 messages",
    "+OK",
    "1 17",
    ".",
    "-ERR there is no message 2",
    "-ERR TOP takes two numbers",
    "-ERR XYZ is not spoken here",
    "+OK 0 deleted",
    "",
  ]);
});

test("one session at a time has a user's mail; one that breaks off deletes nothing", async () => {
  await send("bob@example.org", "Subject: a\r\n\r\nx\r\n");
  const socket = connect(server.portOf("pop3"), "127.0.0.1");
  socket.write("USER any\r\nPASS x\r\nDELE 1\r\n");
  let said = "";
  socket.on("data", (bytes) => {
    said += String(bytes);
  });
  await expect.poll(() => said).toContain("marked");
  expect(await dialogue("USER any", "PASS x")).toContain("-ERR [IN-USE]");
  expect(await dialogue("USER bob@example.org", "PASS x")).toContain("+OK 1 messages");
  socket.destroy();
  await expect.poll(() => dialogue("USER any", "PASS x", "STAT")).toContain("+OK 1 17");
});

test("real mode greets with what to set", async () => {
  const mode = (value: string) =>
    fetch(`${server.url}/_backlot/mode`, { method: "PUT", body: JSON.stringify({ mode: value }) });
  await mode("real");
  expect(await dialogue()).toMatch(/^-ERR \[SYS\/TEMP\] 4\.3\.2 SMTP delivery real mode is refused: .*SMTP_HOST/);
  await mode("mock");
});
