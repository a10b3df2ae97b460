/** Instances, images and spot requests through the official SDK, on a clock that stands still until it is told. */
import {
  CancelSpotInstanceRequestsCommand,
  CreateImageCommand,
  CreateTagsCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeSpotInstanceRequestsCommand,
  DescribeSpotPriceHistoryCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  type EC2Client,
  RebootInstancesCommand,
  RequestSpotInstancesCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let ec2: EC2Client;
beforeEach(async () => {
  started = await startEc2({ BACKLOT_PACE: "1" });
  ec2 = started.ec2();
});
afterEach(() => started.close());

const advance = (seconds: number) =>
  started.emulator.advance(started.emulator.runtime.clock.now() + Math.round(seconds * 1000));
const told = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    (cause: Error) => `${cause.name}: ${cause.message}`,
  );

async function linuxImage(architecture = "x86_64"): Promise<string> {
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({
      Owners: ["amazon"],
      Filters: [
        { Name: "name", Values: ["al2023-ami-2023*"] },
        { Name: "architecture", Values: [architecture] },
      ],
    }),
  );
  return Images[0]?.ImageId ?? "";
}

async function one(id: string) {
  const answer = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return answer.Reservations?.[0]?.Instances?.[0];
}

async function request(id: string) {
  const answer = await ec2.send(new DescribeSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [id] }));
  return answer.SpotInstanceRequests?.[0];
}

async function run(extra: Partial<ConstructorParameters<typeof RunInstancesCommand>[0]> = {}) {
  const answer = await ec2.send(
    new RunInstancesCommand({
      ImageId: await linuxImage(),
      InstanceType: "m5.large",
      MinCount: 1,
      MaxCount: 1,
      ...extra,
    }),
  );
  return answer.Instances?.[0]?.InstanceId ?? "";
}

test("an instance is pending, runs, passes its checks, stops, starts and ends", async () => {
  const id = await run({
    TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "Name", Value: "a <b> & c" }] }],
  });
  expect(id).toMatch(/^i-[0-9a-f]{17}$/);
  expect((await one(id))?.State).toEqual({ Code: 0, Name: "pending" });
  expect((await ec2.send(new DescribeInstanceStatusCommand({ InstanceIds: [id] }))).InstanceStatuses).toEqual([]);
  await advance(20);
  expect(await one(id)).toMatchObject({
    State: { Code: 16, Name: "running" },
    InstanceType: "m5.large",
    Placement: { AvailabilityZone: expect.stringMatching(/^us-east-1[a-f]$/) },
    Tags: [{ Key: "Name", Value: "a <b> & c" }],
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda" }],
    SecurityGroups: [{ GroupName: "default" }],
    PrivateIpAddress: expect.stringMatching(/^172\.31\./),
  });
  const status = async () =>
    (await ec2.send(new DescribeInstanceStatusCommand({ InstanceIds: [id] }))).InstanceStatuses?.[0];
  expect((await status())?.InstanceStatus).toEqual({
    Status: "initializing",
    Details: [{ Name: "reachability", Status: "initializing" }],
  });
  await advance(180);
  expect(await status()).toMatchObject({ InstanceStatus: { Status: "ok" }, SystemStatus: { Status: "ok" } });
  await ec2.send(new RebootInstancesCommand({ InstanceIds: [id] }));
  expect((await status())?.InstanceStatus?.Status).toBe("initializing");
  const stopping = await ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
  expect(stopping.StoppingInstances?.[0]).toMatchObject({
    CurrentState: { Name: "stopping" },
    PreviousState: { Name: "running" },
  });
  await advance(40);
  expect((await one(id))?.State?.Name).toBe("stopped");
  await ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
  await advance(20);
  expect((await one(id))?.State?.Name).toBe("running");
  const volumes = await ec2.send(new DescribeVolumesCommand({}));
  expect(volumes.Volumes).toHaveLength(1);
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  const again = await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  expect(again.TerminatingInstances?.[0]?.CurrentState?.Name).toBe("shutting-down");
  await advance(45);
  expect(await one(id)).toMatchObject({
    State: { Name: "terminated" },
    StateReason: { Code: "Client.UserInitiatedShutdown" },
    StateTransitionReason: expect.stringMatching(/^User initiated \(2026-11-20 10:\d\d:\d\d GMT\)$/),
  });
  expect((await ec2.send(new DescribeVolumesCommand({}))).Volumes).toEqual([]);
  await advance(3600);
  expect(await told(one(id))).toBe(`InvalidInstanceID.NotFound: The instance ID '${id}' does not exist`);
});

