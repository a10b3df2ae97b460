import { describe, expect, test } from "vitest";
import { boundaryOf, readMessage } from "../../emulators/smtp/domain/mailhog-mime.ts";

const lines = (...all: string[]) => all.join("\r\n");

describe("MailHog's reading of a message", () => {
  test("a repeated header keeps its last value, a folded one its blank", () => {
    const { content } = readMessage(
      lines("X-A: 1", "Subject: one", "\ttwo", "X-A: 2", "no header", "", "body", "", "more"),
    );
    expect(content.headers).toEqual({ "X-A": ["2"], Subject: ["one\ttwo"] });
    expect(content.body).toBe("body\r\n\r\nmore");
  });

  test("without a blank line everything is body", () => {
    expect(readMessage("Subject: x").content).toMatchObject({ headers: {}, body: "Subject: x", size: 10 });
  });

  test("parts: an empty first piece is skipped, the closing dashes are a part", () => {
    const { parts } = readMessage(
      lines('Content-Type: multipart/mixed; boundary="b"', "", "--b", "X: 1", "", "one", "--b", "", "two", "--b--"),
    );
    expect(parts?.map(({ headers, body, size }) => [headers, body, size])).toEqual([
      [{ X: ["1"] }, "one", 11],
      [{}, "two", 3],
      [{}, "--", 2],
    ]);
  });

  test("a preamble is part 0 and multiparts nest", () => {
    const { parts } = readMessage(
      lines(
        "Content-Type: multipart/mixed; boundary=out",
        "",
        "preamble",
        "--out",
        "Content-Type: multipart/alternative; boundary=in",
        "",
        "--in",
        "A: 1",
        "",
        "x",
        "--in--",
        "--out--",
      ),
    );
    expect(parts?.[0]?.body).toBe("preamble");
    expect(parts?.[1]?.parts?.map(({ body }) => body)).toEqual(["x", "--"]);
  });

  test("hostile header names are only names", () => {
    const { content } = readMessage(lines("__proto__: 1", "constructor: 2", "", ""));
    expect(Object.keys(content.headers)).toEqual(["__proto__", "constructor"]);
  });

  test.each([
    ['multipart/mixed; boundary="a b"', "a b"],
    ["multipart/mixed; charset=x; Boundary=abc; y=z", "abc"],
    ["multipart/mixed; boundary=", undefined],
    ["multipart/mixed", undefined],
  ])("boundary of %s", (type, expected) => {
    expect(boundaryOf(type)).toBe(expected);
  });
});
