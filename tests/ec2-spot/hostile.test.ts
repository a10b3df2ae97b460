/** Whatever is sent: an answer in the provider's shape, never an incident. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { operations } from "../../emulators/ec2-spot/api/dispatch.ts";
import { ec2Spot } from "../../emulators/ec2-spot/index.ts";
import type { SpotStore } from "../../emulators/ec2-spot/store.ts";
import { type RunningEmulator, startEmulator } from "../../emulators/kernel/start.ts";

let emulator: RunningEmulator<SpotStore>;
beforeAll(async () => {
  emulator = await startEmulator(ec2Spot, {
    environment: { BACKLOT_CLOCK: "frozen@2026-11-20T10:00:00Z", BACKLOT_LOG_LEVEL: "silent" },
    processEnvironment: {},
    listen: false,
  });
});
afterAll(() => emulator.close());

const query = async (parameters: Record<string, string>, headers: Record<string, string> = {}) => {
  const response = await emulator.fetch(
    new Request("http://127.0.0.1/", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(parameters).toString(),
    }),
  );
  return { status: response.status, body: await response.text() };
};
const incidents = () => emulator.runtime.journal.read({ matches: ({ kind }) => kind === "incident" });
const version = (service: string) => (service === "sts" ? "2011-06-15" : "2016-11-15");

const words = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.constantFrom(
    "",
    "0",
    "-1",
    "1e9",
    "true",
    "null",
    "__proto__",
    "constructor",
    "i-0123456789abcdef0",
    "ami-00000000",
    "<&>\"'",
    "\u0000",
    "../..",
    "9999999999",
    "2026-13-45T99:99:99Z",
    "m5.large",
    "us-east-1a",
    "AAAA",
    "*",
  ),
);

test("every operation with odd values in its own parameters", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...operations),
      fc.array(
        fc.tuple(fc.nat(30), fc.constantFrom("", ".1", ".1.Key", ".2.Value.1", ".X", ".1.Ebs.VolumeSize"), words),
        { maxLength: 6 },
      ),
      async (operation, given) => {
        const names = [...operation.parameters].map((name) => name.replace(/\.\*$/, ""));
        const parameters: Record<string, string> = { Action: operation.action, Version: version(operation.service) };
        for (const [index, suffix, value] of given)
          if (names.length > 0) parameters[`${names[index % names.length]}${suffix}`] = value;
        const { status, body } = await query(parameters);
        expect([200, 400, 401, 403, 412, 500]).toContain(status);
        if (status === 500) expect(body).toContain("InsufficientInstanceCapacity");
        expect(body).toMatch(status === 200 ? /^(<\?xml[^>]*>\n)?<\w+Response / : /<Code>[\w.]+<\/Code>\s*<Message>/);
      },
    ),
    { numRuns: 400 },
  );
  expect(incidents()).toEqual([]);
});

test("odd bodies to the JSON services", async () => {
  const paths = ["/", "/experiments", "/experimentTemplates", "/experiments/EXP1", "/experimentTemplates/%2B"];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...paths),
      fc.constantFrom(
        "GetProducts",
        "GetAttributeValues",
        "DescribeServices",
        "ListPriceLists",
        "GetPriceListFileUrl",
        "__proto__",
        "x",
      ),
      fc.oneof(fc.json(), fc.string()),
      async (path, action, body) => {
        const response = await emulator.fetch(
          new Request(`http://127.0.0.1${path}`, {
            method: path.endsWith("1") ? "DELETE" : "POST",
            headers:
              path === "/"
                ? { "x-amz-target": `AWSPriceListService.${action}` }
                : { "content-type": "application/json" },
            body,
          }),
        );
        expect([200, 400, 404, 405]).toContain(response.status);
        const said = JSON.parse(await response.text());
        if (response.status !== 200) expect(said).toHaveProperty("message");
      },
    ),
    { numRuns: 150 },
  );
  expect(incidents()).toEqual([]);
});

test("a broken signature header is told, leniently or not; text comes back escaped", async () => {
  const broken = await query(
    { Action: "DescribeRegions", Version: "2016-11-15" },
    { authorization: "AWS4-HMAC-SHA256 Credential=/////" },
  );
  expect([broken.status, broken.body]).toEqual([400, expect.stringContaining("<Code>IncompleteSignature</Code>")]);
  const group = await query({
    Action: "CreateSecurityGroup",
    Version: "2016-11-15",
    GroupName: "<g>&\"'",
    GroupDescription: "]]>\u0001",
  });
  expect(group.status).toBe(200);
  const groups = await query({ Action: "DescribeSecurityGroups", Version: "2016-11-15", "GroupName.1": "<g>&\"'" });
  expect(groups.body).toContain("<groupName>&lt;g&gt;&amp;&quot;&apos;</groupName>");
  expect(groups.body).toContain("<groupDescription>]]&gt;\ufffd</groupDescription>");
});

const awsShaped = (status: number, body: string) =>
  status === 200 ? /^(<\?xml[^>]*>\n)?<\w+Response /.test(body) : /<Code>[\w.]+<\/Code>\s*<Message>/.test(body);

test("mangled signatures, in the header and in the query, leniently and strictly", async () => {
  const { state, store } = emulator.runtime;
  const key = state.firstAccessKey("111122223333");
  const good =
    `AWS4-HMAC-SHA256 Credential=${key?.id}/20261120/us-east-1/ec2/aws4_request, ` +
    `SignedHeaders=host;x-amz-date, Signature=${"a".repeat(64)}`;
  const mangled = fc.oneof(
    fc
      .tuple(fc.nat(good.length), fc.nat(20), fc.string({ maxLength: 12 }))
      .map(([at, length, put]) => good.slice(0, at) + put.replace(/[^\x20-\x7e]/g, "?") + good.slice(at + length)),
    fc.constantFrom(
      "",
      "AWS4-HMAC-SHA256",
      "Bearer x",
      "AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=,Signature=",
    ),
  );
  for (const mode of ["lenient", "strict"]) {
    store.write(() => state.putSetting("signatures", mode));
    await fc.assert(
      fc.asyncProperty(mangled, words, fc.boolean(), async (authorization, word, inQuery) => {
        const parameters = { Action: "DescribeRegions", Version: "2016-11-15" };
        const { status, body } = inQuery
          ? await query({
              ...parameters,
              "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
              "X-Amz-Credential": authorization.slice(28, 90),
              "X-Amz-Date": word,
              "X-Amz-Expires": word,
              "X-Amz-SignedHeaders": "host",
              "X-Amz-Signature": word,
            })
          : await query(parameters, { authorization, "x-amz-date": "20261120T100000Z" });
        expect([200, 400, 401, 403]).toContain(status);
        if (mode === "strict") expect(status).not.toBe(200);
        expect(awsShaped(status, body), body).toBe(true);
      }),
      { numRuns: 150 },
    );
  }
  store.write(() => state.putSetting("signatures", "lenient"));
  expect(incidents()).toEqual([]);
});

test("odd windows, filters and tokens of the price history, and any change to a token", async () => {
  const ask = (parameters: Record<string, string>) =>
    query({ Action: "DescribeSpotPriceHistory", Version: "2016-11-15", MaxResults: "5", ...parameters });
  const first = await ask({ "InstanceType.1": "m5.large" });
  const token = /<nextToken>(.+)<\/nextToken>/.exec(first.body)?.[1] ?? "";
  const names = ["availability-zone", "instance-type", "product-description", "spot-price", "timestamp", "x"];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), words, words, words, async (name, value, start, given) => {
      const { status, body } = await ask({
        "Filter.1.Name": name,
        "Filter.1.Value.1": value,
        StartTime: start,
        NextToken: given,
      });
      expect([200, 400]).toContain(status);
      expect(awsShaped(status, body), body).toBe(true);
    }),
    { numRuns: 150 },
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(..."AQgw0+/"), async (at, put) => {
      const changed = token.slice(0, at) + put + token.slice(at + 1);
      if (changed === token) return;
      const { status, body } = await ask({ "InstanceType.1": "m5.large", NextToken: changed });
      expect([status, body]).toEqual([400, expect.stringContaining("<Code>InvalidPaginationToken</Code>")]);
    }),
    { numRuns: 100 },
  );
  expect(incidents()).toEqual([]);
});