test("one bad id fails the whole call, and a repeated client token changes nothing", async () => {
  const token = { ClientToken: "same" };
  const id = await run(token);
  expect(await run(token)).toBe(id);
  expect(await told(run({ ...token, InstanceType: "m5.xlarge" }))).toContain("IdempotentParameterMismatch");
  expect(await told(ec2.send(new StopInstancesCommand({ InstanceIds: [id, "i-00000000000000000"] })))).toBe(
    "InvalidInstanceID.NotFound: The instance ID 'i-00000000000000000' does not exist",
  );
  expect((await one(id))?.State?.Name).toBe("pending");
  expect(await told(run({ ImageId: "ami-00000000000000000" }))).toBe(
    "InvalidAMIID.NotFound: The image id '[ami-00000000000000000]' does not exist",
  );
  expect(await told(run({ InstanceType: "m5.nope" as "m5.large" }))).toBe(
    "InvalidParameterValue: Invalid value 'm5.nope' for InstanceType.",
  );
  expect(await told(run({ InstanceType: "m6g.large" }))).toContain("InvalidParameterValue: The architecture 'arm64'");
  expect(await told(run({ Placement: { AvailabilityZone: "us-east-1z" } }))).toBe(
    "InvalidParameterValue: Invalid availability zone: [us-east-1z]",
  );
  expect(await told(run({ DryRun: true }))).toContain("DryRunOperation");
});

test("the whole switch: image, spot request in a zone, fulfilled, checked, the old one ends", async () => {
  const old = await run();
  await advance(200);
  const { ImageId = "" } = await ec2.send(
    new CreateImageCommand({ InstanceId: old, Name: "switch-1", NoReboot: true }),
  );
  const image = async () => (await ec2.send(new DescribeImagesCommand({ ImageIds: [ImageId] }))).Images?.[0];
  expect(await image()).toMatchObject({ State: "pending", Name: "switch-1", SourceInstanceId: old });
  const asked = { ImageId, InstanceType: "m5.large" as const, Placement: { AvailabilityZone: "us-east-1b" } };
  expect(await told(ec2.send(new RequestSpotInstancesCommand({ LaunchSpecification: asked })))).toContain(
    "InvalidAMIID.Unavailable",
  );
  expect(await told(ec2.send(new CreateImageCommand({ InstanceId: old, Name: "switch-1" })))).toContain(
    "InvalidAMIName.Duplicate",
  );
  await advance(60 + 6 * 8);
  expect((await image())?.State).toBe("available");
  const snapshots = (await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }))).Snapshots ?? [];
  expect(snapshots.map(({ State, Progress }) => [State, Progress])).toEqual([["completed", "100%"]]);
  const answer = await ec2.send(
    new RequestSpotInstancesCommand({
      LaunchSpecification: asked,
      TagSpecifications: [{ ResourceType: "spot-instances-request", Tags: [{ Key: "job", Value: "switch" }] }],
    }),
  );
  const [made] = answer.SpotInstanceRequests ?? [];
  expect(made).toMatchObject({
    State: "open",
    Status: { Code: "pending-evaluation" },
    SpotPrice: "0.096000",
    Type: "one-time",
    InstanceInterruptionBehavior: "terminate",
    ProductDescription: "Linux/UNIX",
    Tags: [{ Key: "job", Value: "switch" }],
  });
  expect(made?.SpotInstanceRequestId).toMatch(/^sir-[a-z0-9]{8}$/);
  const id = made?.SpotInstanceRequestId ?? "";
  await advance(1);
  expect((await request(id))?.Status?.Code).toBe("pending-fulfillment");
  await advance(2);
  const fulfilled = await request(id);
  expect(fulfilled).toMatchObject({
    State: "active",
    Status: { Code: "fulfilled", Message: "Your spot request is fulfilled." },
    LaunchedAvailabilityZone: "us-east-1b",
  });
  const next = fulfilled?.InstanceId ?? "";
  expect(await one(next)).toMatchObject({
    InstanceLifecycle: "spot",
    SpotInstanceRequestId: id,
    Placement: { AvailabilityZone: "us-east-1b" },
    ImageId,
    State: { Name: "pending" },
  });
  await advance(200);
  const status = await ec2.send(new DescribeInstanceStatusCommand({ InstanceIds: [next] }));
  expect(status.InstanceStatuses?.[0]?.InstanceStatus?.Status).toBe("ok");
  expect(await told(ec2.send(new StopInstancesCommand({ InstanceIds: [next] })))).toContain("UnsupportedOperation");
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [old, next] }));
  expect(await request(id)).toMatchObject({ State: "closed", Status: { Code: "instance-terminated-by-user" } });
  await ec2.send(new DeregisterImageCommand({ ImageId }));
  expect(await told(image())).toContain("InvalidAMIID.NotFound");
});

