/** Programs that send mail, as Debian packages them, and nodemailer: over the plain, the STARTTLS and the TLS port. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { findTool, type Tool, testWith } from "../support/tools.ts";

const ports = [
  { listener: "smtp", tls: "none" },
  { listener: "smtp-starttls", tls: "starttls" },
  { listener: "smtps", tls: "implicit" },
] as const;
type Port = (typeof ports)[number];

let server: Awaited<ReturnType<typeof mailServer>>;
let folder: string;
let ca: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "backlot-ca-"));
  server = await mailServer({ BACKLOT_SMTP_STARTTLS_PORT: "0", BACKLOT_SMTPS_PORT: "0", BACKLOT_CA_DIR: folder });
  ca = join(folder, "ca.pem");
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const from = "ann@example.com";
const to = "bob@example.org";

/** Runs a program to its end; fails with what it said. */
function finish(command: string, args: readonly string[], input = ""): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { timeout: 60_000 }, (cause, stdout, stderr) =>
      cause === null ? resolve() : reject(new Error(`${cause.message}\n${stdout}\n${stderr}`)),
    );
    child.stdin?.end(input);
  });
}

const message = (subject: string) =>
  `From: ${from}\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\nline one\r\n.line two\r\n`;

/** It came whole, and by the transport that was asked for. */
async function arrived(subject: string, { tls }: Port, username = ""): Promise<void> {
  const list = (await server.json(`/api/v1/search?query=subject:${subject}`)) as { messages: { ID: string }[] };
  expect(list.messages).toHaveLength(1);
  const id = list.messages[0]?.ID ?? "";
  expect(await server.json(`/_backlot/smtp/messages/${id}/envelope`)).toMatchObject({
    mailFrom: { address: from },
    rcptTo: [{ address: to }],
    secure: tls !== "none",
    ...(username !== "" && { auth: { username } }),
  });
  expect(String(await server.raw(id))).toMatch(/line one\r\n\.line two/);
}

const python = `
import smtplib, ssl, sys
port, tls, ca, subject = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca)
session = smtplib.SMTP_SSL("localhost", port, context=context) if tls == "implicit" else smtplib.SMTP("localhost", port)
with session:
    if tls == "starttls":
        session.starttls(context=context)
    session.login("ann", "secret")
    sent = session.sendmail("${from}", ["${to}"], sys.stdin.buffer.read())
    assert sent == {}, sent
`;

const swaksTls = { none: [], starttls: ["--tls"], implicit: ["--tls-on-connect"] } as const;
const msmtpTls = {
  none: ["--tls=off"],
  starttls: ["--tls=on", "--tls-starttls=on"],
  implicit: ["--tls=on", "--tls-starttls=off"],
} as const;
const tool = (name: string, probe = "--version"): Tool => ({
  name,
  package: name,
  commands: [`/usr/bin/${name}`, name],
  probe: [probe],
});
const perlTls: Tool = {
  name: "Perl's Net::SSLeay, with which swaks speaks TLS",
  package: "libnet-ssleay-perl",
  commands: ["/usr/bin/perl"],
  probe: ["-MNet::SSLeay", "-e", "1"],
};
const smtplib: Tool = {
  name: "Python's smtplib",
  package: "python3",
  commands: ["/usr/bin/python3", "python3"],
  probe: ["-c", "import smtplib"],
};

describe.each(ports)("$listener", (port) => {
  const subjectOf = (name: string) => `${name}-${port.listener}`;
  const number = () => server.portOf(port.listener);

  test("nodemailer", async () => {
    const secure = port.tls === "implicit";
    const transport = createTransport({
      host: "localhost",
      port: number(),
      secure,
      requireTLS: port.tls === "starttls",
      tls: { ca: await readFile(ca, "utf8") },
      auth: { user: "ann", pass: "secret" },
    });
    await transport.sendMail({ envelope: { from, to }, raw: message(subjectOf("nodemailer")) });
    transport.close();
    await arrived(subjectOf("nodemailer"), port, "ann");
  });

  testWith(smtplib, "smtplib", async (command) => {
    const args = ["-c", python, String(number()), port.tls, ca, subjectOf("smtplib")];
    await finish(command, args, message(subjectOf("smtplib")));
    await arrived(subjectOf("smtplib"), port, "ann");
  });

  const needed = port.tls !== "none" && findTool(perlTls) === undefined ? perlTls : tool("swaks");
  testWith(needed, "swaks", async (command) => {
    const args = ["--server", "localhost", "--port", String(number()), "--from", from, "--to", to, "--silent", "1"];
    const login = ["--auth", "LOGIN", "--auth-user", "ann", "--auth-password", "secret"];
    const body = ["--header", `Subject: ${subjectOf("swaks")}`, "--body", "line one\\n.line two\\n"];
    await finish(command, [...args, ...login, ...body, ...swaksTls[port.tls]]);
    await arrived(subjectOf("swaks"), port, "ann");
  });

  testWith(tool("msmtp"), "msmtp", async (command) => {
    const args = ["--host=localhost", `--port=${number()}`, `--from=${from}`, `--tls-trust-file=${ca}`];
    await finish(command, ["--file=/dev/null", ...args, ...msmtpTls[port.tls], to], message(subjectOf("msmtp")));
    await arrived(subjectOf("msmtp"), port);
  });

  testWith(tool("curl"), "curl", async (command) => {
    const url = `${port.tls === "implicit" ? "smtps" : "smtp"}://localhost:${number()}`;
    const tls = port.tls === "starttls" ? ["--ssl-reqd"] : [];
    const envelope = ["--mail-from", from, "--mail-rcpt", to, "--user", "ann:secret"];
    await finish(command, ["-sS", url, "--cacert", ca, ...tls, ...envelope, "-T", "-"], message(subjectOf("curl")));
    await arrived(subjectOf("curl"), port, "ann");
  });
});
