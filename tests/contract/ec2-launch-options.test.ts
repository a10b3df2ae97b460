/** What a launch may ask for beyond image and type: refusals, protection, and the attributes changed afterwards. */
import {
  DescribeImagesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeSpotInstanceRequestsCommand,
  type EC2Client,
  ModifyInstanceAttributeCommand,
  type ModifyInstanceAttributeCommandInput,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let ec2: EC2Client;
let image = "";
beforeAll(async () => {
  started = await startEc2({ BACKLOT_PACE: "1" });
  ec2 = started.ec2();
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ Filters: [{ Name: "name", Values: ["al2023*x86_64"] }] }),
  );
  image = Images[0]?.ImageId ?? "";
});
afterAll(() => started.close());

const now = () => started.emulator.runtime.clock.now();
const advance = (seconds: number) => started.emulator.advance(now() + seconds * 1000);
const told = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    (cause: Error) => `${cause.name}: ${cause.message}`,
  );
async function run(extra: Partial<RunInstancesCommandInput> = {}): Promise<string> {
  const answer = await ec2.send(
    new RunInstancesCommand({ ImageId: image, InstanceType: "m5.large", MinCount: 1, MaxCount: 1, ...extra }),
  );
  return answer.Instances?.[0]?.InstanceId ?? "";
}
const persistent = (ValidUntil: Date) =>
  ({
    InstanceMarketOptions: { MarketType: "spot", SpotOptions: { SpotInstanceType: "persistent", ValidUntil } },
  }) as const;

test("what cannot be had is refused in the words of EC2", async () => {
  expect(await told(run({ SecurityGroupIds: ["sg-1"], NetworkInterfaces: [{ DeviceIndex: 0 }] }))).toBe(
    "InvalidParameterCombination: Network interfaces and an instance-level security groups may not be specified on the same request",
  );
  expect(await told(run({ SubnetId: "subnet-1", NetworkInterfaces: [{ DeviceIndex: 0 }] }))).toBe(
    "InvalidParameterCombination: Network interfaces and an instance-level subnet ID may not be specified on the same request",
  );
  expect(await told(run({ ClientToken: "t".repeat(65) }))).toMatch(/^InvalidParameterValue/);
  expect(await told(run({ InstanceInitiatedShutdownBehavior: "sleep" as "stop" }))).toMatch(/^InvalidParameterValue/);
  expect(await told(run(persistent(new Date(now() - 1000))))).toMatch(/^InvalidParameterValue.*validUntil/);
  const block = { MarketType: "spot", SpotOptions: { BlockDurationMinutes: 60 } } as const;
  expect(await told(run({ InstanceMarketOptions: block }))).toMatch(/^UnsupportedOperation/);
});

test("devices and tenancy are what was asked for, or refused", async () => {
  const device = (Ebs: object) => run({ BlockDeviceMappings: [{ DeviceName: "/dev/sdb", Ebs }] });
  expect(await told(device({ VolumeSize: 8, VolumeType: "floppy" }))).toMatch(/^InvalidParameterValue.*volumeType/);
  expect(await told(device({ SnapshotId: "snap-00000000" }))).toBe(
    "InvalidSnapshot.NotFound: The snapshot 'snap-00000000' does not exist.",
  );
  expect(await told(device({ VolumeType: "gp3" }))).toMatch(/^MissingParameter/);
  expect(await told(device({ VolumeSize: 8, VolumeType: "st1" }))).toBe("answered");
  expect(await told(run({ Placement: { GroupName: "rack" } }))).toBe(
    "InvalidPlacementGroup.Unknown: The Placement Group 'rack' is unknown.",
  );
  expect(await told(run({ Placement: { Tenancy: "host" } }))).toMatch(/^UnsupportedOperation/);
  const InstanceId = await run({ Placement: { Tenancy: "dedicated" } });
  const found = await ec2.send(new DescribeInstancesCommand({ Filters: [{ Name: "tenancy", Values: ["dedicated"] }] }));
  const instances = found.Reservations?.flatMap(({ Instances = [] }) => Instances);
  expect(instances?.map((one) => [one.InstanceId, one.Placement?.Tenancy])).toEqual([[InstanceId, "dedicated"]]);
});

