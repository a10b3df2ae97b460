/** What a fleet may be told: pools and their order, terms of both markets, times, changes, and choosing types by attributes. */
import {
  CreateFleetCommand,
  type CreateFleetCommandInput,
  CreateLaunchTemplateCommand,
  DeleteTagsCommand,
  DescribeFleetInstancesCommand,
  DescribeFleetsCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeSpotFleetInstancesCommand,
  DescribeSpotFleetRequestsCommand,
  type EC2Client,
  type FleetLaunchTemplateOverridesRequest,
  GetInstanceTypesFromInstanceRequirementsCommand,
  GetSpotPlacementScoresCommand,
  ModifyFleetCommand,
  ModifySpotFleetRequestCommand,
  RequestSpotFleetCommand,
  type SpotFleetRequestConfigData,
} from "@aws-sdk/client-ec2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let ec2: EC2Client;
let image = "";
let base = "";
beforeEach(async () => {
  started = await startEc2({ BACKLOT_PACE: "1" });
  ec2 = started.ec2();
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ Filters: [{ Name: "name", Values: ["al2023*x86_64"] }] }),
  );
  image = Images[0]?.ImageId ?? "";
  const made = await ec2.send(
    new CreateLaunchTemplateCommand({ LaunchTemplateName: "base", LaunchTemplateData: { ImageId: image } }),
  );
  base = made.LaunchTemplate?.LaunchTemplateId ?? "";
});
afterEach(() => started.close());

const now = () => started.emulator.runtime.clock.now();
const at = (seconds: number) => new Date(now() + seconds * 1000);
const advance = (seconds: number) => started.emulator.advance(now() + seconds * 1000);
const told = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    (cause: Error) => cause.name,
  );
const of = (...Overrides: FleetLaunchTemplateOverridesRequest[]) => ({
  LaunchTemplateConfigs: [{ LaunchTemplateSpecification: { LaunchTemplateName: "base" }, Overrides }],
});
const spot = (TotalTargetCapacity: number) => ({
  TargetCapacitySpecification: { TotalTargetCapacity, DefaultTargetCapacityType: "spot" as const },
});
const create = (input: CreateFleetCommandInput) => ec2.send(new CreateFleetCommand(input));
const fleet = async (id: string | undefined) =>
  (await ec2.send(new DescribeFleetsCommand({ FleetIds: [id ?? ""] }))).Fleets?.[0];
const instancesOf = async (FleetId: string | undefined) =>
  (await ec2.send(new DescribeFleetInstancesCommand({ FleetId }))).ActiveInstances ?? [];

