/** Planned faults at every stage of the dialogue, and recipients that ask for one. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { queuedId, rawClient } from "../smtp/raw-client.ts";

let server: Awaited<ReturnType<typeof mailServer>>;
beforeAll(async () => {
  server = await mailServer();
});
afterAll(() => server.close());
afterEach(() => server.reset());

const plan = async (rule: unknown) => {
  const response = await fetch(`${server.url}/_backlot/faults`, { method: "POST", body: JSON.stringify(rule) });
  if (!response.ok) throw new Error(await response.text());
};
async function attempt(to: string, options: { from?: string; body?: string } = {}): Promise<string> {
  const client = await rawClient(server.port);
  try {
    return await client.mail(options.from ?? "ann@example.com", [to], `${options.body ?? "Subject: x\r\n\r\nx"}\r\n`);
  } catch {
    return "closed";
  } finally {
    client.end();
  }
}
const total = async () => ((await server.json("/_backlot/smtp/messages")) as { total: number }).total;

describe("planned faults", () => {
  test("a reply at each stage", async () => {
    await plan({
      match: { stage: "mail", facts: { from: "bad@*" } },
      action: { status: 451, code: "4.7.1", message: "Not you" },
    });
    await plan({
      match: { stage: "rcpt", facts: { to: "/^full@/" } },
      action: { status: 452, code: "4.2.2", message: "Full" },
    });
    await plan({
      match: { stage: "eod", header: { subject: "spam*" } },
      action: { status: 554, code: "5.7.1", message: "Spam" },
    });
    await plan({
      match: { stage: "data", facts: { from: "data@*" } },
      action: { status: 421, code: "4.3.0", message: "No data" },
    });
    expect(await attempt("bob@example.org", { from: "bad@example.com" })).toBe("451 4.7.1 Not you");
    expect(await attempt("full@example.org")).toBe("452 4.2.2 Full");
    expect(await attempt("bob@example.org", { body: "Subject: spam!\r\n\r\nx" })).toBe("554 5.7.1 Spam");
    expect(await attempt("bob@example.org", { from: "data@example.com" })).toBe("421 4.3.0 No data");
    expect(await attempt("bob@example.org")).toMatch(/^250 /);
    expect(await total()).toBe(1);
  });

  test("only the second attempt of each mail, in whatever order they come", async () => {
    await plan({
      match: { stage: "rcpt", call: 2, per: "content" },
      action: { status: 451, code: "4.7.1", message: "Later" },
    });
    const round = () => Promise.all(["a", "b", "c"].map((name) => attempt(`${name}@example.org`)));
    expect((await round()).every((reply) => reply.startsWith("250 "))).toBe(true);
    expect((await round()).every((reply) => reply === "451 4.7.1 Later")).toBe(true);
    expect((await round()).every((reply) => reply.startsWith("250 "))).toBe(true);
  });

  test("a draw replays: the same mails meet the same fate, alone or sixteen at a time", async () => {
    const rule = { id: "half", match: { stage: "rcpt" }, action: { status: 451 }, probability: 0.5 };
    const names = Array.from({ length: 32 }, (_, n) => `user${n}@example.org`);
    const outcome = async (to: string) => `${to} ${(await attempt(to)).slice(0, 3)}`;
    await plan(rule);
    const first: string[] = [];
    for (const name of names) first.push(await outcome(name));
    server.reset();
    await plan(rule);
    const second = (await Promise.all(names.toReversed().map(outcome))).toReversed();
    expect(second).toEqual(first);
    expect(new Set(first.map((line) => line.slice(-3)))).toEqual(new Set(["250", "451"]));
  });

  test("a break before, after and in the middle; discarded and doubled mail", async () => {
    await plan({ match: { stage: "eod", facts: { from: "before@*" } }, action: { reset: true } });
    await plan({ match: { stage: "eod", facts: { from: "after@*" } }, action: { reset: "after" } });
    await plan({ match: { stage: "eod", facts: { from: "lost@*" } }, action: { effect: "discard" } });
    await plan({ match: { stage: "eod", facts: { from: "twice@*" } }, action: { duplicate: 2 } });
    expect(await attempt("bob@example.org", { from: "before@example.com" })).toBe("closed");
    expect(await total()).toBe(0);
    expect(await attempt("bob@example.org", { from: "after@example.com" })).toBe("closed");
    expect(await total()).toBe(1);
    expect(await attempt("bob@example.org", { from: "lost@example.com" })).toMatch(/^250 /);
    expect(await total()).toBe(1);
    expect(await attempt("bob@example.org", { from: "twice@example.com" })).toMatch(/^250 /);
    expect(await total()).toBe(3);
  });

  test("a delay is over when the clock is moved", async () => {
    await plan({ match: { stage: "rcpt" }, action: { delayMs: 60_000 } });
    const client = await rawClient(server.port);
    await client.say("MAIL FROM:<ann@example.com>");
    const reply = client.say("RCPT TO:<bob@example.org>");
    await expect.poll(() => server.runtime.timers.size).toBeGreaterThan(0);
    await server.advance(server.runtime.clock.now() + 60_000);
    expect(await reply).toMatch(/^250 /);
    client.end();
  });

  test("any command by its verb, but not a line of AUTH's dialogue", async () => {
    await plan({
      match: { stage: "command", facts: { verb: "RSET" } },
      action: { status: 421, code: "4.3.0", message: "Enough" },
    });
    await plan({ match: { stage: "command", facts: { verb: "cnNldA==" } }, action: { status: 451 } });
    const client = await rawClient(server.port);
    expect(await client.say("NOOP")).toMatch(/^250 /);
    expect(await client.say("AUTH LOGIN")).toMatch(/^334 /);
    expect(await client.say("cnNldA==")).toMatch(/^334 /);
    expect(await client.say("eA==")).toMatch(/^235 /);
    expect(await client.say("RSET")).toBe("421 4.3.0 Enough");
    client.end();
  });

  test("a slow link takes the time that its speed asks for, on the virtual clock", async () => {
    await plan({ match: { stage: "data" }, action: { effect: "throttle", with: { bytesPerSecond: 10 } } });
    const began = server.runtime.clock.now();
    const client = await rawClient(server.port);
    const reply = client.mail("ann@example.com", ["bob@example.org"], `Subject: x\r\n\r\n${"y".repeat(984)}\r\n`);
    await expect.poll(() => server.runtime.timers.size).toBeGreaterThan(0);
    await server.advance(began + 60_000);
    let answered = false;
    void reply.then(() => {
      answered = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    await server.advance(began + 120_000);
    expect(await reply).toMatch(/^250 /);
    client.end();
  });

  test("Mailpit's chaos and MailHog's Jim plan the same faults", async () => {
    const chaos = (body: unknown) => fetch(`${server.url}/api/v1/chaos`, { method: "PUT", body: JSON.stringify(body) });
    expect(await (await chaos({ Sender: { ErrorCode: 452, Probability: 100 } })).json()).toEqual({
      Sender: { ErrorCode: 452, Probability: 100 },
      Recipient: { ErrorCode: 451, Probability: 0 },
      Authentication: { ErrorCode: 535, Probability: 0 },
    });
    expect(await attempt("bob@example.org")).toBe("452 4.0.0 Chaos sender error");
    expect((await chaos({ Sender: { ErrorCode: 200, Probability: 1 } })).status).toBe(400);
    await chaos({});
    expect(await attempt("bob@example.org")).toMatch(/^250 /);

    const jim = (method: string, body?: unknown) =>
      fetch(`${server.url}/api/v2/jim`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
    expect((await jim("GET")).status).toBe(404);
    expect((await jim("POST", { AcceptChance: 1, RejectRecipientChance: 1 })).status).toBe(201);
    expect((await jim("POST")).status).toBe(400);
    expect(await (await jim("GET")).json()).toMatchObject({
      AcceptChance: 1,
      RejectRecipientChance: 1,
      DisconnectChance: 0,
    });
    expect(await attempt("bob@example.org")).toBe("550 5.1.1 Invalid recipient");
    const slow = { AcceptChance: 1, LinkSpeedAffect: 1, LinkSpeedMin: 100, LinkSpeedMax: 200 };
    expect((await jim("PUT", slow)).status).toBe(200);
    const faults = (await server.json("/_backlot/faults")) as { faults: { id: string; action: unknown }[] };
    expect(faults.faults.find(({ id }) => id === "jim-speed")?.action).toEqual({
      effect: "throttle",
      with: { min: 100, max: 200 },
    });
    expect((await jim("DELETE")).status).toBe(200);
    expect((await jim("DELETE")).status).toBe(404);
    expect(await attempt("bob@example.org")).toMatch(/^250 /);
  });
});

describe("magic recipients", () => {
  test("say what the server answers, on the listed domains only", async () => {
    const table: [string, string | RegExp][] = [
      ["bounce+550@x.magic.test", "550 5.1.1 The mailbox does not exist"],
      ["any+smtp550-5.7.1@magic.test", "550 5.7.1 The mailbox does not exist"],
      ["full@magic.test", "452 4.2.2 The mailbox is full"],
      ["toobig@magic.test", "552 5.3.4 The message is too big"],
      ["spam@magic.test", "554 5.7.1 The message looks like spam"],
      ["drop@magic.test", "closed"],
      ["dropdata@magic.test", "closed"],
      ["bounce+550@example.org", /^250 /],
    ];
    for (const [to, expected] of table)
      expect(await attempt(to), to).toMatch(expected instanceof RegExp ? expected : new RegExp(`^${expected}$`));
    expect(await total()).toBe(1);
  });

  test("defer x2 greylists a sender twice; dup and blackhole keep two and none", async () => {
    const replies = [];
    for (let n = 0; n < 3; n += 1) replies.push((await attempt("defer+451x2@magic.test")).slice(0, 3));
    expect(replies).toEqual(["451", "451", "250"]);
    queuedId(await attempt("dup+3@magic.test"));
    expect(await total()).toBe(4);
    expect(await attempt("blackhole@magic.test")).toMatch(/^250 /);
    expect(await total()).toBe(4);
  });
});