test("a persistent request that RunInstances made ends when it is no longer valid", async () => {
  const instance = await run(persistent(new Date(now() + 3_600_000)));
  const requests = async () =>
    (await ec2.send(new DescribeSpotInstanceRequestsCommand({ Filters: [{ Name: "type", Values: ["persistent"] }] })))
      .SpotInstanceRequests ?? [];
  const resources = started.emulator.runtime.state.resources;
  const [made] = await requests();
  // Held at a price that nothing meets, the request waits past its end.
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [instance] }));
  const row = resources.request.get(made?.SpotInstanceRequestId ?? "");
  if (!row) throw new Error("the request is gone");
  started.emulator.runtime.store.write(() => resources.request.put({ ...row, mostTicks: 1 }));
  await advance(600);
  expect((await requests())[0]?.Status?.Code).toBe("price-too-low");
  await advance(3_100);
  expect((await requests())[0]).toMatchObject({ State: "cancelled", Status: { Code: "schedule-expired" } });
});

test("a protected instance is neither terminated nor stopped until the protection is taken off", async () => {
  const InstanceId = await run({ DisableApiTermination: true, DisableApiStop: true });
  const protectedAgainst = async (Attribute: "disableApiTermination" | "disableApiStop") =>
    ec2.send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute }));
  expect((await protectedAgainst("disableApiTermination")).DisableApiTermination?.Value).toBe(true);
  expect((await protectedAgainst("disableApiStop")).DisableApiStop?.Value).toBe(true);
  await advance(60);
  expect(await told(ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] })))).toBe(
    `OperationNotPermitted: The instance '${InstanceId}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
  );
  expect(await told(ec2.send(new StopInstancesCommand({ InstanceIds: [InstanceId] })))).toMatch(
    /^OperationNotPermitted.*disableApiStop/,
  );
  const modify = (change: Partial<ModifyInstanceAttributeCommandInput>) =>
    ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, ...change }));
  expect(await told(modify({ DisableApiStop: { Value: false }, SourceDestCheck: { Value: false } }))).toBe(
    "InvalidParameterCombination: Fields for multiple attribute types specified",
  );
  await modify({ Attribute: "disableApiTermination", Value: "false" });
  await modify({ DisableApiStop: { Value: false } });
  expect(await told(modify({ InstanceType: { Value: "m5.xlarge" } }))).toBe(
    `IncorrectInstanceState: The instance '${InstanceId}' is not in the 'stopped' state.`,
  );
  await ec2.send(new StopInstancesCommand({ InstanceIds: [InstanceId] }));
  await advance(60);
  await modify({ InstanceType: { Value: "m5.xlarge" } });
  await modify({ UserData: { Value: Buffer.from("#!/bin/sh") } });
  const described = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [InstanceId] }));
  expect(described.Reservations?.[0]?.Instances?.[0]).toMatchObject({
    InstanceType: "m5.xlarge",
    CpuOptions: { CoreCount: 2, ThreadsPerCore: 2 },
  });
  expect(await told(ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] })))).toBe("answered");
});

test("a spot instance has no termination protection", async () => {
  const spot = { InstanceMarketOptions: { MarketType: "spot" } } as const;
  expect(await told(run({ ...spot, DisableApiTermination: true }))).toMatch(/^UnsupportedOperation/);
  const InstanceId = await run(spot);
  const modify = new ModifyInstanceAttributeCommand({ InstanceId, DisableApiTermination: { Value: true } });
  expect(await told(ec2.send(modify))).toMatch(/^UnsupportedOperation/);
});
