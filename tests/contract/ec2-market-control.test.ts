/** What the console draws of the market, against what the official client reads of it. */
import {
  DescribeImagesCommand,
  DescribeSpotPriceHistoryCommand,
  RequestSpotInstancesCommand,
  type SpotPrice,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { frozenAt, type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
beforeAll(async () => {
  started = await startEc2();
});
afterAll(() => started.close());

interface Path {
  readonly from: string;
  readonly onDemand: number;
  readonly advice: { readonly savings: number; readonly interruption: string };
  readonly zones: readonly { readonly id: string; readonly name: string; readonly points: [number, number][] }[];
}

const read = async (path: string) => fetch(`${started.url}/_backlot/ec2-spot/${path}`);

test.each([
  ["m5.large", "Linux/UNIX", 1],
  ["c6i.xlarge", "Windows", 7],
  ["r5.2xlarge", "Red Hat Enterprise Linux", 90],
])("the path of %s, %s, over %s days is the client's price history", async (type, product, days) => {
  const query = new URLSearchParams({ type, product, days: String(days) });
  const path = (await (await read(`prices?${query}`)).json()) as Path;
  const history: SpotPrice[] = [];
  let token: string | undefined;
  do {
    const page = await started.ec2().send(
      new DescribeSpotPriceHistoryCommand({
        InstanceTypes: [type as "m5.large"],
        ProductDescriptions: [product],
        StartTime: new Date(path.from),
        ...(token ? { NextToken: token } : {}),
      }),
    );
    history.push(...(page.SpotPriceHistory ?? []));
    token = page.NextToken;
  } while (token);
  expect(path.zones.length).toBeGreaterThan(2);
  for (const zone of path.zones) {
    const records = history.filter((one) => one.AvailabilityZone === zone.name).reverse();
    expect(zone.points.map(([, price]) => price)).toEqual(records.map((one) => Number(one.SpotPrice)));
    // The first record is older than the window; the path gives it at the window's edge.
    expect(zone.points.slice(1).map(([at]) => at * 1000)).toEqual(
      records.slice(1).map((one) => one.Timestamp?.getTime()),
    );
    expect(zone.points[0]?.[0]).toBe(Date.parse(path.from) / 1000);
    expect(Math.max(...zone.points.map(([, price]) => price))).toBeLessThanOrEqual(path.onDemand);
  }
  expect(Date.parse(frozenAt) - Date.parse(path.from)).toBe(days * 86_400_000);
});

test("savings and interruption are the Spot Advisor's", async () => {
  const { advice } = (await (await read("prices?type=m5.large")).json()) as Path;
  const document = (await (await fetch(`${started.url}/spot-advisor-data.json`)).json()) as {
    ranges: { label: string }[];
    spot_advisor: Record<string, Record<string, Record<string, { s: number; r: number }>>>;
  };
  const published = document.spot_advisor["us-east-1"]?.Linux?.["m5.large"];
  expect(advice).toEqual({ savings: published?.s, interruption: document.ranges[published?.r ?? -1]?.label });
});

test("what is asked wrongly is refused by name", async () => {
  expect((await read("prices?type=m5.huge")).status).toBe(404);
  expect((await read("prices?type=m5.large&days=91")).status).toBe(400);
  expect((await read("markets?region=moon-1")).status).toBe(404);
  const markets = (await (await read("markets?region=eu-west-1")).json()) as { types: { name: string }[] };
  expect(markets.types.map(({ name }) => name)).toContain("m5.large");
});

test("spot requests are listed with their instance, tags and limits", async () => {
  const { Images = [] } = await started
    .ec2()
    .send(new DescribeImagesCommand({ Filters: [{ Name: "name", Values: ["al2023*x86_64"] }] }));
  const made = await started.ec2().send(
    new RequestSpotInstancesCommand({
      SpotPrice: "0.08",
      LaunchSpecification: { ImageId: Images[0]?.ImageId, InstanceType: "m5.large" },
      TagSpecifications: [{ ResourceType: "spot-instances-request", Tags: [{ Key: "Name", Value: "<b>render</b>" }] }],
    }),
  );
  const id = made.SpotInstanceRequests?.[0]?.SpotInstanceRequestId;
  const { requests } = (await (await read("requests")).json()) as { requests: Record<string, unknown>[] };
  expect(requests.find((request) => request.id === id)).toMatchObject({
    region: "us-east-1",
    instanceType: "m5.large",
    maxPrice: 0.08,
    tags: [{ key: "Name", value: "<b>render</b>" }],
  });
});
