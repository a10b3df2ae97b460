/** Regions, zones and instance types through the official SDK. */
import {
  DescribeAvailabilityZonesCommand,
  DescribeInstanceTypesCommand,
  type DescribeInstanceTypesCommandInput,
  DescribeRegionsCommand,
  type EC2Client,
  paginateDescribeInstanceTypes,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let ec2: EC2Client;
beforeAll(async () => {
  started = await startEc2();
  ec2 = started.ec2();
});
afterAll(() => started.close());

const nameOf = (cause: unknown) => (cause instanceof Error ? `${cause.name}: ${cause.message}` : "");

test("regions: the enabled ones, all of them, by name and by filter", async () => {
  const enabled = (await ec2.send(new DescribeRegionsCommand({}))).Regions ?? [];
  expect(enabled).toHaveLength(17);
  const all = (await ec2.send(new DescribeRegionsCommand({ AllRegions: true }))).Regions ?? [];
  expect(all.filter((region) => region.OptInStatus === "not-opted-in").length).toBe(all.length - 17);
  const some = await ec2.send(new DescribeRegionsCommand({ Filters: [{ Name: "region-name", Values: ["eu-*"] }] }));
  expect(some.Regions?.map((region) => region.RegionName)).toEqual([
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
  ]);
  expect((await ec2.send(new DescribeRegionsCommand({ RegionNames: ["us-east-2"] }))).Regions?.[0]?.Endpoint).toBe(
    "ec2.us-east-2.amazonaws.com",
  );
  expect(await ec2.send(new DescribeRegionsCommand({ RegionNames: ["us-nowhere-1"] })).catch(nameOf)).toContain(
    "InvalidParameterValue",
  );
});

test("zones of the region that the request was signed for", async () => {
  const zones =
    (await started.ec2({ region: "ca-central-1" }).send(new DescribeAvailabilityZonesCommand({}))).AvailabilityZones ??
    [];
  expect(zones.map((zone) => [zone.ZoneName, zone.ZoneId])).toEqual([
    ["ca-central-1a", "cac1-az1"],
    ["ca-central-1b", "cac1-az2"],
    ["ca-central-1d", "cac1-az4"],
  ]);
  expect(zones[0]).toMatchObject({
    State: "available",
    OptInStatus: "opt-in-not-required",
    Messages: [],
    GroupName: "ca-central-1-zg-1",
  });
  const one = await ec2.send(new DescribeAvailabilityZonesCommand({ ZoneIds: ["use1-az6"] }));
  expect(one.AvailabilityZones?.map((zone) => zone.ZoneName)).toEqual(["us-east-1f"]);
  expect(await ec2.send(new DescribeAvailabilityZonesCommand({ ZoneNames: ["us-east-1z"] })).catch(nameOf)).toBe(
    "InvalidParameterValue: Invalid availability zone: [us-east-1z]",
  );
});

test("a region that is not enabled and one that does not exist are refused", async () => {
  expect(
    await started.ec2({ region: "af-south-1" }).send(new DescribeAvailabilityZonesCommand({})).catch(nameOf),
  ).toContain("OptInRequired");
  expect(
    await started.ec2({ region: "mars-north-1" }).send(new DescribeAvailabilityZonesCommand({})).catch(nameOf),
  ).toContain("AuthFailure");
});

test("instance types by name, wildcard and page", async () => {
  const large = await ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: ["m5.large", "m6g.large"] }));
  expect(
    large.InstanceTypes?.map((type) => [
      type.InstanceType,
      type.VCpuInfo?.DefaultVCpus,
      type.MemoryInfo?.SizeInMiB,
      type.ProcessorInfo?.SupportedArchitectures,
    ]),
  ).toEqual([
    ["m5.large", 2, 8192, ["x86_64"]],
    ["m6g.large", 2, 8192, ["arm64"]],
  ]);
  const c5 = await ec2.send(
    new DescribeInstanceTypesCommand({ Filters: [{ Name: "instance-type", Values: ["c5.*"] }] }),
  );
  expect(c5.InstanceTypes?.map((type) => type.InstanceType)).toEqual([
    "c5.12xlarge",
    "c5.18xlarge",
    "c5.24xlarge",
    "c5.2xlarge",
    "c5.4xlarge",
    "c5.9xlarge",
    "c5.large",
    "c5.metal",
    "c5.xlarge",
  ]);
  expect(c5.NextToken).toBeUndefined();
  const paged: string[] = [];
  const filters = [
    { Name: "supported-usage-class", Values: ["spot"] },
    { Name: "processor-info.supported-architecture", Values: ["arm64"] },
  ];
  for await (const page of paginateDescribeInstanceTypes({ client: ec2, pageSize: 50 }, { Filters: filters })) {
    expect(page.InstanceTypes?.length).toBeLessThanOrEqual(50);
    paged.push(...(page.InstanceTypes ?? []).map((type) => type.InstanceType ?? ""));
  }
  expect(paged.length).toBeGreaterThan(150);
  expect(new Set(paged).size).toBe(paged.length);
});

test("what is wrong with a request for types is told", async () => {
  const refused = (input: DescribeInstanceTypesCommandInput) =>
    ec2.send(new DescribeInstanceTypesCommand(input)).catch(nameOf);
  expect(await refused({ Filters: [{ Name: "nope", Values: ["x"] }] })).toBe(
    "InvalidParameterValue: The filter 'nope' is invalid",
  );
  expect(await refused({ MaxResults: 3 })).toBe(
    "InvalidParameterValue: Value ( 3 ) for parameter maxResults is invalid. Expecting a value greater than 5.",
  );
  expect(await refused({ DryRun: true })).toContain("DryRunOperation");
  expect(await refused({ NextToken: "nonsense" })).toContain("InvalidPaginationToken");
  const unknown = await started.query({
    Action: "DescribeInstanceTypes",
    Version: "2016-11-15",
    "InstanceType.1": "m5.nope",
  });
  expect(unknown.body).toContain(
    "<Code>InvalidInstanceType</Code><Message>The following supplied instance types do not exist: [m5.nope]</Message>",
  );
});
