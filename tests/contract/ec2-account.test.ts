/** What surrounds an instance: network, keys, tags, offerings, images in other regions, launch templates, scores. */
import {
  AuthorizeSecurityGroupIngressCommand,
  CopyImageCommand,
  CreateImageCommand,
  CreateKeyPairCommand,
  CreateLaunchTemplateCommand,
  CreateSecurityGroupCommand,
  CreateTagsCommand,
  DeleteKeyPairCommand,
  DeleteLaunchTemplateCommand,
  DeleteSecurityGroupCommand,
  DeleteSnapshotCommand,
  DeleteTagsCommand,
  DeregisterImageCommand,
  DescribeAccountAttributesCommand,
  DescribeImagesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeKeyPairsCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotsCommand,
  DescribeSubnetsCommand,
  DescribeTagsCommand,
  DescribeVpcsCommand,
  type EC2Client,
  GetSpotPlacementScoresCommand,
  ImportKeyPairCommand,
  RunInstancesCommand,
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
});
afterAll(() => started.close());

const told = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    (cause: Error) => cause.name,
  );
const advance = (seconds: number) => started.emulator.advance(started.emulator.runtime.clock.now() + seconds * 1000);
async function run(extra: Partial<ConstructorParameters<typeof RunInstancesCommand>[0]> = {}) {
  const answer = await ec2.send(
    new RunInstancesCommand({ ImageId: image, InstanceType: "m5.large", MinCount: 1, MaxCount: 1, ...extra }),
  );
  return answer.Instances?.[0];
}

test("a default network: one VPC, a subnet in each zone, one group; a subnet decides the zone", async () => {
  const { Vpcs = [] } = await ec2.send(
    new DescribeVpcsCommand({ Filters: [{ Name: "is-default", Values: ["true"] }] }),
  );
  expect(Vpcs).toHaveLength(1);
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({}));
  expect(Subnets).toHaveLength(6);
  const subnet = Subnets.find(({ AvailabilityZone }) => AvailabilityZone === "us-east-1d");
  const instance = await run({ SubnetId: subnet?.SubnetId });
  expect(instance).toMatchObject({ Placement: { AvailabilityZone: "us-east-1d" }, VpcId: Vpcs[0]?.VpcId });
  expect(await told(run({ SubnetId: "subnet-00000000000000000" }))).toBe("InvalidSubnetID.NotFound");
  const attributes = await ec2.send(new DescribeAccountAttributesCommand({ AttributeNames: ["default-vpc"] }));
  expect(attributes.AccountAttributes?.[0]?.AttributeValues?.[0]?.AttributeValue).toBe(Vpcs[0]?.VpcId);
  const type = await ec2.send(
    new DescribeInstanceAttributeCommand({ InstanceId: instance?.InstanceId, Attribute: "instanceType" }),
  );
  expect(type.InstanceType?.Value).toBe("m5.large");
});

test("security groups: made, opened, used, deleted when nothing uses them", async () => {
  const { GroupId } = await ec2.send(new CreateSecurityGroupCommand({ GroupName: "web", Description: "<web> & more" }));
  expect(await told(ec2.send(new CreateSecurityGroupCommand({ GroupName: "web", Description: "x" })))).toBe(
    "InvalidGroup.Duplicate",
  );
  const rule = {
    IpProtocol: "tcp",
    FromPort: 443,
    ToPort: 443,
    IpRanges: [{ CidrIp: "0.0.0.0/0", Description: "all" }],
  };
  await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] }));
  expect(await told(ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] })))).toBe(
    "InvalidPermission.Duplicate",
  );
  const described = await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId ?? ""] }));
  expect(described.SecurityGroups?.[0]).toMatchObject({ Description: "<web> & more", IpPermissions: [rule] });
  const instance = await run({ SecurityGroupIds: [GroupId ?? ""] });
  expect(instance?.SecurityGroups).toEqual([{ GroupId, GroupName: "web" }]);
  expect(await told(ec2.send(new DeleteSecurityGroupCommand({ GroupId })))).toBe("DependencyViolation");
  const free = await ec2.send(new CreateSecurityGroupCommand({ GroupName: "free", Description: "x" }));
  await ec2.send(new DeleteSecurityGroupCommand({ GroupId: free.GroupId }));
  expect(await told(ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [free.GroupId ?? ""] })))).toBe(
    "InvalidGroup.NotFound",
  );
});