test("instances are told with the override that they came from, in the zone where they are", async () => {
  const answer = await create({
    Type: "instant",
    ...of(
      { InstanceType: "m5.large", AvailabilityZone: "us-east-1a", Priority: 1 },
      { InstanceType: "m5.large", AvailabilityZone: "us-east-1b", Priority: 0, WeightedCapacity: 2 },
      { InstanceType: "c5.large", AvailabilityZone: "us-east-1b" },
    ),
    TargetCapacitySpecification: {
      TotalTargetCapacity: 8,
      OnDemandTargetCapacity: 2,
      DefaultTargetCapacityType: "spot",
    },
    OnDemandOptions: { AllocationStrategy: "prioritized" },
    SpotOptions: { AllocationStrategy: "diversified" },
    TagSpecifications: [{ ResourceType: "volume", Tags: [{ Key: "disk", Value: "1" }] }],
  });
  const rows = answer.Instances ?? [];
  expect(rows[0]).toMatchObject({
    Lifecycle: "on-demand",
    LaunchTemplateAndOverrides: {
      LaunchTemplateSpecification: { LaunchTemplateId: base, Version: "1" },
      Overrides: { InstanceType: "m5.large", AvailabilityZone: "us-east-1b", Priority: 0, WeightedCapacity: 2 },
    },
  });
  for (const { InstanceIds, InstanceType, LaunchTemplateAndOverrides: from } of rows) {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds }));
    for (const instance of Reservations.flatMap(({ Instances = [] }) => Instances)) {
      expect([instance.InstanceType, instance.Placement?.AvailabilityZone]).toEqual([
        InstanceType,
        from?.Overrides?.AvailabilityZone,
      ]);
      expect(instance.Tags).toEqual([
        { Key: "aws:ec2:fleet-id", Value: answer.FleetId },
        { Key: "aws:ec2launchtemplate:id", Value: base },
        { Key: "aws:ec2launchtemplate:version", Value: "1" },
      ]);
    }
  }
  const zones = rows.map(({ LaunchTemplateAndOverrides: from }) => from?.Overrides?.AvailabilityZone);
  expect(new Set(zones)).toEqual(new Set(["us-east-1a", "us-east-1b"]));
  const [first = ""] = rows[0]?.InstanceIds ?? [];
  await ec2.send(new DeleteTagsCommand({ Resources: [first] }));
  const left = await ec2.send(
    new DescribeInstancesCommand({ Filters: [{ Name: "tag:aws:ec2:fleet-id", Values: [answer.FleetId ?? ""] }] }),
  );
  expect(left.Reservations?.flatMap(({ Instances = [] }) => Instances).map(({ InstanceId }) => InstanceId)).toContain(
    first,
  );
});

test("an override names its zone by id as well", async () => {
  const answer = await create({
    Type: "instant",
    ...of({ InstanceType: "m5.large", AvailabilityZoneId: "use1-az4" }),
    ...spot(1),
  });
  expect(answer.Instances?.[0]?.LaunchTemplateAndOverrides?.Overrides).toMatchObject({
    AvailabilityZone: "us-east-1d",
    AvailabilityZoneId: "use1-az4",
  });
  const both = { InstanceType: "m5.large", AvailabilityZone: "us-east-1d", AvailabilityZoneId: "use1-az4" } as const;
  expect(await told(create({ Type: "instant", ...of(both), ...spot(1) }))).toBe("InvalidParameterCombination");
});

test("a fleet is described as it was asked for", async () => {
  const input = {
    Type: "maintain",
    ...of({ InstanceType: "m5.large", MaxPrice: "0.09", Priority: 3 }, { InstanceType: "c5.large" }),
    ...spot(2),
    SpotOptions: {
      AllocationStrategy: "lowest-price",
      InstancePoolsToUseCount: 2,
      InstanceInterruptionBehavior: "stop",
      MaxTotalPrice: "1.5",
      MaintenanceStrategies: {
        CapacityRebalance: { ReplacementStrategy: "launch-before-terminate", TerminationDelay: 300 },
      },
    },
    ExcessCapacityTerminationPolicy: "no-termination",
    ReplaceUnhealthyInstances: true,
    ValidUntil: at(7200),
  } as const satisfies CreateFleetCommandInput;
  const { FleetId } = await create(structuredClone(input));
  expect(await fleet(FleetId)).toMatchObject({
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateId: base, LaunchTemplateName: "base" },
        Overrides: [{ InstanceType: "m5.large", MaxPrice: "0.09", Priority: 3 }, { InstanceType: "c5.large" }],
      },
    ],
    SpotOptions: { ...input.SpotOptions, MaxTotalPrice: "1.500000" },
    OnDemandOptions: { AllocationStrategy: "lowest-price" },
    ExcessCapacityTerminationPolicy: "no-termination",
    ReplaceUnhealthyInstances: true,
    ValidUntil: input.ValidUntil,
  });
  const types = (await instancesOf(FleetId)).map(({ InstanceType }) => InstanceType);
  expect(types.sort()).toEqual(["c5.large", "m5.large"]);
  const found = async (Name: string, value: string) =>
    (await ec2.send(new DescribeFleetsCommand({ Filters: [{ Name, Values: [value] }] }))).Fleets?.length;
  expect(await found("excess-capacity-termination-policy", "no-termination")).toBe(1);
  expect(await found("replace-unhealthy-instances", "false")).toBe(0);
  expect(await found("activity-status", "fulfilled")).toBe(1);
});

