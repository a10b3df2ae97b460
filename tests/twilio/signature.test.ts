import { describe, expect, test } from "vitest";
import { readOverrides, shouldRetry } from "../../emulators/twilio/domain/connection-overrides.ts";
import { bodyHash, signature, signedUrl, withBodyHash } from "../../emulators/twilio/domain/signature.ts";
import { twilioScheme } from "../../emulators/twilio/webhooks.ts";
import { twilioCallback } from "../../emulators/twilio/wire/callback.ts";

const token = "12345";
const documented = "https://mycompany.com/myapp.php?foo=1&bar=2";
const call: readonly [string, string][] = [
  ["To", "+18005551212"],
  ["CallSid", "CA1234567890ABCDE"],
  ["Caller", "+14158675309"],
  ["Digits", "1234"],
  ["From", "+14158675309"],
];

describe("X-Twilio-Signature", () => {
  test.each([
    ["a form, as Twilio documents it", documented, call, "RSOYDt4T1cUTdK1PDd93/VVr8B8="],
    [
      "a form on a port",
      "http://127.0.0.1:4778/cb",
      [
        ["MessageSid", "SM1"],
        ["MessageStatus", "sent"],
      ],
      "Bwaso0SXg0oQAN+Pl4Ut89oy/R8=",
    ],
    ["a query", "http://127.0.0.1:4778/cb?AccountSid=AC1&Body=hi", [], "8NVeOMgR3W5P/gKJoVBtOhs++to="],
  ] as const)("%s", (_, url, parameters, expected) => {
    expect(signature(token, url, parameters)).toBe(expected);
  });

  test("a JSON body is signed by its hash in the query", () => {
    const body = '{"property": "value", "boolean": true}';
    expect(bodyHash(body)).toBe("0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620");
    expect(signature(token, withBodyHash(documented, body), [])).toBe("a9nBmqA0ju/hNViExpshrM61xv4=");
  });

  test("names sort by code unit, repeated names give their distinct values in order", () => {
    const spelt = signature(token, "http://h/AxA1yB1B2_zaw", []);
    const parameters: [string, string][] = [
      ["a", "w"],
      ["_", "z"],
      ["B", "2"],
      ["B", "1"],
      ["B", "2"],
      ["A1", "y"],
      ["A", "x"],
    ];
    expect(signature(token, "http://h/", parameters)).toBe(spelt);
  });

  test("neither the fragment nor the userinfo is signed", () => {
    expect(signedUrl("https://user:secret@example.com/cb?x=a@b#rc=2&rp=5xx")).toBe("https://example.com/cb?x=a@b");
    expect(signedUrl("https://example.com/mail@host")).toBe("https://example.com/mail@host");
  });
});

describe("the delivery scheme", () => {
  const unsigned = { id: "msg_1", method: "POST", url: "http://127.0.0.1:4778/cb", at: 0 };

  test("signs the form it sends and names the delivery the same way at every try", () => {
    const body = Buffer.from("MessageSid=SM1&MessageStatus=sent");
    const form = { ...unsigned, body, contentType: "application/x-www-form-urlencoded; charset=UTF-8" };
    const first = twilioScheme.sign(form, token);
    expect(first.headers["X-Twilio-Signature"]).toBe("Bwaso0SXg0oQAN+Pl4Ut89oy/R8=");
    expect(first.headers["I-Twilio-Idempotency-Token"]).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(twilioScheme.sign({ ...form, at: 5 }, token)).toEqual(first);
  });

  test("puts the hash of a JSON body into the address", () => {
    const body = Buffer.from('{"property": "value", "boolean": true}');
    const signed = twilioScheme.sign({ ...unsigned, url: documented, body, contentType: "application/json" }, token);
    expect(signed.url).toBe(withBodyHash(documented, body));
    expect(signed.headers["X-Twilio-Signature"]).toBe("a9nBmqA0ju/hNViExpshrM61xv4=");
  });

  test("a GET carries its parameters in the query, before the fragment", () => {
    const callback = twilioCallback({
      type: "t",
      subject: "s",
      accountSid: "AC1",
      occurredAt: 0,
      method: "GET",
      url: "http://127.0.0.1:4778/cb#rc=0",
      parameters: [
        ["AccountSid", "AC1"],
        ["Body", "hi"],
      ],
    });
    expect(callback).toMatchObject({ url: "http://127.0.0.1:4778/cb?AccountSid=AC1&Body=hi#rc=0", body: "" });
    const url = twilioScheme.address?.(callback.url) ?? "";
    const signed = twilioScheme.sign(
      { ...unsigned, method: "GET", url, body: Buffer.alloc(0), contentType: callback.contentType },
      token,
    );
    expect(signed.headers["X-Twilio-Signature"]).toBe("8NVeOMgR3W5P/gKJoVBtOhs++to=");
  });
});

describe("connection overrides", () => {
  test("one retry, and only where no connection came about, unless the fragment says otherwise", () => {
    const plain = readOverrides("http://h/cb");
    expect(shouldRetry(plain, 1, { tag: "connect" })).toBe(true);
    expect(shouldRetry(plain, 2, { tag: "connect" })).toBe(false);
    expect(shouldRetry(plain, 1, { tag: "status", status: 500 })).toBe(false);
    expect(shouldRetry(plain, 1, { tag: "read" })).toBe(false);
  });

  test("the fragment chooses how often and after what", () => {
    const asked = readOverrides("http://h/cb#rc=3&rp=5xx,rt");
    expect([1, 2, 3, 4].map((tries) => shouldRetry(asked, tries, { tag: "status", status: 503 }))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(shouldRetry(asked, 1, { tag: "status", status: 404 })).toBe(false);
    expect(shouldRetry(asked, 1, { tag: "read" })).toBe(true);
    expect(shouldRetry(readOverrides("http://h/#rp=all"), 1, { tag: "status", status: 404 })).toBe(true);
  });

  test("values out of range and unknown policies fall back to the defaults", () => {
    expect(readOverrides("http://h/#rc=6&ct=1&rt=99999&tt=x&rp=never")).toEqual(readOverrides("http://h/"));
    expect(readOverrides("http://h/#ct=200&rt=300&tt=400&rc=0")).toMatchObject({
      connectMs: 200,
      readMs: 300,
      totalMs: 400,
      retries: 0,
    });
  });
});
