/** Accounts with quotas of vCPUs: what runs over is refused in every way to ask. */
import {
  CreateFleetCommand,
  CreateLaunchTemplateCommand,
  DescribeImagesCommand,
  type EC2Client,
  RequestSpotInstancesCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { frozenAt, type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let ec2: EC2Client;
let image = "";
beforeAll(async () => {
  started = await startEc2({ BACKLOT_PACE: "1" });
  ec2 = started.ec2();
  const answer = await fetch(`${started.url}/_backlot/seed`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      accounts: [{ id: "111122223333", users: [{ name: "backlot" }], quotas: { spotVcpus: 8, onDemandVcpus: 4 } }],
    }),
  });
  expect(answer.status).toBe(200);
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ Filters: [{ Name: "name", Values: ["al2023*x86_64"] }] }),
  );
  image = Images[0]?.ImageId ?? "";
});
afterAll(() => started.close());

const told = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    (cause: Error) => `${cause.name}: ${cause.message}`,
  );
const run = async (count: number, extra: Partial<RunInstancesCommandInput> = {}) =>
  (
    await ec2.send(
      new RunInstancesCommand({
        ImageId: image,
        InstanceType: "m5.large",
        MinCount: count,
        MaxCount: count,
        ...extra,
      }),
    )
  ).Instances?.map(({ InstanceId = "" }) => InstanceId) ?? [];
const spot = { InstanceMarketOptions: { MarketType: "spot" } } as const;

test("on demand: what runs and what is asked for stay within the quota", async () => {
  expect(await told(run(3))).toBe(
    "VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 4 allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
  );
  const ids = await run(2);
  expect(await told(run(1))).toMatch(/^VcpuLimitExceeded/);
  await ec2.send(new StopInstancesCommand({ InstanceIds: ids }));
  await started.emulator.advance(Date.parse(frozenAt) + 120_000);
  const [other = ""] = await run(1);
  expect(await told(ec2.send(new StartInstancesCommand({ InstanceIds: ids })))).toMatch(/^VcpuLimitExceeded/);
  expect(await told(ec2.send(new StartInstancesCommand({ InstanceIds: ids.slice(1) })))).toBe("answered");
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [...ids, other] }));
  expect(await told(run(1))).toBe("answered");
});

test("spot: open requests count as well", async () => {
  const request = (InstanceCount: number, SpotPrice?: string) =>
    ec2.send(
      new RequestSpotInstancesCommand({
        InstanceCount,
        SpotPrice,
        LaunchSpecification: { ImageId: image, InstanceType: "m5.large" },
      }),
    );
  expect(await told(request(5))).toBe("MaxSpotInstanceCountExceeded: Max spot instance count exceeded");
  expect(await told(request(2, "0.001"))).toBe("answered");
  expect(await told(run(3, spot))).toMatch(/^MaxSpotInstanceCountExceeded/);
  expect(await told(run(1, spot))).toBe("answered");
});

test("a fleet launches what is allowed and says what was not; spot does not make up for the rest", async () => {
  await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: "base",
      LaunchTemplateData: { ImageId: image, InstanceType: "m5.large" },
    }),
  );
  const fleet = await ec2.send(
    new CreateFleetCommand({
      Type: "instant",
      LaunchTemplateConfigs: [{ LaunchTemplateSpecification: { LaunchTemplateName: "base" } }],
      TargetCapacitySpecification: {
        TotalTargetCapacity: 5,
        OnDemandTargetCapacity: 3,
        DefaultTargetCapacityType: "spot",
      },
    }),
  );
  const launched = fleet.Instances?.map(({ Lifecycle, InstanceIds = [] }) => [Lifecycle, InstanceIds.length]);
  expect(launched).toEqual([
    ["on-demand", 1],
    ["spot", 1],
  ]);
  expect(fleet.Errors?.map(({ ErrorCode, Lifecycle }) => [Lifecycle, ErrorCode])).toEqual([
    ["on-demand", "VcpuLimitExceeded"],
    ["spot", "MaxSpotInstanceCountExceeded"],
  ]);
});
