/** Launch templates with versions: made from one another, one of them the default, read back as they were written. */
import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  DeleteLaunchTemplateVersionsCommand,
  DescribeImagesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  type DescribeLaunchTemplateVersionsCommandInput,
  type EC2Client,
  ModifyLaunchTemplateCommand,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let ec2: EC2Client;
let image = "";
const named = { LaunchTemplateName: "web" };
beforeAll(async () => {
  started = await startEc2();
  ec2 = started.ec2();
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ Filters: [{ Name: "name", Values: ["al2023*x86_64"] }] }),
  );
  image = Images[0]?.ImageId ?? "";
  await ec2.send(
    new CreateLaunchTemplateCommand({
      ...named,
      LaunchTemplateData: { ImageId: image, InstanceType: "m5.large", MetadataOptions: { HttpTokens: "required" } },
    }),
  );
});
afterAll(() => started.close());

const told = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    (cause: Error) => cause.name,
  );
const versions = async (input: DescribeLaunchTemplateVersionsCommandInput = named) =>
  (await ec2.send(new DescribeLaunchTemplateVersionsCommand(input))).LaunchTemplateVersions ?? [];
const numbers = async (input?: DescribeLaunchTemplateVersionsCommandInput) =>
  (await versions(input)).map(({ VersionNumber }) => VersionNumber);
const launchedType = async (Version?: string) =>
  (await ec2.send(new RunInstancesCommand({ LaunchTemplate: { ...named, Version }, MinCount: 1, MaxCount: 1 })))
    .Instances?.[0]?.InstanceType;

test("a version takes from its source what it does not say; $Latest moves at once, $Default when it is told", async () => {
  const made = await ec2.send(
    new CreateLaunchTemplateVersionCommand({
      ...named,
      SourceVersion: "1",
      VersionDescription: "cheaper",
      LaunchTemplateData: { InstanceType: "c5.large" },
    }),
  );
  expect(made.LaunchTemplateVersion).toMatchObject({
    VersionNumber: 2,
    DefaultVersion: false,
    VersionDescription: "cheaper",
    LaunchTemplateData: { ImageId: image, InstanceType: "c5.large", MetadataOptions: { HttpTokens: "required" } },
  });
  expect([await launchedType("$Latest"), await launchedType("$Default"), await launchedType()]).toEqual([
    "c5.large",
    "m5.large",
    "m5.large",
  ]);
  const modified = await ec2.send(new ModifyLaunchTemplateCommand({ ...named, DefaultVersion: "2" }));
  expect(modified.LaunchTemplate).toMatchObject({ DefaultVersionNumber: 2, LatestVersionNumber: 2 });
  expect(await launchedType()).toBe("c5.large");
  expect(await told(ec2.send(new ModifyLaunchTemplateCommand({ ...named, DefaultVersion: "9" })))).toBe(
    "InvalidLaunchTemplateId.VersionNotFound",
  );
});

test("versions are filtered and paged, newest first; those that do not exist are an error", async () => {
  await ec2.send(
    new CreateLaunchTemplateVersionCommand({ ...named, LaunchTemplateData: { InstanceType: "r5.large" } }),
  );
  expect(await numbers()).toEqual([3, 2, 1]);
  const first = await ec2.send(new DescribeLaunchTemplateVersionsCommand({ ...named, MaxResults: 2 }));
  expect(first.LaunchTemplateVersions).toHaveLength(2);
  expect(await numbers({ ...named, MaxResults: 2, NextToken: first.NextToken })).toEqual([1]);
  expect(await numbers({ ...named, Filters: [{ Name: "instance-type", Values: ["c5.*"] }] })).toEqual([2]);
  expect(await numbers({ ...named, Filters: [{ Name: "is-default-version", Values: ["true"] }] })).toEqual([2]);
  expect(await told(versions({ ...named, Filters: [{ Name: "colour", Values: ["red"] }] }))).toBe(
    "InvalidParameterValue",
  );
  expect(await told(versions({ ...named, Versions: ["9"] }))).toBe("InvalidLaunchTemplateId.VersionNotFound");
  expect(await numbers({ Versions: ["$Latest", "$Default"] })).toEqual([3, 2]);
  expect(await told(versions({}))).toBe("MissingParameter");
  expect(await told(versions({ ...named, LaunchTemplateId: "lt-1" }))).toBe("InvalidParameterCombination");
});

test("what a template holds is read back whole", async () => {
  const data = {
    ImageId: image,
    EbsOptimized: true,
    NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true, Groups: ["sg-1", "sg-2"] }],
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { VolumeSize: 20, VolumeType: "gp3", Iops: 3000 } }],
    Placement: { AvailabilityZone: "us-east-1a", Tenancy: "default" },
    CreditSpecification: { CpuCredits: "standard" },
    TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "a", Value: "<b>" }] }],
    SecurityGroupIds: ["sg-3"],
    UserData: "IyEvYmluL3No",
    InstanceRequirements: {
      VCpuCount: { Min: 2, Max: 4 },
      MemoryMiB: { Min: 4096 },
      InstanceGenerations: ["current"],
    },
  } as const satisfies ConstructorParameters<typeof CreateLaunchTemplateCommand>[0]["LaunchTemplateData"];
  const whole = { LaunchTemplateName: "whole" };
  await ec2.send(new CreateLaunchTemplateCommand({ ...whole, LaunchTemplateData: structuredClone(data) }));
  expect((await versions(whole))[0]?.LaunchTemplateData).toEqual(data);
});

test("deleted numbers are not given again, and the default version stays", async () => {
  const deleted = await ec2.send(new DeleteLaunchTemplateVersionsCommand({ ...named, Versions: ["3", "2", "7"] }));
  expect(deleted.SuccessfullyDeletedLaunchTemplateVersions?.map(({ VersionNumber }) => VersionNumber)).toEqual([3]);
  expect(
    deleted.UnsuccessfullyDeletedLaunchTemplateVersions?.map(({ VersionNumber, ResponseError }) => [
      VersionNumber,
      ResponseError?.Code,
    ]),
  ).toEqual([
    [2, "unexpectedError"],
    [7, "launchTemplateVersionDoesNotExist"],
  ]);
  const made = await ec2.send(
    new CreateLaunchTemplateVersionCommand({ ...named, LaunchTemplateData: { InstanceType: "m5.large" } }),
  );
  expect(made.LaunchTemplateVersion?.VersionNumber).toBe(4);
  const { LaunchTemplates = [] } = await ec2.send(new DescribeLaunchTemplatesCommand({ LaunchTemplateNames: ["web"] }));
  expect(LaunchTemplates[0]).toMatchObject({ DefaultVersionNumber: 2, LatestVersionNumber: 4 });
});
