/** Fleets of both kinds, and the datafeed subscription. */
import {
  CancelSpotFleetRequestsCommand,
  CreateFleetCommand,
  CreateLaunchTemplateCommand,
  CreateSpotDatafeedSubscriptionCommand,
  DeleteFleetsCommand,
  DeleteSpotDatafeedSubscriptionCommand,
  DescribeFleetHistoryCommand,
  DescribeFleetsCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSpotDatafeedSubscriptionCommand,
  DescribeSpotFleetInstancesCommand,
  DescribeSpotFleetRequestHistoryCommand,
  DescribeSpotFleetRequestsCommand,
  type EC2Client,
  RequestSpotFleetCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let ec2: EC2Client;
let image = "";
beforeAll(async () => {
  started = await startEc2();
  ec2 = started.ec2();
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ Filters: [{ Name: "name", Values: ["al2023*x86_64"] }] }),
  );
  image = Images[0]?.ImageId ?? "";
  await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: "base",
      LaunchTemplateData: { ImageId: image, InstanceType: "m5.large" },
    }),
  );
});
afterAll(() => started.close());
const now = () => started.emulator.runtime.clock.now();
const advance = (seconds: number) => started.emulator.advance(now() + seconds * 1000);
const configs = (...types: ("m5.large" | "c5.large" | "r5.large")[]) => [
  {
    LaunchTemplateSpecification: { LaunchTemplateName: "base", Version: "$Latest" },
    Overrides: types.map((InstanceType) => ({ InstanceType })),
  },
];

test("an instant fleet answers with its instances, or with why there are none", async () => {
  const fleet = await ec2.send(
    new CreateFleetCommand({
      Type: "instant",
      LaunchTemplateConfigs: configs("m5.large", "c5.large"),
      TargetCapacitySpecification: {
        TotalTargetCapacity: 3,
        DefaultTargetCapacityType: "spot",
        OnDemandTargetCapacity: 1,
      },
      SpotOptions: { AllocationStrategy: "lowest-price" },
    }),
  );
  expect(fleet.FleetId).toMatch(/^fleet-/);
  expect(fleet.Instances?.map(({ Lifecycle }) => Lifecycle)).toEqual(["on-demand", "spot"]);
  const ids = fleet.Instances?.flatMap(({ InstanceIds = [] }) => InstanceIds) ?? [];
  const described = await ec2.send(new DescribeInstancesCommand({ InstanceIds: ids }));
  expect(described.Reservations?.flatMap(({ Instances = [] }) => Instances)).toHaveLength(3);
  const [config] = configs("m5.large");
  const cheap = await ec2.send(
    new CreateFleetCommand({
      Type: "instant",
      LaunchTemplateConfigs: [{ ...config, Overrides: [{ InstanceType: "m5.large", MaxPrice: "0.001" }] }],
      TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: "spot" },
    }),
  );
  expect(cheap.Instances).toEqual([]);
  expect(cheap.Errors?.[0]).toMatchObject({ ErrorCode: "SpotMaxPriceTooLow", Lifecycle: "spot" });
});

