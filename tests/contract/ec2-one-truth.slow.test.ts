/** What prices, the Spot Advisor and the lives of instances say of the market is one truth; two processes tell the same. */
import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSpotPriceHistoryCommand,
  paginateDescribeSpotInstanceRequests,
  RequestSpotInstancesCommand,
} from "@aws-sdk/client-ec2";
import { expect, onTestFinished, test } from "vitest";
import { freePorts, start } from "../support/command.ts";
import { frozenAt, startEc2 } from "./ec2-start.ts";

interface Advisor {
  readonly spot_advisor: Record<string, Record<string, Record<string, { readonly s: number; readonly r: number }>>>;
}

test("a thousand instances live for a month: as many are taken as the Spot Advisor says of their types", async () => {
  const started = await startEc2();
  onTestFinished(() => started.close());
  const ec2 = started.ec2();
  const now = () => started.emulator.runtime.clock.now();
  const found = await ec2.send(
    new DescribeImagesCommand({ Owners: ["amazon"], Filters: [{ Name: "name", Values: ["al2023*x86_64"] }] }),
  );
  const image = found.Images?.[0]?.ImageId;
  const document = (await (await fetch(`${started.url}/spot-advisor-data.json`)).json()) as Advisor;
  const advice = document.spot_advisor["us-east-1"]?.Linux ?? {};
  const current = await ec2.send(
    new DescribeSpotPriceHistoryCommand({
      StartTime: new Date(now()),
      ProductDescriptions: ["Linux/UNIX"],
      MaxResults: 10_000,
    }),
  );
  // Many pools, for the instances of one pool share its good and bad weeks.
  const wanted = [0, 2, 4].map((bucket) => ({
    each: bucket === 4 ? 4 : 3,
    pools: (current.SpotPriceHistory ?? [])
      .filter(({ InstanceType = "" }) => advice[InstanceType]?.r === bucket && /\.\d*x?large$/.test(InstanceType))
      .filter(({ InstanceType = "" }) => !/^(\w+g\w*|a1)\./.test(InstanceType))
      .slice(0, 100),
    requests: new Set<string>(),
  }));
  for (const { each, pools, requests } of wanted)
    for (const { InstanceType, AvailabilityZone } of pools) {
      const answer = await ec2.send(
        new RequestSpotInstancesCommand({
          InstanceCount: each,
          LaunchSpecification: { ImageId: image, InstanceType, Placement: { AvailabilityZone } },
        }),
      );
      for (const { SpotInstanceRequestId = "" } of answer.SpotInstanceRequests ?? [])
        requests.add(SpotInstanceRequestId);
    }
  expect(wanted.reduce((sum, { requests }) => sum + requests.size, 0)).toBe(1_000);
  const month = now() + 720 * 3_600_000;
  const fates = new Map<string, string>();
  // Requests that ended are shown for four hours.
  while (now() < month) {
    await started.emulator.advance(now() + 3 * 3_600_000);
    for await (const page of paginateDescribeSpotInstanceRequests(
      { client: ec2 },
      { Filters: [{ Name: "state", Values: ["closed"] }], MaxResults: 1000 },
    ))
      for (const { SpotInstanceRequestId = "", Status } of page.SpotInstanceRequests ?? [])
        fates.set(SpotInstanceRequestId, Status?.Code ?? "");
  }
  expect(new Set(fates.values())).toEqual(new Set(["instance-terminated-no-capacity"]));
  const shares = wanted.map(({ requests }) => [...requests].filter((id) => fates.has(id)).length / requests.size);
  expect(shares[0]).toBeLessThan(0.06);
  expect(shares[1]).toBeGreaterThan(0.06);
  expect(shares[1]).toBeLessThan(0.2);
  expect(shares[2]).toBeGreaterThan(0.2);
  expect(shares[2]).toBeLessThan(0.45);
  const living = await ec2.send(
    new DescribeInstancesCommand({ Filters: [{ Name: "instance-state-name", Values: ["running"] }] }),
  );
  const running = (living.Reservations ?? []).flatMap(({ Instances = [] }) => Instances).length;
  expect(running).toBeLessThanOrEqual(wanted.reduce((sum, { requests }) => sum + requests.size, 0) - fates.size);
});

const query = (parameters: Record<string, string>) =>
  new URLSearchParams({ Version: "2016-11-15", ...parameters }).toString();
const form = { "content-type": "application/x-www-form-urlencoded" };
const asked: readonly (readonly [path: string, init: RequestInit])[] = [
  ...[
    query({ Action: "DescribeSpotPriceHistory", StartTime: frozenAt, MaxResults: "20000" }),
    query({ Action: "DescribeSpotPriceHistory", "InstanceType.1": "m5.large", MaxResults: "5000" }),
    query({ Action: "DescribeInstanceTypes" }),
    query({ Action: "DescribeImages" }),
    query({
      Action: "GetSpotPlacementScores",
      TargetCapacity: "3",
      "InstanceType.1": "m5.large",
      "InstanceType.2": "c5.large",
      "InstanceType.3": "r5.large",
      "RegionName.1": "us-east-1",
    }),
    query({ Action: "RunInstances", ImageId: "IMAGE", InstanceType: "m5.large", MinCount: "2", MaxCount: "2" }),
    query({ Action: "DescribeInstances" }),
  ].map((body) => ["/", { method: "POST", headers: form, body }] as const),
  ["/spot-advisor-data.json", {}],
  [
    "/",
    {
      method: "POST",
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSPriceListService.GetProducts" },
      body: JSON.stringify({ ServiceCode: "AmazonEC2", MaxResults: 100 }),
    },
  ],
];

test("two processes with one seed answer with the same bytes but for request ids", async () => {
  const tell = async (order: readonly number[]) => {
    const env = { ...freePorts, BACKLOT_ONLY: "ec2-spot", BACKLOT_CLOCK: `frozen@${frozenAt}`, BACKLOT_SEED: "twice" };
    const backlot = start(["up", "--json"], { env });
    const { services } = JSON.parse(await backlot.line());
    const url: string = services["ec2-spot"].url;
    const image = /ami-[0-9a-f]{17}/.exec(await (await fetch(`${url}/?${query({ Action: "DescribeImages" })}`)).text());
    const told: string[] = [];
    for (const index of order) {
      const [path, init] = asked[index] ?? ["/", {}];
      const body = typeof init.body === "string" ? { body: init.body.replace("IMAGE", image?.[0] ?? "") } : {};
      const answer = await fetch(url + path, { ...init, ...body });
      expect(answer.status).toBe(200);
      told[index] = (await answer.text()).replace(/<requestId>[^<]*<\/requestId>/, "");
    }
    backlot.child.kill("SIGTERM");
    await backlot.finished;
    return told;
  };
  const order = asked.map((_, index) => index);
  const first = await tell(order);
  // What was asked before changes no price, so all that only reads may be asked in another order.
  const second = await tell([8, 7, 4, 3, 2, 1, 0, 5, 6]);
  for (const index of order) expect(second[index], asked[index]?.[1].body?.toString()).toBe(first[index]);
  expect(first[0]?.split("<item>").length).toBeGreaterThan(15_000);
});