test("too low a price holds until the market is cheaper; a request cancelled before has no instance", async () => {
  const history = await ec2.send(
    new DescribeSpotPriceHistoryCommand({
      InstanceTypes: ["m5.large"],
      ProductDescriptions: ["Linux/UNIX"],
      AvailabilityZone: "us-east-1b",
      StartTime: new Date(started.emulator.runtime.clock.now()),
    }),
  );
  const now = Number(history.SpotPriceHistory?.[0]?.SpotPrice);
  const ask = (SpotPrice: string) =>
    ec2.send(
      new RequestSpotInstancesCommand({
        SpotPrice,
        ValidUntil: new Date(started.emulator.runtime.clock.now() + 80 * 86_400_000),
        LaunchSpecification: {
          ImageId: image,
          InstanceType: "m5.large",
          Placement: { AvailabilityZone: "us-east-1b" },
        },
      }),
    );
  const image = await linuxImage();
  expect(await told(ask("0"))).toContain('"0.000000" is an invalid spot instance price');
  const below = (now - 0.0001).toFixed(4);
  const first = (await ask(below)).SpotInstanceRequests?.[0]?.SpotInstanceRequestId ?? "";
  const second = (await ask(below)).SpotInstanceRequests?.[0]?.SpotInstanceRequestId ?? "";
  await advance(10);
  expect(await request(first)).toMatchObject({
    State: "open",
    Status: {
      Code: "price-too-low",
      Message: `Your Spot request price of ${Number(below)} is lower than the minimum required Spot request fulfillment price of ${now}.`,
    },
  });
  const cancelled = await ec2.send(new CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [second] }));
  expect(cancelled.CancelledSpotInstanceRequests).toEqual([{ SpotInstanceRequestId: second, State: "cancelled" }]);
  expect((await request(second))?.Status?.Code).toBe("canceled-before-fulfillment");
  let days = 0;
  while ((await request(first))?.State === "open" && days < 80) {
    await advance(86_400);
    days += 1;
  }
  expect(days).toBeLessThan(80);
  const found = await request(first);
  expect(["fulfilled", "instance-terminated-by-price", "marked-for-termination"]).toContain(found?.Status?.Code);
});

test("a request that finds no price until it ends expires", async () => {
  const ValidUntil = new Date(started.emulator.runtime.clock.now() + 3_600_000);
  const answer = await ec2.send(
    new RequestSpotInstancesCommand({
      SpotPrice: "0.001",
      ValidUntil,
      LaunchSpecification: { ImageId: await linuxImage(), InstanceType: "m5.large" },
    }),
  );
  const id = answer.SpotInstanceRequests?.[0]?.SpotInstanceRequestId ?? "";
  await advance(3599);
  expect((await request(id))?.Status?.Code).toBe("price-too-low");
  await advance(1);
  expect(await request(id)).toMatchObject({ State: "cancelled", Status: { Code: "schedule-expired" } });
});