test("what a fleet cannot be is refused", async () => {
  const wrong = (extra: object) =>
    told(create({ Type: "request", ...of({ InstanceType: "m5.large" }), ...spot(1), ...extra }));
  expect(await wrong({ SpotOptions: { AllocationStrategy: "cheapest" } })).toBe("InvalidParameterValue");
  expect(await wrong({ OnDemandOptions: { AllocationStrategy: "diversified" } })).toBe("InvalidParameterValue");
  expect(await wrong({ SpotOptions: { InstanceInterruptionBehavior: "stop" } })).toBe("InvalidParameterCombination");
  expect(await wrong({ SpotOptions: { MinTargetCapacity: 1, SingleInstanceType: true } })).toBe(
    "InvalidParameterCombination",
  );
  expect(await wrong({ SpotOptions: { AllocationStrategy: "diversified", InstancePoolsToUseCount: 2 } })).toBe(
    "InvalidParameterCombination",
  );
  expect(await wrong({ ValidUntil: at(-60) })).toBe("InvalidParameterValue");
  expect(await wrong({ ExcessCapacityTerminationPolicy: "default" })).toBe("InvalidParameterValue");
  const tags = [{ ResourceType: "instance", Tags: [{ Key: "a", Value: "b" }] }];
  expect(await wrong({ TagSpecifications: tags })).toBe("InvalidParameterValue");
  const capacity = { TotalTargetCapacity: 1, OnDemandTargetCapacity: 1, SpotTargetCapacity: 1 };
  expect(await wrong({ TargetCapacitySpecification: capacity })).toBe("InvalidParameterValue");
});

test("a fleet waits until it is valid, and ends with its instances when it is no longer", async () => {
  const { FleetId } = await create({
    Type: "maintain",
    ...of({ InstanceType: "m5.large" }),
    ...spot(1),
    ValidFrom: at(600),
    ValidUntil: at(1200),
    TerminateInstancesWithExpiration: true,
  });
  expect(await fleet(FleetId)).toMatchObject({ FleetState: "submitted", FulfilledCapacity: 0 });
  await advance(601);
  expect(await fleet(FleetId)).toMatchObject({ FleetState: "active", FulfilledCapacity: 1 });
  await advance(600);
  expect(await fleet(FleetId)).toMatchObject({ FleetState: "deleted_terminating", FulfilledCapacity: 0 });
  await advance(120);
  expect(await fleet(FleetId)).toMatchObject({ FleetState: "deleted" });
});

test("the target of a fleet goes up and down; what exceeds it goes unless the fleet is told otherwise", async () => {
  const { FleetId } = await create({ ...of({ InstanceType: "m5.large" }, { InstanceType: "c5.large" }), ...spot(1) });
  const modify = (TotalTargetCapacity: number, policy?: "no-termination") =>
    ec2.send(
      new ModifyFleetCommand({
        FleetId,
        TargetCapacitySpecification: { TotalTargetCapacity },
        ExcessCapacityTerminationPolicy: policy,
      }),
    );
  expect((await modify(4)).Return).toBe(true);
  expect(await instancesOf(FleetId)).toHaveLength(4);
  await modify(2);
  expect(await instancesOf(FleetId)).toHaveLength(2);
  await modify(1, "no-termination");
  await advance(120);
  expect(await instancesOf(FleetId)).toHaveLength(2);
  expect(await fleet(FleetId)).toMatchObject({
    FulfilledCapacity: 2,
    TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: "spot" },
  });
  const instant = await create({ Type: "instant", ...of({ InstanceType: "m5.large" }), ...spot(1) });
  const wrong = new ModifyFleetCommand({
    FleetId: instant.FleetId,
    TargetCapacitySpecification: { TotalTargetCapacity: 2 },
  });
  expect(await told(ec2.send(wrong))).toBe("UnsupportedOperation");
});

