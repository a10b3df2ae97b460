import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { defaultProfile } from "../../emulators/smtp/domain/message.ts";
import { mailServer } from "../smtp/mail-server.ts";
import { dotStuffed, queuedId, rawClient } from "../smtp/raw-client.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
beforeAll(async () => {
  server = await mailServer({ BACKLOT_MAIL_SIZE_LIMIT: "200000" });
});
afterAll(() => server.close());

const headed = (body: string) => `From: a@example.com\r\nSubject: x\r\n\r\n${body}`;

test("a size limit of 0 is none", async () => {
  const unlimited = await mailServer({ BACKLOT_MAIL_SIZE_LIMIT: "0" });
  onTestFinished(() => unlimited.close());
  const client = await rawClient(unlimited.port);
  const body = headed(`${"x".repeat(70)}\r\n`.repeat(5_000));
  const id = queuedId(await client.mail("a@example.com", ["b@example.com"], body));
  expect((await unlimited.raw(id)).toString()).toBe(body);
  client.end();
});

describe("the greeting", () => {
  test("comes within 20 ms", async () => {
    const times: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const start = performance.now();
      const client = await rawClient(server.port, false);
      expect(await client.reply()).toMatch(/^220 smtp\.backlot\.test ESMTP/);
      times.push(performance.now() - start);
      client.end();
    }
    expect(Math.min(...times)).toBeLessThan(20);
  });

  test("EHLO offers what is served, and no STARTTLS on the plain port", async () => {
    const client = await rawClient(server.port);
    const features = await client.say("EHLO again.test");
    expect(features.split("\r\n").map((line) => line.slice(4))).toEqual([
      "smtp.backlot.test greets [127.0.0.1]",
      "PIPELINING",
      "8BITMIME",
      "SMTPUTF8",
      "ENHANCEDSTATUSCODES",
      "DSN",
      "AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2",
      "SIZE 200000",
    ]);
    expect(await client.say("STARTTLS")).toMatch(/^500 /);
    expect(await client.say("WIZ x")).toMatch(/^500 /);
    expect(await client.say("NOOP")).toMatch(/^250 /);
    expect(await client.say("VRFY ann")).toMatch(/^252 /);
    expect(await client.say("HELP")).toMatch(/^214 /);
    expect(await client.say("RSET")).toMatch(/^250 /);
    expect(await client.say("QUIT")).toBe("221 2.0.0 Bye");
    await client.closed();
  });
});

describe("bytes", () => {
  const cases: Record<string, Buffer> = {
    "lines that begin with dots": Buffer.from(headed(".\r\n..\r\n...\r\n.a\r\nb.\r\n")),
    "a dot as the first byte": Buffer.from(".first\r\n"),
    "dots after bare line feeds": Buffer.from(headed("a\n.\nb\n..\nc\r\n")),
    "bare LF dot CRLF": Buffer.from(headed("a\n.\r\nb\r\n")),
    "CRLF dot LF": Buffer.from(headed("a\r\n.\nb\r\n")),
    NULs: Buffer.from(headed("a\0b\0\r\n")),
    "8-bit": Buffer.concat([Buffer.from(headed("")), Buffer.from([0xe9, 0x80, 0xff, 0x0d, 0x0a])]),
    "an empty line first": Buffer.from("\r\n\r\nx\r\n"),
    "nothing at all": Buffer.alloc(0),
  };
  for (const [name, content] of Object.entries(cases)) {
    test(`${name} are kept exactly, whole or byte by byte`, async () => {
      for (const bytewise of [false, true]) {
        const client = await rawClient(server.port);
        await client.say("MAIL FROM:<a@example.com>");
        await client.say("RCPT TO:<b@example.com>");
        await client.say("DATA");
        const wire = Buffer.concat([dotStuffed(content), Buffer.from(".\r\n")]);
        if (!bytewise) client.send(wire);
        else
          for (const byte of wire) {
            client.send(Buffer.from([byte]));
            await new Promise((resolve) => setImmediate(resolve));
          }
        expect(await server.raw(queuedId(await client.reply()))).toEqual(content);
        client.end();
      }
    });
  }

  test("a message of dots is as fast as any", async () => {
    const client = await rawClient(server.port);
    const content = Buffer.from("..x\r\n".repeat(30_000));
    const start = performance.now();
    const id = queuedId(await client.mail("a@example.com", ["b@example.com"], dotStuffed(content)));
    expect(performance.now() - start).toBeLessThan(1000);
    expect((await server.raw(id)).equals(content)).toBe(true);
    client.end();
  });
});

