/** A message larger than what a server may hold: it goes to the store in pieces and comes back to the byte. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { everyReal, stopwatch } from "../../emulators/kernel/clock.ts";
import { startMailProcess } from "../smtp/mail-process.ts";
import { queuedId, rawClient } from "../smtp/raw-client.ts";

const size = 100 * 2 ** 20;
const line = Buffer.from(`${"x".repeat(76)}\r\n`.repeat(840));

/** Resident bytes of a process, as Linux counts them. */
function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

test("a message of 100 MB takes less than 60 MB of memory, and comes back as it was", {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "backlot-large-"));
  const server = await startMailProcess({ BACKLOT_DATA_DIR: folder, BACKLOT_MAIL_SIZE_LIMIT: "200MiB" });
  const base = residentBytes(server.pid);
  let most = base;
  const stop = everyReal(10, () => {
    most = Math.max(most, residentBytes(server.pid));
  });
  const sent = createHash("sha256");
  const socket = connect(server.port, "127.0.0.1");
  const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
  const reply = async () => {
    for (;;) {
      const { value = "" } = await replies.next();
      if (!/^\d{3}-/.test(value)) return value;
    }
  };
  const say = (command: string) => {
    socket.write(`${command}\r\n`);
    return reply();
  };
  await reply();
  for (const command of ["EHLO x", "MAIL FROM:<ann@example.com>", "RCPT TO:<bob@example.org>", "DATA"])
    await say(command);
  const send = async (bytes: Buffer) => {
    sent.update(bytes);
    if (!socket.write(bytes)) await once(socket, "drain");
  };
  await send(Buffer.from("Subject: large\r\n\r\n"));
  for (let done = 0; done < size; done += line.length) await send(line);
  const id = /queued as (\w+)/.exec(await say("."))?.[1];
  socket.end();
  stop();
  expect((most - base) / 2 ** 20).toBeLessThan(60);

  const received = createHash("sha256");
  const { body } = await fetch(`${server.url}/_backlot/smtp/messages/${id}/raw`);
  for await (const chunk of body ?? []) received.update(chunk);
  expect(received.digest("hex")).toBe(sent.digest("hex"));
  await server.stop();
  rmSync(folder, { recursive: true });
});

test("an attachment of 50 MB is kept to the byte and listed, and nobody else waits for it", {
  timeout: 120_000,
}, async () => {
  const server = await startMailProcess({ BACKLOT_MAIL_SIZE_LIMIT: "100MiB" });
  const encoded = `${"QmFja2xvdA".repeat(7)}QmFja2\r\n`.repeat(1_000);
  const head = Buffer.from(
    'Subject: heavy\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nsee below\r\n--b\r\n' +
      "Content-Type: application/octet-stream; name=heavy.bin\r\nContent-Transfer-Encoding: base64\r\n" +
      "Content-Disposition: attachment; filename=heavy.bin\r\n\r\n",
  );
  const blocks = Math.ceil((50 * 2 ** 20 * 4) / 3 / encoded.length);
  const heavy = Buffer.concat([head, Buffer.from(encoded.repeat(blocks)), Buffer.from("--b--\r\n")]);

  const sender = await rawClient(server.port);
  const neighbour = await rawClient(server.port);
  let sent = false;
  const whole = sender.mail("ann@example.com", ["bob@example.org"], heavy).finally(() => {
    sent = true;
  });
  const waits: number[] = [];
  while (!sent) {
    const elapsed = stopwatch();
    queuedId(await neighbour.mail("cy@example.com", ["dee@example.org"], "Subject: light\r\n\r\nx\r\n"));
    waits.push(elapsed());
  }
  const id = queuedId(await whole);
  expect(Math.max(...waits)).toBeLessThan(1_000);
  const raw = Buffer.from(await (await fetch(`${server.url}/api/v1/message/${id}/raw`)).arrayBuffer());
  expect(raw.equals(heavy)).toBe(true);
  const list = (await (await fetch(`${server.url}/api/v1/search?query=subject:heavy`)).json()) as {
    messages: { ID: string; Size: number }[];
  };
  expect(list.messages).toMatchObject([{ ID: id, Size: heavy.length }]);
  sender.end();
  neighbour.end();
  expect(await server.stop()).toBe(0);
});