test("totals bound what is launched: a price for all, a least capacity or nothing", async () => {
  const dear = await create({
    Type: "instant",
    ...of({ InstanceType: "m5.large" }),
    ...spot(10),
    SpotOptions: { MaxTotalPrice: "0.11" },
  });
  const count = dear.Instances?.flatMap(({ InstanceIds = [] }) => InstanceIds).length ?? 0;
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThan(10);
  const least = await create({
    Type: "instant",
    ...of({ InstanceType: "m5.large" }),
    ...spot(10),
    SpotOptions: { MaxTotalPrice: "0.11", SingleInstanceType: true, MinTargetCapacity: 10 },
  });
  expect(least.Instances).toEqual([]);
});

test("a rebalance recommendation makes a fleet launch the replacement before the instance is taken", async () => {
  const { FleetId } = await create({
    ...of({ InstanceType: "m5.large" }),
    ...spot(1),
    SpotOptions: {
      MaintenanceStrategies: {
        CapacityRebalance: { ReplacementStrategy: "launch-before-terminate", TerminationDelay: 300 },
      },
    },
  });
  const [old] = await instancesOf(FleetId);
  await advance(60);
  const answer = await fetch(`${started.url}/_backlot/ec2-spot/interrupt`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ instance: old?.InstanceId, rebalance: "only" }),
  });
  expect(answer.status).toBeLessThan(300);
  await advance(1);
  expect(await instancesOf(FleetId)).toHaveLength(2);
  await advance(300);
  const left = await instancesOf(FleetId);
  expect(left.map(({ InstanceId }) => InstanceId)).not.toContain(old?.InstanceId);
  expect(left).toHaveLength(1);
});

test("types chosen by their attributes have them, and are not far dearer than the cheapest", async () => {
  const InstanceRequirements = {
    VCpuCount: { Min: 4, Max: 8 },
    MemoryMiB: { Min: 16_384, Max: 32_768 },
    CpuManufacturers: ["intel"],
    ExcludedInstanceTypes: ["m5*"],
  } as const satisfies FleetLaunchTemplateOverridesRequest["InstanceRequirements"];
  const previewed = await ec2.send(
    new GetInstanceTypesFromInstanceRequirementsCommand({
      ArchitectureTypes: ["x86_64"],
      VirtualizationTypes: ["hvm"],
      InstanceRequirements: structuredClone(InstanceRequirements),
    }),
  );
  const names = previewed.InstanceTypes?.map(({ InstanceType }) => InstanceType) ?? [];
  expect(names).toContain("m6i.xlarge");
  expect(names.filter((name) => /^(m5|t\d|c6a|m6g)/.test(name ?? ""))).toEqual([]);
  const { FleetId } = await create({
    ...of({ InstanceRequirements: structuredClone(InstanceRequirements) }),
    TargetCapacitySpecification: {
      TotalTargetCapacity: 24,
      DefaultTargetCapacityType: "spot",
      TargetCapacityUnitType: "vcpu",
    },
    SpotOptions: { AllocationStrategy: "diversified" },
  });
  const types = [...new Set((await instancesOf(FleetId)).map(({ InstanceType }) => InstanceType))];
  expect(types.length).toBeGreaterThan(2);
  const described = await ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: types as ["m5.large"] }));
  for (const { VCpuInfo, MemoryInfo, InstanceType } of described.InstanceTypes ?? []) {
    expect(names).toContain(InstanceType);
    expect(VCpuInfo?.DefaultVCpus).toBeGreaterThanOrEqual(4);
    expect(MemoryInfo?.SizeInMiB).toBeLessThanOrEqual(32_768);
  }
  expect((await fleet(FleetId))?.FulfilledCapacity).toBeGreaterThanOrEqual(24);
  expect((await fleet(FleetId))?.LaunchTemplateConfigs?.[0]?.Overrides).toEqual([{ InstanceRequirements }]);
  // Requirements of an override stand over the type of the template; with a type beside them they are refused.
  await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: "typed",
      LaunchTemplateData: { ImageId: image, InstanceType: "t3.micro" },
    }),
  );
  const over = await create({
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateName: "typed" },
        Overrides: [{ InstanceRequirements: structuredClone(InstanceRequirements) }],
      },
    ],
    ...spot(1),
  });
  expect(names).toContain((await instancesOf(over.FleetId))[0]?.InstanceType);
  const beside = { InstanceType: "m6i.xlarge", InstanceRequirements: structuredClone(InstanceRequirements) } as const;
  expect(await told(create({ ...of(beside), ...spot(1) }))).toBe("InvalidParameterCombination");
  const none = { ...InstanceRequirements, VCpuCount: { Min: 3, Max: 3 } };
  expect(await told(create({ ...of({ InstanceRequirements: none }), ...spot(1) }))).toBe("InvalidParameterValue");
  const disks = { ...InstanceRequirements, TotalLocalStorageGB: { Min: 100 } };
  expect(await told(create({ ...of({ InstanceRequirements: disks }), ...spot(1) }))).toBe("UnsupportedOperation");
  const scores = await ec2.send(
    new GetSpotPlacementScoresCommand({
      TargetCapacity: 10,
      InstanceRequirementsWithMetadata: { ArchitectureTypes: ["x86_64"], InstanceRequirements },
      RegionNames: ["us-east-1", "eu-west-1"],
    }),
  );
  expect(scores.SpotPlacementScores).toHaveLength(2);
  expect(scores.SpotPlacementScores?.[0]?.Score).toBeGreaterThan(3);
});

