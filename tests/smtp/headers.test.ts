import { describe, expect, test } from "vitest";
import { refusal } from "../../emulators/kernel/mode.ts";
import { decodeWords, headerSection, headerValue, subjectOf } from "../../emulators/smtp/domain/headers.ts";
import { createTranscript } from "../../emulators/smtp/domain/transcript.ts";
import { warningsOf } from "../../emulators/smtp/domain/warnings.ts";
import { real, refusalText } from "../../emulators/smtp/real.ts";

describe("headers", () => {
  test.each([
    ["=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"],
    ["=?UTF-8?Q?Gr=C3=BC=C3?= =?UTF-8?Q?=9Fe_an?= alle", "Grüße an alle"],
    ["=?iso-8859-1?q?caf=E9?=", "café"],
    ["=?no-such-charset?q?x?=", "=?no-such-charset?q?x?="],
    ["plain = text", "plain = text"],
  ])("%s", (encoded, decoded) => {
    expect(decodeWords(encoded)).toBe(decoded);
  });

  test("a subject is found in any case, folded, raw UTF-8, and only in the header", () => {
    expect(subjectOf(Buffer.from("sUBJECT: a\r\n b\r\n\r\nx"))).toBe("a b");
    expect(subjectOf(Buffer.from("Subject: Grüße\r\n\r\n"))).toBe("Grüße");
    expect(subjectOf(Buffer.from("From: x\r\n\r\nSubject: no\r\n"))).toBeUndefined();
    expect(headerValue(headerSection(Buffer.from("X-Subject: a\r\nTo: b\r\n\r\n")), "subject")).toBeUndefined();
  });

  test("warnings name what is wrong with the bytes", () => {
    const headers = "Date: x\r\nFrom: x\r\nMessage-ID: <x>\r\n\r\n";
    expect(warningsOf(Buffer.from(headers))).toEqual([]);
    expect(warningsOf(Buffer.from(`${headers}a\nb`))).toEqual(["bare_lf"]);
    expect(warningsOf(Buffer.from(`${headers}a\rb\0`))).toEqual(["bare_cr", "nul"]);
    expect(warningsOf(Buffer.from(`${headers}${"x".repeat(998)}\r\n`))).toEqual([]);
    expect(warningsOf(Buffer.from(`${headers}${"x".repeat(999)}\r\n`))).toEqual(["long_line"]);
    expect(warningsOf(Buffer.from("x"))).toEqual(["missing_date", "missing_from", "missing_message_id"]);
  });
});

describe("the transcript", () => {
  test("each transaction is shown with the session's opening and its own last reply", () => {
    const transcript = createTranscript();
    transcript.server("220 hi");
    transcript.begin();
    transcript.client("MAIL 1");
    expect(transcript.close("250 one").lines).toEqual(["S: 220 hi", "C: MAIL 1", "S: 250 one"]);
    transcript.server("250 one");
    transcript.begin();
    transcript.client("MAIL 2");
    expect(transcript.close().lines).toEqual(["S: 220 hi", "C: MAIL 2"]);
  });

  test("a flood is counted, not kept", () => {
    const transcript = createTranscript();
    for (let n = 0; n < 5000; n += 1) transcript.client("NOOP");
    expect(transcript.close().lines).toHaveLength(1001);
  });
});

test("a refusal fits in one line of 512 octets, whatever asked for it", () => {
  const askedBy = `APP_MODE=${"é\r\n".repeat(400)}`;
  const text = refusalText(refusal(real, askedBy, {}), askedBy);
  expect(`421 ${text}\r\n`.length).toBeLessThanOrEqual(512);
  expect(text).toMatch(/^4\.3\.2 SMTP delivery real mode is refused: [\x20-\x7e]*SMTP_HOST[\x20-\x7e]*$/);
});