test("key pairs: made, imported, used, deleted", async () => {
  const made = await ec2.send(new CreateKeyPairCommand({ KeyName: "mine" }));
  expect(made.KeyMaterial).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
  await ec2.send(
    new ImportKeyPairCommand({ KeyName: "theirs", PublicKeyMaterial: Buffer.from("ssh-ed25519 AAAA me") }),
  );
  expect(await told(ec2.send(new CreateKeyPairCommand({ KeyName: "mine" })))).toBe("InvalidKeyPair.Duplicate");
  const { KeyPairs = [] } = await ec2.send(new DescribeKeyPairsCommand({}));
  expect(KeyPairs.map(({ KeyName }) => KeyName)).toEqual(["mine", "theirs"]);
  expect((await run({ KeyName: "mine" }))?.KeyName).toBe("mine");
  expect(await told(run({ KeyName: "none" }))).toBe("InvalidKeyPair.NotFound");
  await ec2.send(new DeleteKeyPairCommand({ KeyName: "mine" }));
  expect(await told(ec2.send(new DescribeKeyPairsCommand({ KeyNames: ["mine"] })))).toBe("InvalidKeyPair.NotFound");
});

test("tags on anything, also on the default network, and taken off again", async () => {
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({}));
  const vpc = Vpcs[0]?.VpcId ?? "";
  await ec2.send(
    new CreateTagsCommand({
      Resources: [vpc],
      Tags: [
        { Key: "a", Value: "1" },
        { Key: "b", Value: "<&>" },
      ],
    }),
  );
  const tagged = await ec2.send(new DescribeVpcsCommand({ Filters: [{ Name: "tag:b", Values: ["<&>"] }] }));
  expect(tagged.Vpcs?.[0]?.Tags).toEqual([
    { Key: "a", Value: "1" },
    { Key: "b", Value: "<&>" },
  ]);
  await ec2.send(new DeleteTagsCommand({ Resources: [vpc], Tags: [{ Key: "a", Value: "other" }, { Key: "b" }] }));
  const left = await ec2.send(new DescribeTagsCommand({ Filters: [{ Name: "resource-id", Values: [vpc] }] }));
  expect(left.Tags).toEqual([{ ResourceId: vpc, ResourceType: "vpc", Key: "a", Value: "1" }]);
  expect(
    await told(
      ec2.send(new CreateTagsCommand({ Resources: ["i-00000000000000000"], Tags: [{ Key: "x", Value: "" }] })),
    ),
  ).toBe("InvalidInstanceID.NotFound");
});

test("offerings by region and by zone id, with wildcards and pages", async () => {
  const region = await ec2.send(
    new DescribeInstanceTypeOfferingsCommand({ Filters: [{ Name: "instance-type", Values: ["m5.*"] }] }),
  );
  expect(region.InstanceTypeOfferings).toContainEqual({
    InstanceType: "m5.large",
    LocationType: "region",
    Location: "us-east-1",
  });
  const zones = await ec2.send(
    new DescribeInstanceTypeOfferingsCommand({
      LocationType: "availability-zone-id",
      Filters: [{ Name: "location", Values: ["use1-az3"] }],
    }),
  );
  expect(zones.InstanceTypeOfferings?.length).toBeLessThan(80);
});