describe("sessions", () => {
  test("everything pipelined in one write, two messages", async () => {
    const client = await rawClient(server.port);
    const one = (n: number) =>
      `MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n${headed(`pipelined ${n}\r\n`)}.\r\n`;
    client.send(`${one(1)}${one(2)}QUIT\r\n`);
    const replies: string[] = [];
    for (let n = 0; n < 9; n += 1) replies.push(await client.reply());
    expect(replies.map((reply) => reply.slice(0, 3)).join(" ")).toBe("250 250 354 250 250 250 354 250 221");
    expect(queuedId(replies[3] ?? "")).not.toBe(queuedId(replies[7] ?? ""));
  });

  test("the null sender, ESMTP parameters and the transcript are recorded", async () => {
    const client = await rawClient(server.port);
    expect(await client.say("MAIL FROM:<> BODY=8BITMIME RET=HDRS ENVID=q1")).toMatch(/^250 2\.1\.0/);
    expect(await client.say("RCPT TO:<b@example.com> NOTIFY=NEVER")).toMatch(/^250 2\.1\.5/);
    await client.say("DATA");
    client.send(`${headed("null\r\n")}.\r\n`);
    const id = queuedId(await client.reply());
    expect(await server.json(`/_backlot/smtp/messages/${id}/envelope`)).toMatchObject({
      id,
      truncated: false,
      mailFrom: { address: "", parameters: { BODY: "8BITMIME", RET: "HDRS", ENVID: "q1" } },
      rcptTo: [{ address: "b@example.com", parameters: { NOTIFY: "NEVER" } }],
      helo: "client.test",
      auth: null,
      secure: false,
      warnings: ["missing_date", "missing_message_id"],
    });
    const transcript = await (await fetch(`${server.url}/_backlot/smtp/messages/${id}/transcript`)).text();
    expect(transcript.split("\n").slice(0, 2)).toEqual([
      "S: 220 smtp.backlot.test ESMTP Backlot",
      "C: EHLO client.test",
    ]);
    expect(transcript).toContain("C: MAIL FROM:<> BODY=8BITMIME RET=HDRS ENVID=q1\n");
    expect(transcript.trimEnd().split("\n").at(-1)).toBe(`S: 250 2.0.0 Ok: queued as ${id}`);
    client.end();
  });

  test("too big is refused: at MAIL by its SIZE, after the data by its bytes; the session goes on", async () => {
    const client = await rawClient(server.port);
    expect(await client.say("MAIL FROM:<a@example.com> SIZE=200001")).toMatch(/^552 5\.3\.4/);
    const reply = await client.mail("a@example.com", ["b@example.com"], `${headed("x".repeat(200_000))}\r\n`);
    expect(reply).toBe("552 5.3.4 Message exceeds fixed maximum message size 200000");
    queuedId(await client.mail("a@example.com", ["b@example.com"], headed("small\r\n")));
    client.end();
  });

  test("a client that vanishes during DATA leaves a truncated record that no mailbox lists", async () => {
    const before = server.runtime.state.count();
    const client = await rawClient(server.port);
    await client.say("MAIL FROM:<gone@example.com>");
    await client.say("RCPT TO:<b@example.com>");
    await client.say("DATA");
    client.send(headed("the end is miss"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.socket.destroy();
    await expect
      .poll(() => server.runtime.state.summaries(1000).filter((message) => message.truncated))
      .toMatchObject([{ mailFrom: "gone@example.com", truncated: true }]);
    expect(server.runtime.state.count()).toBe(before);
  });

  test("a bad sequence and a bad address are answered as RFC 5321 asks", async () => {
    const client = await rawClient(server.port);
    expect(await client.say("RCPT TO:<b@example.com>")).toMatch(/^503 5\.5\.1/);
    expect(await client.say("DATA")).toMatch(/^503 5\.5\.1/);
    expect(await client.say("MAIL FROM:<user.@example.com>")).toMatch(/^501 /);
    expect(await client.say("BDAT 5 LAST")).toMatch(/^500 /);
    client.end();
  });

  test("a parameter that no extension announced is refused, and the transaction goes on", async () => {
    const client = await rawClient(server.port);
    expect(await client.say("MAIL FROM:<a@example.com> SIZE=10 DELAY=5")).toMatch(/^555 5\.5\.4 .*DELAY/);
    expect(await client.say("MAIL FROM:<a@example.com>  size=10 body=8BITMIME AUTH=<> ENVID=q>1 RET=HDRS")).toMatch(
      /^250 /,
    );
    expect(await client.say("RCPT TO:<b@example.com> SIZE=10")).toMatch(/^555 5\.5\.4 .*SIZE/);
    expect(await client.say("RCPT TO:<b@example.com> NOTIFY=NEVER ORCPT=rfc822;b@example.com")).toMatch(/^250 /);
    expect(await client.say("DATA")).toMatch(/^354 /);
    client.end();
  });

  test("the same message gets the same id on another server with the same seed, a repeated one another", async () => {
    const [left, right] = await Promise.all([mailServer(), mailServer()]);
    const send = async (port: number) => {
      const client = await rawClient(port);
      const ids: string[] = [];
      for (let n = 0; n < 2; n += 1) {
        ids.push(queuedId(await client.mail("a@example.com", ["b@example.com"], headed("same\r\n"))));
      }
      client.end();
      return ids;
    };
    await send(left.port).then(async (ids) => {
      expect(await send(right.port)).toEqual(ids);
      expect(new Set(ids).size).toBe(2);
    });
    expect(left.digest()).toBe(right.digest());
    await Promise.all([left.close(), right.close()]);
  });
});

describe("AUTH", () => {
  const plain = (user: string, password: string) => Buffer.from(`\0${user}\0${password}`).toString("base64");

  test("any credentials do; mechanism and user are kept, the password is nowhere", async () => {
    const client = await rawClient(server.port);
    expect(await client.say(`AUTH PLAIN ${plain("ann", "s3cret-pass")}`)).toMatch(/^235 2\.7\.0/);
    const id = queuedId(await client.mail("a@example.com", ["b@example.com"], headed("auth\r\n")));
    const envelope = await server.json(`/_backlot/smtp/messages/${id}/envelope`);
    expect(envelope).toMatchObject({ auth: { mechanism: "PLAIN", username: "ann" } });
    const transcript = await (await fetch(`${server.url}/_backlot/smtp/messages/${id}/transcript`)).text();
    expect(transcript).toContain("C: AUTH PLAIN /* secured */\nS: 235 2.7.0");
    expect(transcript).not.toContain(plain("ann", "s3cret-pass"));
    expect(JSON.stringify(server.runtime.journal.read({}))).not.toContain("s3cret-pass");
    client.end();
  });

  test("LOGIN and CRAM-MD5; the challenge follows from the session", async () => {
    const client = await rawClient(server.port);
    expect(await client.say("AUTH LOGIN")).toBe("334 VXNlcm5hbWU6");
    expect(await client.say(Buffer.from("bob").toString("base64"))).toBe("334 UGFzc3dvcmQ6");
    expect(await client.say(Buffer.from("pw").toString("base64"))).toMatch(/^235 /);
    client.end();
    const challenges: string[] = [];
    for (let n = 0; n < 2; n += 1) {
      const fresh = await mailServer();
      const cram = await rawClient(fresh.port);
      const challenge = await cram.say("AUTH CRAM-MD5");
      challenges.push(Buffer.from(challenge.slice(4), "base64").toString());
      expect(await cram.say(Buffer.from("bob 0123456789abcdef0123456789abcdef").toString("base64"))).toMatch(/^235 /);
      cram.end();
      await fresh.close();
    }
    expect(challenges[0]).toMatch(/^<[0-9a-f]{32}\.1736942400@smtp\.backlot\.test>$/);
    expect(challenges[1]).toBe(challenges[0]);
  });

  test("a server with users wants one of them", async () => {
    const strict = await mailServer();
    strict.runtime.state.setProfile({ ...defaultProfile, name: "mx.test", auth: "users", maxRecipients: 2 });
    strict.runtime.state.setUsers([{ username: "ann", password: "right" }]);
    const client = await rawClient(strict.port);
    expect(await client.say("MAIL FROM:<a@example.com>")).toBe("530 5.7.0 Authentication required");
    expect(await client.say(`AUTH PLAIN ${plain("ann", "wrong")}`)).toBe(
      "535 5.7.8 Authentication credentials invalid",
    );
    expect(await client.say(`AUTH PLAIN ${plain("ann", "right")}`)).toMatch(/^235 /);
    await client.say("MAIL FROM:<a@example.com>");
    await client.say("RCPT TO:<b@example.com>");
    await client.say("RCPT TO:<c@example.com>");
    expect(await client.say("RCPT TO:<d@example.com>")).toBe("452 4.5.3 Too many recipients");
    expect(await client.say("RCPT TO:<C@example.com>")).toMatch(/^250 /);
    client.end();
    await strict.close();
  });
});
