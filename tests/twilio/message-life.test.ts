import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageStatus } from "../../emulators/twilio/domain/message.ts";
import {
  isFinished,
  magicRecipients,
  nextStep,
  stayIn,
  step,
  transitions,
} from "../../emulators/twilio/domain/message-life.ts";
import { masked, normalisePhone, parseRecipient, parseSender } from "../../emulators/twilio/domain/phone-numbers.ts";

const usual = { isActive: () => true, isOutsideSession: () => false };
const starts: readonly MessageStatus[] = ["queued", "accepted", "scheduled", "receiving"];

/** Every status a message passes, by its own life alone. */
function walk(start: MessageStatus, to: string, validUntil: number | null, at: number): MessageStatus[] {
  const path = [start];
  for (let status = start; ; ) {
    const next = nextStep({ status, to, validUntil }, at, usual);
    if (!next) return path;
    status = step(status, next.status);
    path.push(status);
  }
}

describe("the life of a message", () => {
  test("every life ends, legally, in a finished status", () => {
    const recipient = fc.oneof(fc.constantFrom(...Object.keys(magicRecipients)), fc.constant("+14155550199"));
    const validity = fc.option(fc.nat(10), { nil: null });
    fc.assert(
      fc.property(fc.constantFrom(...starts), recipient, validity, fc.nat(20), (start, to, validUntil, at) => {
        const path = walk(start, to, validUntil, at);
        expect(isFinished(path[path.length - 1] ?? start)).toBe(true);
        expect(path.slice(0, -1).every((status) => !isFinished(status))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["queued", "+14155550199", ["queued", "sent", "delivered"]],
    ["accepted", "+14155550199", ["accepted", "queued", "sent", "delivered"]],
    ["scheduled", "+14155550199", ["scheduled", "queued", "sent", "delivered"]],
    ["queued", "+12025550133", ["queued", "sent", "undelivered"]],
    ["queued", "+12025550139", ["queued", "failed"]],
    ["queued", "whatsapp:+14155550199", ["queued", "sent", "delivered", "read"]],
    ["queued", "whatsapp:+12025550133", ["queued", "sent", "undelivered"]],
  ] as const)("from %s to %s", (start, to, expected) => {
    expect(walk(start, to, null, 0)).toEqual(expected);
  });

  test("a message that waits longer than its validity fails as expired", () => {
    expect(nextStep({ status: "queued", to: "+14155550199", validUntil: 5 }, 6, usual)).toEqual({
      status: "failed",
      errorCode: 30001,
    });
    expect(nextStep({ status: "queued", to: "+14155550199", validUntil: 5 }, 5, usual)?.status).toBe("sent");
  });

  test("an illegal step throws", () => {
    expect(() => step("delivered", "queued")).toThrow("a message cannot go from delivered to queued");
    for (const targets of Object.values(transitions)) expect(targets).not.toContain("accepted");
  });

  test("delays lie in their range and repeat", () => {
    const [sid, to] = [`SM${"0123456789abcdef".repeat(2)}`, "+14155550199"];
    const queued = stayIn({ status: "queued", sid, to }) ?? 0;
    expect(queued).toBeGreaterThanOrEqual(1_000);
    expect(queued).toBeLessThanOrEqual(2_000);
    expect(stayIn({ status: "queued", sid, to })).toBe(queued);
    expect(stayIn({ status: "delivered", sid, to })).toBeUndefined();
    expect(stayIn({ status: "scheduled", sid, to })).toBeUndefined();
  });
});

describe("phone numbers", () => {
  test.each([
    ["+12025550100", "+12025550100"],
    ["(202) 555-0100", "+12025550100"],
    ["202.555.0100", "+12025550100"],
    ["1 202 555 0100", "+12025550100"],
    ["+1 (202) 555‑0100", "+12025550100"],
    ["+44 7700 900123", "+447700900123"],
    ["+1202555010", undefined],
    ["07700900123", undefined],
    ["+0123456789", undefined],
    ["hello", undefined],
    ["", undefined],
  ])("%s is %s", (text, expected) => {
    expect(normalisePhone(text)).toBe(expected);
  });

  test("recipients may be short codes, senders also names and channels", () => {
    expect(parseRecipient("31337")).toBe("31337");
    expect(parseSender("MyShop")).toEqual({ tag: "alphanumeric", value: "MyShop" });
    expect(parseSender("whatsapp:+12025550100").tag).toBe("channel");
    expect(parseSender("TwelveLetter").tag).toBe("invalid");
    expect(parseSender("12345").tag).toBe("shortCode");
    expect(parseSender("+1 202 555 0100")).toEqual({ tag: "number", value: "+12025550100" });
  });

  test("error messages hide the last four digits", () => {
    expect(masked("+32486312345")).toBe("+3248631XXXX");
    expect(masked("hello")).toBe("hello");
  });
});