test("an image goes to another region; its snapshot cannot go while it is used", async () => {
  const instance = await run();
  await advance(60);
  const { ImageId } = await ec2.send(new CreateImageCommand({ InstanceId: instance?.InstanceId, Name: "base image" }));
  await advance(600);
  const west = started.ec2({ region: "us-west-2" });
  const copied = await west.send(
    new CopyImageCommand({ Name: "base image", SourceImageId: ImageId, SourceRegion: "us-east-1" }),
  );
  expect(await told(west.send(new DescribeImagesCommand({ ImageIds: [ImageId ?? ""] })))).toBe("InvalidAMIID.NotFound");
  await advance(600);
  const there = await west.send(new DescribeImagesCommand({ ImageIds: [copied.ImageId ?? ""] }));
  expect(there.Images?.[0]).toMatchObject({ State: "available", SourceImageId: ImageId });
  const snapshot = (await west.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }))).Snapshots?.[0]?.SnapshotId;
  expect(await told(west.send(new DeleteSnapshotCommand({ SnapshotId: snapshot })))).toBe("InvalidSnapshot.InUse");
  await west.send(new DeregisterImageCommand({ ImageId: copied.ImageId }));
  await west.send(new DeleteSnapshotCommand({ SnapshotId: snapshot }));
  expect(await told(west.send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshot ?? ""] })))).toBe(
    "InvalidSnapshot.NotFound",
  );
});

test("a launch template says what a launch leaves out", async () => {
  const made = await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: "fleet",
      LaunchTemplateData: {
        ImageId: image,
        InstanceType: "c5.large",
        TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "from", Value: "template" }] }],
        InstanceMarketOptions: { MarketType: "spot" },
      },
    }),
  );
  const LaunchTemplateId = made.LaunchTemplate?.LaunchTemplateId;
  const answer = await ec2.send(
    new RunInstancesCommand({ LaunchTemplate: { LaunchTemplateName: "fleet" }, MinCount: 1, MaxCount: 1 }),
  );
  expect(answer.Instances?.[0]).toMatchObject({
    InstanceType: "c5.large",
    InstanceLifecycle: "spot",
    Tags: [
      { Key: "from", Value: "template" },
      { Key: "aws:ec2launchtemplate:id", Value: LaunchTemplateId },
      { Key: "aws:ec2launchtemplate:version", Value: "1" },
    ],
  });
  const versions = await ec2.send(
    new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, Versions: ["$Latest"] }),
  );
  expect(versions.LaunchTemplateVersions?.[0]).toMatchObject({
    VersionNumber: 1,
    LaunchTemplateData: { ImageId: image, InstanceType: "c5.large", InstanceMarketOptions: { MarketType: "spot" } },
  });
  await ec2.send(new DeleteLaunchTemplateCommand({ LaunchTemplateId }));
  expect((await ec2.send(new DescribeLaunchTemplatesCommand({}))).LaunchTemplates).toEqual([]);
});

test("placement scores: ten at most, best first, low for few types", async () => {
  const ask = (InstanceTypes: string[], SingleAvailabilityZone = false) =>
    ec2.send(
      new GetSpotPlacementScoresCommand({
        InstanceTypes,
        TargetCapacity: 10,
        SingleAvailabilityZone,
        RegionNames: ["us-east-1", "eu-west-1", "us-west-2"],
      }),
    );
  const scores = (await ask(["m5.large", "m5a.large", "m6i.large", "c5.large"])).SpotPlacementScores ?? [];
  expect(scores.map(({ Score }) => Score)).toEqual(scores.map(({ Score }) => Score).sort((a = 0, b = 0) => b - a));
  expect(scores).toHaveLength(3);
  expect((await ask(["m5.large"], true)).SpotPlacementScores?.every(({ Score = 9 }) => Score <= 3)).toBe(true);
});

test("accounts do not see each other's instances", async () => {
  const partner = started.emulator.runtime.state.firstAccessKey("444455556666");
  const other = started.ec2({
    credentials: { accessKeyId: partner?.id ?? "", secretAccessKey: partner?.secret ?? "" },
  });
  const mine = await run();
  expect((await other.send(new DescribeInstancesCommand({}))).Reservations).toEqual([]);
  expect(await told(other.send(new DescribeInstancesCommand({ InstanceIds: [mine?.InstanceId ?? ""] })))).toBe(
    "InvalidInstanceID.NotFound",
  );
});
