/** What is an address, however it is written, and who may be reached. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalHost, isLoopback, isMetadata, parseAuthority } from "../../emulators/suite/gateway/addresses.ts";
import { createAllowance } from "../../emulators/suite/gateway/allowance.ts";
import { fatalAlert, readOpening } from "../../emulators/suite/gateway/client-hello.ts";
import { createGuard } from "../../emulators/suite/gateway/guard.ts";

/** 169.254.169.254 and its kin, as attackers and mistakes write them. */
const disguises = [
  "169.254.169.254:80",
  "169.254.169.254.:80",
  "2852039166:80",
  "0xa9fea9fe:80",
  "0xA9FEA9FE:80",
  "0251.0376.0251.0376:80",
  "0xa9.0xfe.0xa9.0xfe:80",
  "169.254.43518:80",
  "169.16689662:80",
  "0251.254.0xa9fe:80",
  "[::ffff:169.254.169.254]:80",
  "[::ffff:a9fe:a9fe]:80",
  "[0:0:0:0:0:ffff:a9fe:a9fe]:80",
  "[::169.254.169.254]:80",
  "[::ffff:0:169.254.169.254]:80",
  "[64:ff9b::169.254.169.254]:80",
  "[64:ff9b:1::a9fe:a9fe]:80",
  "[2002:a9fe:a9fe::]:80",
  "[2002:a9fe:a9fe::1]:80",
  "[2001:0:a9fe:a9fe::]:80",
  "[2001:0:1234::5601:5601]:80",
  "[fe80::5efe:169.254.169.254]:80",
  "[2001:db8::5efe:a9fe:a9fe]:80",
  "[fe80::a9fe:a9fe%eth0]:80",
  "[fe80::1%25eth0]:80",
  "[fd00:ec2::254]:80",
  "[fd00:0ec2:0000::0254]:80",
  "[fd20:ce::254]:80",
  "169.254.170.2:80",
  "168.63.129.16:80",
  "100.100.100.200:80",
  "metadata.google.internal:80",
  "METADATA.google.internal.:80",
  "instance-data.ec2.internal:80",
  "１６９.254.169.254:80",
  "169。254。169。254:80",
];

test.each(disguises)("%s is a metadata address, and refused even when everything is allowed", async (written) => {
  const to = parseAuthority(written);
  expect(to).toBeDefined();
  expect(isMetadata(to?.host ?? "")).toBe(true);
  const guard = createGuard(createAllowance(["*", "0.0.0.0/0", "::/0"]), async () => ["203.0.113.1"]);
  expect(await guard(to ?? { host: "", port: 0 })).toMatchObject({
    tag: "refused",
    reason: expect.stringContaining("metadata"),
  });
});

test.each([
  ["127.0.0.1:3000", "127.0.0.1"],
  ["127.1:3000", "127.0.0.1"],
  ["0x7f000001:3000", "127.0.0.1"],
  ["2130706433:3000", "127.0.0.1"],
  ["[::1]:3000", "::1"],
  ["[::ffff:127.0.0.1]:3000", "::ffff:7f00:1"],
  ["0.0.0.0:3000", "127.0.0.1"],
  ["[::]:3000", "::1"],
])("%s is this machine", async (written, address) => {
  const to = parseAuthority(written) ?? { host: "", port: 0 };
  expect(isLoopback(to.host)).toBe(true);
  expect(await createGuard(createAllowance([]))(to)).toEqual({ tag: "direct", addresses: [address] });
});

test.each([
  "[64:ff9b::127.0.0.1]:80",
  "[2002:7f00:1::]:80",
  "127.0.0.1.example.com:80",
  "128.0.0.1:80",
  "localhost.example.com:80",
])("%s is not", async (written) => {
  const to = parseAuthority(written) ?? { host: "", port: 0 };
  expect(isLoopback(to.host)).toBe(false);
  expect(await createGuard(createAllowance([]))(to)).toMatchObject({ tag: "refused" });
});

test.each([
  "",
  "example.com",
  ":443",
  "example.com:",
  "example.com:0",
  "example.com:65536",
  "example.com:443:443",
  "example.com:44a",
  "http://example.com:443",
  "user@example.com:443",
  "exa mple.com:443",
  "exa/mple.com:443",
  "example.com?:443",
  "example.com#:443",
  "[::1:443",
  "::1:443",
  "[:::1]:443",
  "[]:443",
  "[::1]x:443",
  "256.256.256.256:443",
  "1.2.3.4.5.6:443",
  "a\\b:443",
  "%:443",
])("CONNECT %s is malformed", (written) => {
  expect(parseAuthority(written)).toBeUndefined();
});

