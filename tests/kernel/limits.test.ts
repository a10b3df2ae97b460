import { get } from "node:http";
import { expect, test } from "vitest";
import { parseRateLimit } from "../../emulators/kernel/rate-limit.ts";
import { settingsFrom } from "../../emulators/kernel/settings.ts";
import { type Example, noon, startExample } from "../support/example.ts";
import { noSecondLoopback, testUnless } from "../support/tools.ts";

const basic = (user: string) => ({ authorization: `Basic ${Buffer.from(`${user}:secret`).toString("base64")}` });
const ask = async ({ call }: Example, headers: Record<string, string> = {}) =>
  (await call("GET", "/count", undefined, headers)).status;
const times = async (n: number, action: () => Promise<number>) => {
  const seen: number[] = [];
  for (let index = 0; index < n; index += 1) seen.push(await action());
  return seen;
};

test("limits are written as count per span, several with semicolons", () => {
  expect(parseRateLimit("")).toEqual([]);
  expect(parseRateLimit("10/minute; 2 / 5 seconds")).toEqual([
    { count: 10, windowMs: 60_000, text: "10/minute" },
    { count: 2, windowMs: 5_000, text: "2/5seconds" },
  ]);
  for (const wrong of ["10", "ten/minute", "10/fortnight", "0/minute", "10/minute,5/hour"])
    expect(parseRateLimit(wrong)).toBeUndefined();
  expect(() => settingsFrom({ BACKLOT_RATE_LIMIT: "many" })).toThrow("10/minute");
});

test("past the limit the provider's own 429 says when to come back, and on the virtual clock it is so", async () => {
  const example = await startExample({ BACKLOT_RATE_LIMIT: "2/minute" });
  await example.emulator.advance(noon + 5_000);
  expect(await times(2, () => ask(example))).toEqual([200, 200]);
  await example.emulator.advance(noon + 25_500);
  const refused = await example.call("GET", "/count");
  expect(refused).toMatchObject({ status: 429, body: { note_error: "again in 40" } });
  expect(refused.headers.get("retry-after")).toBe("40");
  await example.emulator.advance(noon + 64_999);
  expect(await ask(example)).toBe(429);
  await example.emulator.advance(noon + 65_000);
  expect(await times(3, () => ask(example))).toEqual([200, 200, 429]);
  const requests = example.emulator.runtime.journal.read({ matches: (entry) => entry.kind === "request" });
  expect(requests.filter(({ data }) => data.throttled !== undefined)).toHaveLength(3);
  expect(requests[2]?.data.throttled).toMatchObject({ limit: "2/minute" });
});

test("each account has its own window; the control API has none", async () => {
  const example = await startExample({ BACKLOT_RATE_LIMIT: "1/minute" });
  expect(await times(2, () => ask(example, basic("AC1")))).toEqual([200, 429]);
  expect(await times(2, () => ask(example, basic("AC2")))).toEqual([200, 429]);
  expect(await times(2, () => ask(example, { authorization: "Bearer x" }))).toEqual([200, 429]);
  const key = (id: string) => ({
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/20250115/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=${Math.random()}`,
  });
  expect(await times(2, () => ask(example, key("AKIA1")))).toEqual([200, 429]);
  expect(await times(5, async () => (await example.call("GET", "/_backlot/clock")).status)).toEqual([
    200, 200, 200, 200, 200,
  ]);
});

testUnless(noSecondLoopback, "who sends no credential is counted by address", async () => {
  const { url } = await startExample({ BACKLOT_RATE_LIMIT: "1/minute" });
  const from = (localAddress: string) =>
    new Promise<number>((resolve, reject) =>
      get(`${url}/count`, { localAddress, agent: false }, (response) => resolve(response.resume().statusCode ?? 0)).on(
        "error",
        reject,
      ),
    );
  expect(await times(2, () => from("127.0.0.1"))).toEqual([200, 429]);
  expect(await times(2, () => from("127.0.0.2"))).toEqual([200, 429]);
});

test("of several limits the one that lasts longest is told, and a refusal uses up none", async () => {
  const example = await startExample({ BACKLOT_RATE_LIMIT: "3/hour;2/second" });
  expect(await times(4, () => ask(example))).toEqual([200, 200, 429, 429]);
  await example.emulator.advance(noon + 1_000);
  expect(await times(2, () => ask(example))).toEqual([200, 429]);
  expect((await example.call("GET", "/count")).headers.get("retry-after")).toBe("3599");
});

test("a test sets limits for all or for one account, and a reset or DELETE goes back to the setting", async () => {
  const example = await startExample();
  expect(await times(3, () => ask(example))).toEqual([200, 200, 200]);
  await example.call("PUT", "/_backlot/limits", { limit: "1/minute", accounts: { AC1: "2/minute", AC2: "" } });
  expect(await times(2, () => ask(example))).toEqual([200, 429]);
  expect(await times(3, () => ask(example, basic("AC1")))).toEqual([200, 200, 429]);
  expect(await times(3, () => ask(example, basic("AC2")))).toEqual([200, 200, 200]);
  expect((await example.call("GET", "/_backlot/limits")).body).toEqual({
    enabled: true,
    limit: "1/minute",
    accounts: { AC1: "2/minute", AC2: "" },
    configured: "",
  });
  await example.call("POST", "/_backlot/reset");
  expect(await times(2, () => ask(example))).toEqual([200, 200]);
  await example.call("PUT", "/_backlot/limits", { limit: "1/minute" });
  expect((await example.call("DELETE", "/_backlot/limits")).body).toMatchObject({ limit: "" });
  expect(await example.call("PUT", "/_backlot/limits", { limit: "lots" })).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining("body.limit") },
  });
});

test("FEATURE_RATE_LIMIT=false switches every limit off", async () => {
  const example = await startExample({ BACKLOT_RATE_LIMIT: "1/day", FEATURE_RATE_LIMIT: "false" });
  expect(await times(3, () => ask(example))).toEqual([200, 200, 200]);
});
