/** Keys, wildcards, XML, times, trust and signatures. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { accessKeyId, accountOf } from "../../emulators/ec2-spot/domain/access-key.ts";
import { trusts } from "../../emulators/ec2-spot/domain/trust.ts";
import { matchesWildcard } from "../../emulators/ec2-spot/domain/wildcard.ts";
import { readParameters } from "../../emulators/ec2-spot/query-protocol.ts";
import { createSeals } from "../../emulators/ec2-spot/seals.ts";
import { isSignedWith, signatureOf } from "../../emulators/ec2-spot/sigv4.ts";
import { createPriceSheet, priceHead, priceTail, priceText } from "../../emulators/ec2-spot/wire/spot-prices.ts";
import { longTimestamp, timestampFormat } from "../../emulators/ec2-spot/wire/time.ts";
import { escapeXml } from "../../emulators/ec2-spot/wire/xml.ts";
import type { Exchange } from "../../emulators/kernel/exchange.ts";
import { createIds } from "../../emulators/kernel/ids.ts";

function exchange(parts: {
  method?: string;
  target?: string;
  body?: string;
  headers?: Record<string, string>;
}): Exchange {
  const headers = parts.headers ?? {};
  return {
    id: "0".repeat(32),
    at: 0,
    method: parts.method ?? "POST",
    target: parts.target ?? "/",
    host: headers.host ?? "127.0.0.1",
    origin: "http://127.0.0.1",
    base: "http://127.0.0.1",
    body: Buffer.from(parts.body ?? ""),
    remote: "127.0.0.1",
    header: (name) => headers[name],
    headers: () => headers,
    note: () => {},
    notes: {},
    answered: undefined,
  };
}

test("an access key id gives back its account", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 999_999_999_999n }),
      fc.uint8Array({ minLength: 5, maxLength: 5 }),
      (number, bits) => {
        const account = number.toString().padStart(12, "0");
        const id = accessKeyId("AKIA", account, bits);
        expect(id).toMatch(/^AKIA[A-Z2-7]{16}$/);
        expect(accountOf(id)).toBe(account);
      },
    ),
  );
  expect(accountOf("test")).toBeUndefined();
});

test.each([
  ["c5*", "c5.large", true],
  ["c5*", "m5.large", false],
  ["*.large", "m5.large", true],
  ["m?.large", "m5.large", true],
  ["m?.large", "m5a.large", false],
  ["0.0437*", "0.043700", true],
  ["*a*b*", "xxaxxbxx", true],
  ["*a*b", "xxaxxbxx", false],
  ["a\\*", "a*", true],
  ["a\\*", "ab", false],
  ["", "", true],
  ["*", "", true],
])("%s on %s: %s", (pattern, text, matches) => {
  expect(matchesWildcard(pattern, text)).toBe(matches);
});

test("XML text is escaped and free of what XML cannot carry", () => {
  expect(escapeXml(`<a & "b">'`)).toBe("&lt;a &amp; &quot;b&quot;&gt;&apos;");
  expect(escapeXml("a\u0000b")).toBe("a\ufffdb");
});

test("times and prices are written as EC2 writes them", () => {
  const timestamp = timestampFormat();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
      expect(timestamp(seconds)).toBe(new Date(seconds * 1000).toISOString());
    }),
  );
  expect(longTimestamp(Date.parse("2026-11-20T22:55:09Z") / 1000)).toBe("Fri Nov 20 22:55:09 UTC 2026");
  expect([437, 12_318, 1, 550_400].map(priceText)).toEqual(["0.043700", "1.231800", "0.000100", "55.040000"]);
});

test("a record written as bytes is the text of its price and time, also where pages outgrow the sheet", () => {
  const sheet = createPriceSheet();
  const timestamp = timestampFormat();
  const [head, tail] = [priceHead("m5.large", "Linux/UNIX"), priceTail("us-east-1a", "use1-az1")];
  const [before, after] = [Buffer.from(head).toString(), Buffer.from(tail).toString()];
  const record = fc.tuple(fc.integer({ min: 1, max: 30_000_000 }), fc.integer({ min: 0, max: 4_000_000_000 }));
  const inside = (records: readonly (readonly [ticks: number, at: number])[]) => {
    for (const [ticks, at] of records) sheet.add(head, ticks, at, tail);
    return sheet.body(["<", ">"], "").toString();
  };
  const texts = (records: readonly (readonly [ticks: number, at: number])[]) =>
    records
      .map(([ticks, at]) => `${before}${priceText(ticks)}</spotPrice><timestamp>${timestamp(at)}${after}`)
      .join("");
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
      expect(inside(records)).toContain(`<spotPriceHistorySet>${texts(records)}\n`);
    }),
  );
  const many = Array.from({ length: 3_000 }, (_, n) => [n + 1, 1_700_000_000 + n * 61] as const);
  expect(inside(many)).toContain(`<spotPriceHistorySet>${texts(many)}\n`);
  expect(sheet.body(["<", ">"], "").toString()).toContain("<spotPriceHistorySet/>");
});

test("parameters come from the query and the form, lists in order of number", () => {
  const read = readParameters(
    exchange({
      target: "/?Action=A&InstanceType.10=c",
      body: "InstanceType.2=b+b&InstanceType.1=a%26&Filter.1.Name=n&Filter.1.Value.2=y&Filter.1.Value.1=x&StartTime=2026-11-20T00%3A00%3A00.456789Z&EndTime=2026-11-20",
    }),
  );
  expect(read.text("Action")).toBe("A");
  expect(read.list("InstanceType")).toEqual(["a&", "b b", "c"]);
  expect(read.filters()).toEqual([{ name: "n", values: expect.arrayContaining(["x", "y"]) }]);
  expect(read.instant("StartTime")).toBe(Date.parse("2026-11-20T00:00:00.456Z"));
  expect(read.instant("EndTime")).toBe(Date.parse("2026-11-20T00:00:00Z"));
});

test.each(["%", "%zz", "Action=%E0%A4%A"])("malformed encoding %s is told", (body) => {
  expect(() => readParameters(exchange({ body }))).toThrow(/syntax error/);
});

test("any bytes as a body are read or refused, never worse", () => {
  fc.assert(
    fc.property(fc.string(), (body) => {
      try {
        const read = readParameters(exchange({ body }));
        read.filters();
        read.list("X");
      } catch (cause) {
        expect(cause).toHaveProperty("code");
      }
    }),
  );
});

test("a token opens only as what it was sealed for, and unchanged", () => {
  const seals = createSeals(createIds("seed"));
  const token = seals.seal("page", "1.2.3");
  expect(seals.open("page", token)).toBe("1.2.3");
  expect(seals.open("session", token)).toBeUndefined();
  expect(createSeals(createIds("other")).open("page", token)).toBeUndefined();
  for (let index = 0; index < token.length; index += 1) {
    const other = token[index] === "A" ? "B" : "A";
    expect(seals.open("page", token.slice(0, index) + other + token.slice(index + 1))).toBeUndefined();
  }
});

test("a role trusts an account, a user, a role or everyone, and only with its external id", () => {
  const caller = { account: "111122223333", arn: "arn:aws:iam::111122223333:user/a", role: undefined };
  const policy = (principal: string, externalId?: string) => ({ principals: [principal], externalId });
  expect(trusts(policy("111122223333"), caller, undefined)).toBe(true);
  expect(trusts(policy("arn:aws:iam::111122223333:root"), caller, undefined)).toBe(true);
  expect(trusts(policy(caller.arn), caller, undefined)).toBe(true);
  expect(trusts(policy("*"), caller, undefined)).toBe(true);
  expect(trusts(policy("444455556666"), caller, undefined)).toBe(false);
  expect(trusts(policy("*", "x1"), caller, undefined)).toBe(false);
  expect(trusts(policy("*", "x1"), caller, "x2")).toBe(false);
  expect(trusts(policy("*", "x1"), caller, "x1")).toBe(true);
});

test("AWS's published get-vanilla vector verifies, and fails with anything changed", () => {
  // https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html
  const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  const headers = {
    host: "example.amazonaws.com",
    "x-amz-date": "20150830T123600Z",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, " +
      "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  };
  const vanilla = exchange({ method: "GET", headers });
  const signature = signatureOf(vanilla);
  if (typeof signature !== "object") throw new Error("not read");
  expect(isSignedWith(secret, signature, vanilla)).toBe(true);
  expect(isSignedWith(`${secret}x`, signature, vanilla)).toBe(false);
  expect(isSignedWith(secret, signature, exchange({ method: "POST", headers }))).toBe(false);
  expect(isSignedWith(secret, signature, exchange({ method: "GET", headers, body: "x" }))).toBe(false);
  expect(isSignedWith(secret, signature, exchange({ method: "GET", target: "/?a=b", headers }))).toBe(false);
});
