/** Rows that are held back in memory: whatever is asked, the answer is that of a mailbox which writes each at once. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createClock } from "../../emulators/kernel/clock.ts";
import { createIds } from "../../emulators/kernel/ids.ts";
import { openStore } from "../../emulators/kernel/state.ts";
import { createTimers } from "../../emulators/kernel/timers.ts";
import { type Draft, defaultProfile } from "../../emulators/smtp/domain/message.ts";
import { Dialogue } from "../../emulators/smtp/domain/transcript.ts";
import { openMail } from "../../emulators/smtp/store.ts";
import { tables } from "../../emulators/smtp/tables.ts";

const noon = Date.parse("2025-01-15T12:00:00Z");

function mailbox(holding: boolean) {
  const clock = createClock({ mode: "frozen", at: noon }, 1);
  const [ids, timers] = [createIds("held"), createTimers(clock)];
  const store = openStore({
    name: "smtp",
    tables,
    pageSize: 16_384,
    dataDir: undefined,
    ids,
    timers,
    now: () => clock.now(),
    onFailure(cause) {
      throw cause;
    },
  });
  const mail = holding ? openMail(store.db, store) : openMail(store.db);
  store.write(() => mail.setProfile(defaultProfile));
  store.keepPristine();
  return { store, mail, holding };
}
type Mailbox = ReturnType<typeof mailbox>;

const bytesOf = (n: number, size: number) => Buffer.alloc(size, `Subject: ${n}\r\n\r\n${n} `);

function draft(n: number, size: number): Draft {
  const raw = bytesOf(n, size);
  return {
    id: `mail-${n}`,
    mailFrom: `sender${n % 3}@example.com`,
    parameters: n % 4 === 0 ? { BODY: "8BITMIME" } : undefined,
    recipients: [{ address: `to${n}@example.org`, parameters: n % 5 === 0 ? { NOTIFY: "NEVER" } : undefined }],
    helo: "client",
    mechanism: undefined,
    username: n % 6 === 0 ? "user" : undefined,
    secure: n % 2 === 0,
    receivedAt: noon + (n % 7),
    truncated: n % 11 === 0,
    remote: "127.0.0.1:5",
    transcript: new Dialogue("S: 220 hello", `C: MAIL ${n}`),
    content: { raw, size, sha256: "", spool: undefined },
    inbox: n % 3 === 0 ? "mine" : undefined,
    tags: n % 8 === 0 ? ["tag"] : [],
  };
}

/** Everything a mailbox tells, as JSON would show it. */
const told = ({ mail, store }: Mailbox, ids: readonly string[]) =>
  JSON.parse(
    JSON.stringify({
      one: ids.map((id) => [mail.has(id), mail.summary(id), mail.message(id), mail.transcript(id), mail.tagsOf(id)]),
      content: ids.map((id) => Buffer.concat([...(mail.content(id) ?? [])]).toString("latin1")),
      beginning: ids.map((id) => mail.beginning(id)?.length),
      page: mail.page(0, 1_000),
      summaries: mail.summaries(1_000),
      after: mail.arrivedAfter(3, 1_000),
      next: mail.messageAfter(2),
      placed: mail.placed(),
      count: mail.count(),
      read: mail.readCount(),
      last: mail.lastArrival,
      digest: store.digest(),
    }),
  );

/** Sizes on both sides of what is held, and of what is held together. */
const size = fc.oneof(fc.integer({ min: 20, max: 3_000 }), fc.constantFrom(16_384, 16_385, 40_000));
const command = fc.oneof(
  { weight: 8, arbitrary: fc.record({ tag: fc.constant("add" as const), size }) },
  { weight: 2, arbitrary: fc.record({ tag: fc.constant("write" as const), size, look: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ tag: fc.constant("fail" as const), size, look: fc.boolean(), light: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("remove" as const), which: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      tag: fc.constantFrom("removeAll", "readAll", "turn", "look", "save", "restore", "reset", "clear", "digest"),
    }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer Shape> ? Shape : never;

/** Answers what it was told on the way. */
async function run({ store, mail, holding }: Mailbox, commands: readonly Command[]): Promise<unknown[]> {
  const seen: unknown[] = [];
  const after: string[] = [];
  let n = 0;
  const add = (bytes: number) => {
    n += 1;
    const one = draft(n, bytes);
    mail.add(one);
    one.content.raw.fill("?"); // what a socket brought is somebody else's from here on
    store.afterCommit(() => after.push(one.id));
  };
  /** As intake does; but what is not held would stay when such work fails. */
  const change = (bytes: number, work: () => void) => {
    const tagged = [n + 1, n + 2].some((next) => draft(next, 0).tags.length > 0);
    if (holding && !tagged && bytes <= 16_384) store.writeOne(work);
    else store.write(work);
  };
  for (const one of commands) {
    if (one.tag === "add") change(one.size, () => add(one.size));
    else if (one.tag === "write" || one.tag === "fail") {
      const work = () => {
        add(one.size);
        if (one.look) seen.push(mail.count());
        add(30);
        if (one.tag === "fail") throw new Error("on purpose");
      };
      try {
        if (one.tag === "fail" && one.light) change(one.size, work);
        else store.write(work);
      } catch (cause) {
        seen.push(String(cause));
      }
    } else if (one.tag === "remove") seen.push(store.write(() => mail.remove(`mail-${one.which % (n + 1)}`)));
    else if (one.tag === "removeAll") seen.push(store.write(() => mail.removeAll()));
    else if (one.tag === "readAll") store.write(() => mail.setAllRead(true));
    else if (one.tag === "turn") await new Promise((resolve) => setImmediate(resolve));
    else if (one.tag === "look") seen.push(mail.placed());
    else if (one.tag === "save") store.snapshots.save("one");
    else if (one.tag === "restore") seen.push(store.snapshots.restore("one"));
    else if (one.tag === "reset") store.reset();
    else if (one.tag === "clear") store.clear();
    else seen.push(store.digest());
  }
  await new Promise((resolve) => setImmediate(resolve));
  return [...seen, after];
}

test("a mailbox that holds rows back answers as one that writes each at once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
      const [held, written] = [mailbox(true), mailbox(false)];
      const ids = Array.from({ length: commands.length * 2 + 1 }, (_, n) => `mail-${n}`);
      expect(await run(held, commands)).toEqual(await run(written, commands));
      expect(told(held, ids)).toEqual(told(written, ids));
      held.store.close();
      written.store.close();
    }),
    { numRuns: 50 },
  );
});

test("more than are held together keep their bytes", () => {
  const { store, mail } = mailbox(true);
  const sizes = Array.from({ length: 700 }, (_, n) => 500 + ((n * 37) % 3_000));
  for (const [n, bytes] of sizes.entries()) {
    const one = draft(n, bytes);
    store.writeOne(() => mail.add(one));
    one.content.raw.fill("?");
  }
  for (const [n, bytes] of sizes.entries())
    expect(Buffer.concat([...(mail.content(`mail-${n}`) ?? [])]).equals(bytesOf(n, bytes))).toBe(true);
  store.close();
});