test("a fleet that maintains its capacity replaces what ends, until it is deleted", async () => {
  const { FleetId = "" } = await ec2.send(
    new CreateFleetCommand({
      Type: "maintain",
      LaunchTemplateConfigs: configs("m5.large", "c5.large", "r5.large"),
      TargetCapacitySpecification: { TotalTargetCapacity: 2, DefaultTargetCapacityType: "spot" },
      SpotOptions: { AllocationStrategy: "diversified" },
    }),
  );
  const fleet = async () => (await ec2.send(new DescribeFleetsCommand({ FleetIds: [FleetId] }))).Fleets?.[0];
  expect(await fleet()).toMatchObject({ FleetState: "active", ActivityStatus: "fulfilled", FulfilledCapacity: 2 });
  const mine = () => started.emulator.runtime.state.resources.fleet.get(FleetId)?.instances.map(({ id }) => id) ?? [];
  const [first = ""] = mine();
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [first] }));
  expect((await fleet())?.FulfilledCapacity).toBe(1);
  await advance(60);
  expect((await fleet())?.FulfilledCapacity).toBe(2);
  expect(mine()).not.toContain(first);
  const deleted = await ec2.send(
    new DeleteFleetsCommand({ FleetIds: [FleetId, "fleet-none"], TerminateInstances: true }),
  );
  expect(deleted.SuccessfulFleetDeletions?.[0]?.CurrentFleetState).toBe("deleted_terminating");
  expect(deleted.UnsuccessfulFleetDeletions?.[0]?.Error?.Code).toBe("fleetIdDoesNotExist");
  await advance(120);
  expect(await fleet()).toMatchObject({ FulfilledCapacity: 0, FleetState: "deleted" });
  const again = await ec2.send(new DeleteFleetsCommand({ FleetIds: [FleetId], TerminateInstances: true }));
  expect(again.UnsuccessfulFleetDeletions?.[0]?.Error?.Code).toBe("fleetNotInDeletableState");
  const history = (more: Partial<ConstructorParameters<typeof DescribeFleetHistoryCommand>[0]> = {}) =>
    ec2.send(new DescribeFleetHistoryCommand({ FleetId, StartTime: new Date(now() - 3_600_000), ...more }));
  const whole = await history();
  expect(whole.FleetId).toBe(FleetId);
  expect(whole.LastEvaluatedTime?.getTime()).toBe(now());
  expect(
    whole.HistoryRecords?.map(({ EventInformation: event, EventType }) => [EventType, event?.EventSubType]),
  ).toEqual([
    ["fleet-change", "active"],
    ["instance-change", "launched"],
    ["instance-change", "launched"],
    ["instance-change", "terminated"],
    ["instance-change", "launched"],
    ["fleet-change", "deleted_terminating"],
    ["instance-change", "terminated"],
    ["instance-change", "terminated"],
    ["fleet-change", "deleted"],
  ]);
  expect(whole.HistoryRecords?.[3]?.EventInformation?.InstanceId).toBe(first);
  const page = await history({ MaxResults: 5 });
  const rest = await history({ MaxResults: 5, NextToken: page.NextToken });
  expect([...(page.HistoryRecords ?? []), ...(rest.HistoryRecords ?? [])]).toEqual(whole.HistoryRecords);
  expect(rest.NextToken).toBeUndefined();
  expect((await history({ EventType: "service-error" })).HistoryRecords).toEqual([]);
  expect((await history({ StartTime: new Date(now() + 86_400_000) })).HistoryRecords).toEqual([]);
  await expect(history({ EventType: "nope" as "fleet-change" })).rejects.toMatchObject({
    name: "InvalidParameterValue",
  });
  await expect(history({ FleetId: "fleet-none" })).rejects.toMatchObject({ name: "InvalidFleetId.NotFound" });
});

test("a spot fleet from launch specifications", async () => {
  const { SpotFleetRequestId = "" } = await ec2.send(
    new RequestSpotFleetCommand({
      SpotFleetRequestConfig: {
        IamFleetRole: started.roleArn,
        TargetCapacity: 2,
        AllocationStrategy: "capacityOptimized",
        LaunchSpecifications: [
          { ImageId: image, InstanceType: "m5.large" },
          { ImageId: image, InstanceType: "c5.large" },
        ],
      },
    }),
  );
  const instances = await ec2.send(new DescribeSpotFleetInstancesCommand({ SpotFleetRequestId }));
  expect(instances.ActiveInstances).toHaveLength(2);
  const described = await ec2.send(new DescribeSpotFleetRequestsCommand({ SpotFleetRequestIds: [SpotFleetRequestId] }));
  expect(described.SpotFleetRequestConfigs?.[0]).toMatchObject({
    SpotFleetRequestState: "active",
    SpotFleetRequestConfig: { TargetCapacity: 2, FulfilledCapacity: 2 },
  });
  const history = await ec2.send(
    new DescribeSpotFleetRequestHistoryCommand({ SpotFleetRequestId, StartTime: new Date(now() - 1000) }),
  );
  expect(history.HistoryRecords?.map(({ EventInformation }) => EventInformation?.EventSubType)).toEqual([
    "active",
    "launched",
    "launched",
  ]);
  const cancelled = await ec2.send(
    new CancelSpotFleetRequestsCommand({ SpotFleetRequestIds: [SpotFleetRequestId], TerminateInstances: true }),
  );
  expect(cancelled.SuccessfulFleetRequests?.[0]?.CurrentSpotFleetRequestState).toBe("cancelled_terminating");
});

test("one datafeed subscription", async () => {
  const ask = () => ec2.send(new DescribeSpotDatafeedSubscriptionCommand({}));
  await expect(ask()).rejects.toMatchObject({ name: "InvalidSpotDatafeed.NotFound" });
  await ec2.send(new CreateSpotDatafeedSubscriptionCommand({ Bucket: "b", Prefix: "p" }));
  expect((await ask()).SpotDatafeedSubscription).toEqual({
    Bucket: "b",
    Prefix: "p",
    OwnerId: "111122223333",
    State: "Active",
  });
  await ec2.send(new DeleteSpotDatafeedSubscriptionCommand({}));
  await expect(ask()).rejects.toMatchObject({ name: "InvalidSpotDatafeed.NotFound" });
});
