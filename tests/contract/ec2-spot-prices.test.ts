/** Spot prices through the official SDK. */
import { gzipSync } from "node:zlib";
import {
  DescribeSpotPriceHistoryCommand,
  type DescribeSpotPriceHistoryCommandInput,
  type EC2Client,
  paginateDescribeSpotPriceHistory,
  type SpotPrice,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { frozenAt, type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let ec2: EC2Client;
const now = new Date(frozenAt);
const dayAgo = new Date(now.getTime() - 86_400_000);

beforeAll(async () => {
  started = await startEc2();
  ec2 = started.ec2();
});
afterAll(() => started.close());

async function all(input: DescribeSpotPriceHistoryCommandInput, client = ec2): Promise<SpotPrice[]> {
  const found: SpotPrice[] = [];
  for await (const page of paginateDescribeSpotPriceHistory({ client }, input))
    found.push(...(page.SpotPriceHistory ?? []));
  return found;
}

const pool = (price: SpotPrice) => `${price.InstanceType} ${price.ProductDescription} ${price.AvailabilityZone}`;
const time = (price: SpotPrice) => price.Timestamp?.getTime() ?? 0;

test("pages of ten followed to the end are the one big page, newest first, with one earlier record a pool", async () => {
  const input = { InstanceTypes: ["m5.large" as const], ProductDescriptions: ["Linux/UNIX"], StartTime: dayAgo };
  const whole = await ec2.send(new DescribeSpotPriceHistoryCommand({ ...input, MaxResults: 1000 }));
  expect(whole.NextToken).toBe("");
  const records = whole.SpotPriceHistory ?? [];
  const first = await ec2.send(new DescribeSpotPriceHistoryCommand({ ...input, MaxResults: 10 }));
  expect(first.SpotPriceHistory).toHaveLength(Math.min(10, records.length));
  const week = { ...input, StartTime: new Date(now.getTime() - 7 * 86_400_000) };
  const paged = await all({ ...week, MaxResults: 10 });
  expect(paged.length).toBeGreaterThan(40);
  expect(paged).toEqual((await ec2.send(new DescribeSpotPriceHistoryCommand(week))).SpotPriceHistory);
  expect(paged.map(time)).toEqual(paged.map(time).sort((left, right) => right - left));
  const earlier = paged.filter((price) => time(price) <= week.StartTime.getTime());
  expect(earlier.map(pool).sort()).toEqual([...new Set(paged.map(pool))].sort());
});

test("StartTime now gives the current price of each pool of the region", async () => {
  const prices = await all({ StartTime: now, ProductDescriptions: ["Linux/UNIX"] });
  expect(prices.length).toBeGreaterThan(3000);
  expect(new Set(prices.map(pool)).size).toBe(prices.length);
  expect(prices.every((price) => time(price) <= now.getTime() && time(price) > now.getTime() - 86_405_000)).toBe(true);
  const history = await all({ InstanceTypes: ["c5.xlarge"], ProductDescriptions: ["Linux/UNIX"] });
  const current = prices.filter((price) => price.InstanceType === "c5.xlarge");
  for (const price of current) expect(history.find((other) => pool(other) === pool(price))).toEqual(price);
});

test("records look as EC2's do", async () => {
  const { SpotPriceHistory: [price] = [] } = await ec2.send(
    new DescribeSpotPriceHistoryCommand({ InstanceTypes: ["m5.large"], AvailabilityZone: "us-east-1a", MaxResults: 1 }),
  );
  expect(price?.SpotPrice).toMatch(/^0\.\d{4}00$/);
  expect(price).toMatchObject({
    InstanceType: "m5.large",
    AvailabilityZone: "us-east-1a",
    AvailabilityZoneId: "use1-az1",
  });
});

test("filters join with and, their values with or; wildcards on the price", async () => {
  const found = await all({
    StartTime: dayAgo,
    Filters: [
      { Name: "instance-type", Values: ["m5.large", "c5.large"] },
      { Name: "availability-zone-id", Values: ["use1-az1", "use1-az2"] },
      { Name: "product-description", Values: ["Windows (Amazon VPC)"] },
    ],
  });
  expect(new Set(found.map((price) => price.InstanceType))).toEqual(new Set(["m5.large", "c5.large"]));
  expect(new Set(found.map((price) => price.AvailabilityZoneId))).toEqual(new Set(["use1-az1", "use1-az2"]));
  expect(new Set(found.map((price) => price.ProductDescription))).toEqual(new Set(["Windows"]));
  const [one] = found;
  const priced = await all({
    InstanceTypes: ["m5.large", "c5.large"],
    Filters: [{ Name: "spot-price", Values: [`${one?.SpotPrice?.slice(0, 5)}*`] }],
  });
  expect(priced.length).toBeGreaterThan(0);
  expect(priced.every((price) => price.SpotPrice?.startsWith(one?.SpotPrice?.slice(0, 5) ?? "?"))).toBe(true);
  const iso = one?.Timestamp?.toISOString() ?? "";
  const timed = await all({
    InstanceTypes: ["m5.large", "c5.large"],
    StartTime: dayAgo,
    Filters: [{ Name: "timestamp", Values: [iso] }],
  });
  expect(timed.some((price) => price.Timestamp?.toISOString() === iso)).toBe(true);
});

test("arm64 has no Windows, an unknown type nothing, and nothing is an empty list", async () => {
  for (const input of [
    { InstanceTypes: ["m6g.large" as const], ProductDescriptions: ["Windows"] },
    { Filters: [{ Name: "instance-type", Values: ["m5.nope"] }] },
  ]) {
    const answer = await ec2.send(new DescribeSpotPriceHistoryCommand(input));
    expect(answer.SpotPriceHistory).toEqual([]);
    expect(answer.NextToken).toBe("");
  }
});

test("what is wrong is refused in EC2's words", async () => {
  const refused = async (input: DescribeSpotPriceHistoryCommandInput) =>
    ec2.send(new DescribeSpotPriceHistoryCommand(input)).then(
      () => "answered",
      (cause: Error & { $metadata?: { httpStatusCode?: number } }) =>
        `${cause.name} ${cause.$metadata?.httpStatusCode}`,
    );
  expect(await refused({ DryRun: true })).toBe("DryRunOperation 412");
  expect(await refused({ MaxResults: 0 })).toBe("InvalidParameterValue 400");
  expect(await refused({ AvailabilityZone: "us-east-1z" })).toBe("InvalidParameterValue 400");
  expect(await refused({ AvailabilityZone: "us-east-1a", AvailabilityZoneId: "use1-az1" })).toBe(
    "InvalidParameterCombination 400",
  );
  expect(await refused({ Filters: [{ Name: "nope", Values: ["x"] }] })).toBe("InvalidParameterValue 400");
  expect(await refused({ StartTime: now, EndTime: dayAgo })).toBe("InvalidParameterValue 400");
  const first = await ec2.send(new DescribeSpotPriceHistoryCommand({ MaxResults: 5 }));
  const token = first.NextToken ?? "";
  const changed = `${token.slice(0, 30)}${token[30] === "x" ? "y" : "x"}${token.slice(31)}`;
  expect(await refused({ MaxResults: 5, NextToken: changed })).toBe("InvalidPaginationToken 400");
  expect(await refused({ MaxResults: 5, NextToken: token, InstanceTypes: ["m5.large"] })).toBe(
    "InvalidPaginationToken 400",
  );
  expect(await refused({ MaxResults: 7, NextToken: token })).toBe("answered");
});

test("an unknown action, a missing one and a parameter that does not exist are refused in XML", async () => {
  const unknown = await started.query({ Action: "DescribeNothing", Version: "2016-11-15" });
  expect(unknown.status).toBe(400);
  expect(unknown.body).toContain("<Code>InvalidAction</Code>");
  expect(unknown.body).toContain(`<RequestID>${unknown.headers.get("x-amzn-requestid")}</RequestID>`);
  expect((await started.query({ Version: "2016-11-15" })).body).toContain("<Code>MissingAction</Code>");
  expect((await started.query({ Action: "DescribeRegions", Colour: "red" })).body).toContain(
    "<Code>UnknownParameter</Code>",
  );
  expect((await started.query({ Action: "<&>" })).body).toContain("The action &lt;&amp;&gt; is not valid");
  const lost = await fetch(`${started.url}/elsewhere`);
  expect([lost.status, await lost.text()]).toEqual([404, expect.stringContaining("<Response><Errors>")]);
  const wrong = await fetch(started.url, { method: "PUT" });
  expect([wrong.status, await wrong.text()]).toEqual([405, expect.stringContaining("<Code>MethodNotAllowed</Code>")]);
});

test("a query may come in the URL, or gzipped", async () => {
  const asked = "Action=DescribeSpotPriceHistory&Version=2016-11-15&InstanceType.1=m5.large&MaxResults=2";
  const bare = async (answer: Promise<Response>) =>
    (await (await answer).text()).replace(/<requestId>.*<\/requestId>|<nextToken>.*<\/nextToken>/g, "");
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const form = await bare(fetch(started.url, { method: "POST", headers: type, body: asked }));
  expect(form).toContain("<spotPrice>");
  expect(await bare(fetch(`${started.url}/?${asked}`))).toBe(form);
  const packed = { method: "POST", headers: { ...type, "content-encoding": "gzip" }, body: gzipSync(asked) };
  expect(await bare(fetch(started.url, packed))).toBe(form);
  const broken = await fetch(started.url, { ...packed, body: asked });
  expect([broken.status, await broken.text()]).toEqual([
    400,
    expect.stringContaining("<Code>MalformedQueryString</Code>"),
  ]);
});

test("two starts give the same bytes but for request ids, and another seed does not", async () => {
  const again = await startEc2();
  const other = await startEc2({ BACKLOT_SEED: "other" });
  const asked = {
    Action: "DescribeSpotPriceHistory",
    Version: "2016-11-15",
    "InstanceType.1": "r5.large",
    MaxResults: "200",
  };
  const bytes = async (of: Started) => (await of.query(asked)).body.replace(/<requestId>.*<\/requestId>/, "");
  const [one, two, three] = await Promise.all([bytes(started), bytes(again), bytes(other)]);
  expect(two).toBe(one);
  expect(three).not.toBe(one);
  expect(again.emulator.digest()).toBe(started.emulator.digest());
  expect(again.emulator.environment().AWS_SECRET_ACCESS_KEY).toBe(started.user.secretAccessKey);
  await Promise.all([again.close(), other.close()]);
});

test("a frozen clock shows no future: wall-clock arguments mean now, and time that is moved brings new records", async () => {
  const own = await startEc2();
  const client = own.ec2();
  const ask = () => all({ InstanceTypes: ["m5.large"], StartTime: new Date("2031-01-01T00:00:00Z") }, client);
  const before = await ask();
  expect(new Set(before.map(pool)).size).toBe(before.length);
  expect(before.every((price) => time(price) <= now.getTime())).toBe(true);
  await own.emulator.advance(now.getTime() + 2 * 86_400_000);
  const after = await ask();
  expect(after.map(pool).sort()).toEqual(before.map(pool).sort());
  expect(after.every((price) => time(price) > now.getTime())).toBe(true);
  await own.close();
});