test("RunInstances with market type spot is linked both ways, or fails at once", async () => {
  const spot = (MaxPrice?: string) =>
    run({ InstanceMarketOptions: { MarketType: "spot", SpotOptions: MaxPrice ? { MaxPrice } : {} } });
  const instance = await one(await spot());
  expect(instance?.InstanceLifecycle).toBe("spot");
  expect(await request(instance?.SpotInstanceRequestId ?? "")).toMatchObject({
    State: "active",
    InstanceId: instance?.InstanceId,
  });
  expect(await told(spot("0.001"))).toMatch(
    /^SpotMaxPriceTooLow: Your Spot request price of 0.001 is lower than the minimum required Spot request fulfillment price of 0\.\d+\.$/,
  );
  const held = await ec2.send(
    new CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [instance?.SpotInstanceRequestId ?? ""] }),
  );
  expect(held.CancelledSpotInstanceRequests?.[0]?.State).toBe("cancelled");
  expect((await request(instance?.SpotInstanceRequestId ?? ""))?.Status?.Code).toBe(
    "request-canceled-and-instance-running",
  );
});

test("tags, filters and pages", async () => {
  const answer = await ec2.send(
    new RunInstancesCommand({ ImageId: await linuxImage(), InstanceType: "t3.micro", MinCount: 7, MaxCount: 7 }),
  );
  const ids = (answer.Instances ?? []).map(({ InstanceId = "" }) => InstanceId);
  await ec2.send(new CreateTagsCommand({ Resources: ids.slice(0, 3), Tags: [{ Key: "team", Value: "x" }] }));
  const tags = await ec2.send(new DescribeTagsCommand({ Filters: [{ Name: "resource-type", Values: ["instance"] }] }));
  expect(tags.Tags).toHaveLength(3);
  const filtered = await ec2.send(
    new DescribeInstancesCommand({
      Filters: [
        { Name: "tag:team", Values: ["x", "y"] },
        { Name: "instance-type", Values: ["t3.*"] },
      ],
    }),
  );
  expect(filtered.Reservations?.flatMap(({ Instances = [] }) => Instances)).toHaveLength(3);
  const first = await ec2.send(new DescribeInstancesCommand({ MaxResults: 5 }));
  const rest = await ec2.send(new DescribeInstancesCommand({ MaxResults: 5, NextToken: first.NextToken }));
  const paged = [first, rest].flatMap(({ Reservations = [] }) =>
    Reservations.flatMap(({ Instances = [] }) => Instances),
  );
  expect(paged.map(({ InstanceId }) => InstanceId)).toEqual(ids);
  expect(rest.NextToken).toBeUndefined();
  expect(await told(ec2.send(new DescribeInstancesCommand({ NextToken: `${first.NextToken}A` })))).toContain(
    "InvalidPaginationToken",
  );
  expect(await told(ec2.send(new DescribeInstancesCommand({ Filters: [{ Name: "nope", Values: ["x"] }] })))).toBe(
    "InvalidParameterValue: The filter 'nope' is invalid",
  );
  expect(
    await told(ec2.send(new CreateTagsCommand({ Resources: ids, Tags: [{ Key: "aws:x", Value: "" }] }))),
  ).toContain("InvalidParameterValue");
});

test("the same calls make the same ids and leave the same digest; a reset goes back", async () => {
  const again = await startEc2({ BACKLOT_PACE: "1" });
  const before = started.emulator.digest();
  const play = async (of: Started) => {
    const client = of.ec2();
    const { Images = [] } = await client.send(new DescribeImagesCommand({ Owners: ["amazon"] }));
    const launched = await client.send(
      new RunInstancesCommand({
        ImageId: Images[0]?.ImageId,
        InstanceType: "m5.large",
        MinCount: 2,
        MaxCount: 2,
        InstanceMarketOptions: { MarketType: "spot" },
        ClientToken: "one",
      }),
    );
    await of.emulator.advance(of.emulator.runtime.clock.now() + 600_000);
    return [launched.Instances?.map(({ InstanceId }) => InstanceId), of.emulator.digest()];
  };
  expect(await play(started)).toEqual(await play(again));
  started.emulator.reset();
  expect(started.emulator.digest()).toBe(before);
  await again.close();
});