test("a name that is allowed is looked up once and checked; one that is not is not looked up", async () => {
  const asked: string[] = [];
  const answers = new Map([
    ["good.example.com", ["203.0.113.7", "2001:db8::7"]],
    ["trap.example.com", ["203.0.113.7", "169.254.169.254"]],
    ["mapped.example.com", ["::ffff:169.254.169.254"]],
    ["localhost", ["192.0.2.1"]],
  ]);
  const guard = createGuard(createAllowance(["*.example.com:443"]), async (name) => {
    asked.push(name);
    return answers.get(name) ?? [];
  });
  expect(await guard({ host: "good.example.com", port: 443 })).toEqual({
    tag: "allowed",
    addresses: ["203.0.113.7", "2001:db8::7"],
    by: "*.example.com:443",
  });
  expect(await guard({ host: "trap.example.com", port: 443 })).toMatchObject({
    tag: "refused",
    reason: "trap.example.com leads to the metadata address 169.254.169.254",
  });
  expect(await guard({ host: "mapped.example.com", port: 443 })).toMatchObject({ tag: "refused" });
  expect(await guard({ host: "gone.example.com", port: 443 })).toMatchObject({
    tag: "refused",
    reason: "gone.example.com does not resolve",
  });
  expect(await guard({ host: "localhost", port: 80 })).toMatchObject({
    tag: "refused",
    reason: "localhost leads to 192.0.2.1, which is not loopback",
  });
  expect(asked).toEqual([
    "good.example.com",
    "trap.example.com",
    "mapped.example.com",
    "gone.example.com",
    "localhost",
  ]);
  expect(await guard({ host: "good.example.com", port: 80 })).toMatchObject({ tag: "refused" });
  expect(await guard({ host: "example.com", port: 443 })).toMatchObject({
    tag: "refused",
    hint: expect.stringContaining("BACKLOT_EGRESS_ALLOW=example.com"),
  });
  expect(asked).toHaveLength(5);
});

test.each([
  ["example.com", "example.com", 443, true],
  ["Example.COM", "example.com", 80, true],
  ["example.com", "www.example.com", 443, false],
  ["*.example.com", "a.b.example.com", 443, true],
  ["*.example.com", "example.com", 443, false],
  ["*.example.com", "badexample.com", 443, false],
  ["example.com:8443", "example.com", 443, false],
  ["203.0.113.7", "203.0.113.7", 443, true],
  ["203.0.113.0/24", "203.0.113.200", 443, true],
  ["203.0.113.0/24", "203.0.114.1", 443, false],
  ["203.0.113.0/24:8443", "203.0.113.200", 8443, true],
  ["10.0.0.0/8", "ten.example.com", 443, false],
  ["2001:db8::/32", "2001:db8::1", 443, true],
  ["2001:db8::1", "2001:db8::1", 443, true],
  ["[2001:db8::1]:443", "2001:db8::1", 443, true],
  ["[2001:db8::1]:443", "2001:db8::1", 80, false],
])("BACKLOT_EGRESS_ALLOW=%s and %s port %i: %s", (entry, host, port, covered) => {
  expect(createAllowance([entry]).covers(host, port) !== undefined).toBe(covered);
});

test.each(["10.0.0.0/33", "2001:db8::/129", "example.com/8"])("BACKLOT_EGRESS_ALLOW=%s is refused by name", (entry) => {
  expect(() => createAllowance([entry])).toThrow(`BACKLOT_EGRESS_ALLOW: ${entry} cannot be used`);
});

test("any IPv4 address has one spelling, and hides in no other family from the guard", () => {
  fc.assert(
    fc.property(fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)), ([a, b, c, d]) => {
      const dotted = `${a}.${b}.${c}.${d}`;
      const number = ((a * 256 + b) * 256 + c) * 256 + d;
      expect(canonicalHost(String(number))).toBe(dotted);
      expect(canonicalHost(`0x${number.toString(16)}`)).toBe(dotted);
      expect(isMetadata(canonicalHost(`[::ffff:${dotted}]`) ?? "")).toBe(isMetadata(dotted));
      expect(isMetadata(canonicalHost(`[64:ff9b::${dotted}]`) ?? "")).toBe(isMetadata(dotted));
    }),
  );
});

test("no bytes make the reader of TLS beginnings throw or wait for ever", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (tail) => {
      for (const head of [[], [22, 3, 1], [22, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3]]) {
        const opening = readOpening(Buffer.from([...head, ...tail]));
        expect(["more", "plain", "malformed", "hello"]).toContain(opening.tag);
      }
    }),
  );
  expect(readOpening(Buffer.alloc(17_000, 22)).tag).toBe("malformed");
  expect(readOpening(Buffer.from("GET / HTTP/1.1\r\n")).tag).toBe("plain");
  expect([...fatalAlert(112)]).toEqual([21, 3, 3, 0, 2, 2, 112]);
});
