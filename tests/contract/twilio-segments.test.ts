/** Segments as billed: Twilio's own calculator is asked the same questions. */
import { createRequire } from "node:module";
import fc from "fast-check";
import calculator from "sms-segments-calculator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { countSegments, encodingOf } from "../../emulators/twilio/domain/segments.ts";
import { smartEncode } from "../../emulators/twilio/domain/smart-encoding.ts";
import { start, type TwilioServer, twilioServer } from "./twilio-client.ts";

const { SegmentedMessage } = calculator;
// The package exports its table only here, and as CommonJS.
const published: Readonly<Record<string, string>> = createRequire(import.meta.url)(
  "sms-segments-calculator/dist/libs/SmartEncodingMap.js",
).default;

let server: TwilioServer;
beforeAll(async () => {
  server = await twilioServer();
});
afterAll(() => server.close());

test("smart encoding replaces what Twilio's table replaces, and nothing else", () => {
  expect(Object.keys(published)).toHaveLength(271);
  const differing: string[] = [];
  for (let code = 0; code <= 0xffff; code += 1) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCharCode(code);
    if (smartEncode(character) !== (published[character] ?? character)) differing.push(`U+${code.toString(16)}`);
  }
  expect(differing).toEqual([]);
  expect(smartEncode("“Olé” – it’s\u00a0👍…")).toBe(`"Olé" - it's  👍...`);
});

test("any text takes as many segments as Twilio's calculator says", () => {
  const pieces = fc.oneof(
    fc.constantFrom(..."aZ 9@ñ€{^\n\r", "\r\n", "`", "й", "👍", "👨‍👩‍👧", "e\u0301", "🇩🇪", "“", "\u00a0"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  );
  const text = fc.oneof(
    fc.array(pieces, { maxLength: 200 }).map((all) => all.join("")),
    fc.tuple(pieces, fc.integer({ min: 1, max: 400 }), pieces).map(([one, times, last]) => one.repeat(times) + last),
  );
  fc.assert(
    fc.property(text, fc.boolean(), (body, smart) => {
      const theirs = new SegmentedMessage(body, "auto", smart);
      const ours = smart ? smartEncode(body) : body;
      expect([countSegments(ours), encodingOf(ours)]).toEqual([Math.max(1, theirs.segmentsCount), theirs.encodingName]);
    }),
    { numRuns: 2_000 },
  );
});

test("the API counts so: 71 in UCS-2 are 2, 307 in GSM are 3, 81 euro signs are 2; smart encoding saves", async () => {
  const client = server.client();
  const from = server.env.TWILIO_PHONE_NUMBER ?? "";
  const create = (body: string, more: object = {}) =>
    client.messages.create({ to: "+14155550199", from, body, ...more }).then(({ numSegments }) => numSegments);
  expect(await create("й".repeat(71))).toBe("2");
  expect(await create("x".repeat(307))).toBe("3");
  expect(await create("€".repeat(81))).toBe("2");
  expect(await create("“".repeat(71))).toBe("2");
  expect(await create("“".repeat(71), { smartEncoded: true })).toBe("1");
  const byService = await client.messages.create({
    to: "+14155550199",
    messagingServiceSid: server.env.TWILIO_MESSAGING_SERVICE_SID ?? "",
    body: "“".repeat(71),
  });
  expect(byService.numSegments).toBe("0");
  await server.advance(start + 60_000);
  expect((await client.messages(byService.sid).fetch()).numSegments).toBe("1");
});
