/** A hundred thousand messages of 2 KB stored: lists, searches and waits take less than 20 ms. */
import { expect, onTestFinished, test } from "vitest";
import type { Instant } from "../../emulators/kernel/clock.ts";
import { Dialogue } from "../../emulators/smtp/domain/transcript.ts";
import { mailServer } from "../smtp/mail-server.ts";

const count = 100_000;
const syllables = ["ba", "ko", "ri", "tun", "sel", "ma", "dor", "vi", "nex", "pla"];
const word = (n: number) => [n, n / 10, n / 100].map((part) => syllables[Math.floor(part) % 10]).join("");

/** Words of which some are common and most are rare, in lines, as people write them. */
function mail(n: number): Buffer {
  const words = Array.from({ length: 270 }, (_, at) =>
    word(Math.floor(1_000 ** ((((n * 269 + at) * 7919) % 9_973) / 9_973))),
  );
  const body = words.map((one, at) => one + (at % 11 === 10 ? ",\r\n" : " ")).join("");
  return Buffer.from(
    `From: Shop ${n % 50} <shop${n % 50}@example.com>\r\nTo: user${n}@example.org\r\nSubject: Receipt ${n}\r\n` +
      `Message-ID: <${n}.${n * 31}@example.com>\r\n\r\nThank you for order ${n}.\r\n${body}\r\n`,
  );
}

// A busy machine may spoil a run, never better one.
test("a page of a list or of what was found takes less than 20 ms", { retry: 1, timeout: 300_000 }, async () => {
  const server = await mailServer();
  onTestFinished(() => server.close());
  const { state, store } = server.runtime;
  store.write(() => {
    for (let n = 0; n < count; n += 1) {
      const raw = mail(n);
      state.add({
        id: `m${String(n).padStart(21, "0")}`,
        mailFrom: `shop${n % 50}@example.com`,
        parameters: undefined,
        recipients: [{ address: `user${n}@example.org`, parameters: undefined }],
        helo: "x",
        mechanism: undefined,
        username: undefined,
        secure: false,
        receivedAt: (1_700_000_000_000 + n) as Instant,
        truncated: false,
        remote: "127.0.0.1",
        transcript: new Dialogue(""),
        content: { raw, size: raw.length, sha256: "", spool: undefined },
        inbox: undefined,
        tags: [],
      });
    }
  });
  const total = async (path: string) => {
    const body = (await server.json(path)) as { messages_count?: number; total?: number; messages?: unknown[] };
    return body.messages_count ?? body.total ?? body.messages?.length;
  };
  const mailpit = (query: string) => `/api/v1/search?query=${encodeURIComponent(query)}`;
  const mailhog = (query: string, kind = "containing") =>
    `/api/v2/search?kind=${kind}&query=${encodeURIComponent(query)}`;
  store.write(() => state.setRead(`m${"7".padStart(21, "0")}`, true)); // then what is unread is counted
  const began = performance.now();
  expect(await total(mailpit("nothing-like-it"))).toBe(0);
  console.log(`reading takes ${(((performance.now() - began) * 1_000) / count).toFixed(0)} microseconds a message`);

  for (const [path, expected] of [
    ["/api/v1/messages", count],
    ["/api/v2/messages", count],
    [mailpit("order"), count],
    [mailpit('"thank you for order"'), count],
    [mailpit('"order 777."'), 1],
    [mailpit("subject:receipt -from:shop7@"), count - count / 50],
    [mailpit("user77"), 1_111],
    [mailhog("thank you"), count],
    [mailhog("you for order"), count],
    [mailhog("user777@", "to"), 1],
    ["/_backlot/smtp/messages/wait?to=user777@example.org", 1],
    ["/_backlot/smtp/messages?query=order&limit=50", count],
    [`${mailpit("order")}&start=${count - 50}`, count],
    ["/api/email/summary?search=order", count],
    [mailpit("is:unread"), count - 1],
  ] as const) {
    const times: number[] = [];
    for (let run = 0; run < 12; run += 1) {
      const start = performance.now();
      expect(await total(path), path).toBe(expected);
      times.push(performance.now() - start);
    }
    console.log(`${path}: ${times[0]?.toFixed(1)} ms at first, ${Math.min(...times).toFixed(1)} ms at best`);
    expect(Math.min(...times), path).toBeLessThan(20);
  }
});