test("a spot fleet from launch templates is described, changed and cancelled like any other", async () => {
  const config: SpotFleetRequestConfigData = {
    IamFleetRole: started.roleArn,
    TargetCapacity: 3,
    OnDemandTargetCapacity: 1,
    AllocationStrategy: "priceCapacityOptimized",
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateName: "base", Version: "1" },
        Overrides: [{ InstanceType: "m5.large", SpotPrice: "0.09" }, { InstanceType: "c5.large" }],
      },
    ],
  };
  const { SpotFleetRequestId = "" } = await ec2.send(new RequestSpotFleetCommand({ SpotFleetRequestConfig: config }));
  const described = async () =>
    (await ec2.send(new DescribeSpotFleetRequestsCommand({ SpotFleetRequestIds: [SpotFleetRequestId] })))
      .SpotFleetRequestConfigs?.[0]?.SpotFleetRequestConfig;
  expect(await described()).toMatchObject({
    AllocationStrategy: "priceCapacityOptimized",
    OnDemandAllocationStrategy: "lowestPrice",
    ExcessCapacityTerminationPolicy: "default",
    OnDemandTargetCapacity: 1,
    OnDemandFulfilledCapacity: 1,
    LaunchSpecifications: [],
    LaunchTemplateConfigs: [
      { Overrides: [{ InstanceType: "m5.large", SpotPrice: "0.09" }, { InstanceType: "c5.large" }] },
    ],
  });
  await ec2.send(new ModifySpotFleetRequestCommand({ SpotFleetRequestId, TargetCapacity: 5 }));
  const { ActiveInstances = [] } = await ec2.send(new DescribeSpotFleetInstancesCommand({ SpotFleetRequestId }));
  expect(ActiveInstances).toHaveLength(5);
  expect(ActiveInstances.filter(({ SpotInstanceRequestId }) => SpotInstanceRequestId)).toHaveLength(4);
  expect(await described()).toMatchObject({ TargetCapacity: 5, FulfilledCapacity: 5 });
});
