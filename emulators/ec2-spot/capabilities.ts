/** Every operation served, and the important ones that are not. */
import type { Capability } from "../kernel/emulator.ts";

const prices = ["contract/ec2-spot-prices", "ec2-spot/price-history", "ec2-spot/price-path"];
const sessions = ["contract/ec2-sts"];
const moreSessions = ["contract/ec2-sts-sessions"];
const catalogue = ["contract/ec2-catalogue", "ec2-spot/catalogue"];
const lives = ["contract/ec2-lives"];
const account = ["contract/ec2-account"];
const templates = ["contract/ec2-launch-templates"];
const launchOptions = ["contract/ec2-launch-options"];
const interruptions = ["contract/ec2-interruptions"];
const fleets = ["contract/ec2-fleets", "contract/ec2-fleet-terms"];
const pricing = ["contract/ec2-pricing"];

const all = (service: string, operations: string, provedBy: readonly string[]): readonly Capability[] =>
  operations.split(" ").map((operation) => ({ operation: `${service}:${operation}`, status: "full", provedBy }));

const some = (operation: string, provedBy: readonly string[], note: string): Capability => ({
  operation,
  status: "partial",
  provedBy,
  note,
});

const absent = (operations: string, note: string): readonly Capability[] =>
  operations.split(" ").map((operation) => ({ operation, status: "absent", provedBy: [], note }));

export const capabilities: readonly Capability[] = [
  { operation: "ec2:DescribeSpotPriceHistory", status: "full", provedBy: prices },
  { operation: "ec2:DescribeRegions", status: "full", provedBy: catalogue },
  some("ec2:DescribeAvailabilityZones", catalogue, "no local or wavelength zones"),
  some(
    "ec2:DescribeInstanceTypes",
    catalogue,
    "sizes of disks, networks and accelerators are left out; filters on them are refused",
  ),
  some("ec2:DescribeInstanceTypeOfferings", account, "no outposts"),
  some(
    "ec2:RunInstances",
    lives,
    "one network interface; CPU, credit, enclave, hibernation, licence and capacity reservation options are taken and change nothing; no capacity blocks",
  ),
  some("ec2:DescribeInstances", lives, "filters on what is not emulated (hosts, Outposts, IPv6) are refused"),
  ...all("ec2", "StartInstances StopInstances TerminateInstances", lives),
  some("ec2:DescribeInstanceStatus", lives, "no scheduled events"),
  ...all("ec2", "RebootInstances", lives),
  some("ec2:DescribeInstanceAttribute", account, "network attributes have their defaults"),
  some("ec2:ModifyInstanceAttribute", launchOptions, "no devices, kernels and network support"),
  some("ec2:RequestSpotInstances", lives, "launch and zone groups are kept and constrain nothing; no spot blocks"),
  some("ec2:DescribeSpotInstanceRequests", lives, "filters on network interface details are refused"),
  ...all("ec2", "CancelSpotInstanceRequests", lives),
  some("ec2:GetSpotPlacementScores", account, "no limit on new configurations; attributes as with CreateFleet"),
  some("ec2:CreateImage", lives, "devices can be dropped and resized, not added"),
  some("ec2:CopyImage", account, "the encryption key is not kept"),
  some("ec2:DescribeImages", lives, "own images and seven public ones in each region; no sharing between accounts"),
  ...all("ec2", "DeregisterImage", lives),
  some("ec2:DescribeSnapshots", lives, "own snapshots only; progress goes from 0 % to 100 %"),
  ...all("ec2", "DeleteSnapshot", account),
  some("ec2:DescribeVolumes", lives, "volumes come with instances"),
  ...all("ec2", "CreateTags DeleteTags DescribeTags", account),
  some("ec2:DescribeVpcs", account, "the default VPC"),
  some("ec2:DescribeSubnets", account, "the default subnets; the count of free addresses stands still"),
  some("ec2:DescribeSecurityGroups", account, "egress is open"),
  ...all("ec2", "CreateSecurityGroup DeleteSecurityGroup", account),
  some("ec2:AuthorizeSecurityGroupIngress", account, "rules are kept, no traffic is filtered; IPv4 and groups only"),
  ...all("ec2", "DescribeKeyPairs ImportKeyPair DeleteKeyPair", account),
  some("ec2:CreateKeyPair", account, "the key material has the form of a key and opens nothing"),
  some("ec2:DescribeAccountAttributes", account, "fixed limits"),
  ...["ec2:CreateLaunchTemplate", "ec2:CreateLaunchTemplateVersion"].map((operation) =>
    some(operation, templates, "image aliases (resolve:ssm:..) are kept and not resolved"),
  ),
  ...all("ec2", "DescribeLaunchTemplates ModifyLaunchTemplate DeleteLaunchTemplate", templates),
  ...all("ec2", "DescribeLaunchTemplateVersions DeleteLaunchTemplateVersions", templates),
  some(
    "ec2:GetInstanceTypesFromInstanceRequirements",
    fleets,
    "attributes of disks, networks, bandwidth and accelerator models are refused",
  ),
  some(
    "ec2:CreateFleet",
    fleets,
    "on demand there is always capacity; attributes of disks, networks and accelerator models are refused; capacity reservations, unhealthy instances and contexts change nothing",
  ),
  ...all("ec2", "ModifyFleet DescribeFleets DescribeFleetInstances DeleteFleets", fleets),
  some("ec2:RequestSpotFleet", fleets, "as CreateFleet; no load balancers"),
  ...all(
    "ec2",
    "ModifySpotFleetRequest DescribeSpotFleetRequests DescribeSpotFleetInstances CancelSpotFleetRequests",
    fleets,
  ),
  ...["ec2:DescribeFleetHistory", "ec2:DescribeSpotFleetRequestHistory"].map((operation) =>
    some(operation, fleets, "the newest 200 events, at once; AWS holds them back for up to 30 s"),
  ),
  some("ec2:CreateSpotDatafeedSubscription", fleets, "nothing is delivered to the bucket"),
  ...all("ec2", "DescribeSpotDatafeedSubscription DeleteSpotDatafeedSubscription", fleets),
  some("sts:AssumeRole", sessions, "session policies and tags are measured, not enforced; no MFA"),
  ...all("sts", "GetCallerIdentity", sessions),
  some("sts:GetSessionToken", moreSessions, "no MFA"),
  some("sts:GetFederationToken", moreSessions, "policies are measured, not enforced"),
  some(
    "sts:AssumeRoleWithWebIdentity",
    moreSessions,
    "the token's form, issuer and expiry are checked, not its signature",
  ),
  ...all("sts", "GetAccessKeyInfo", moreSessions),
  some("pricing:GetProducts", pricing, "AmazonEC2 compute instances only"),
  ...all("pricing", "GetAttributeValues", pricing),
  some("pricing:DescribeServices", pricing, "AmazonEC2 only"),
  some("pricing:ListPriceLists", pricing, "the list of the month; JSON only"),
  ...all("pricing", "GetPriceListFileUrl", pricing),
  { operation: "spot-advisor:GET /spot-advisor-data.json", status: "full", provedBy: pricing },
  some(
    "fis:CreateExperimentTemplate",
    interruptions,
    "action aws:ec2:send-spot-instance-interruptions only; filters and stop conditions are kept and change nothing",
  ),
  ...all(
    "fis",
    "GetExperimentTemplate ListExperimentTemplates DeleteExperimentTemplate StartExperiment GetExperiment ListExperiments StopExperiment",
    interruptions,
  ),
  { operation: "imds:PUT /latest/api/token", status: "full", provedBy: ["contract/ec2-metadata"] },
  some("imds:GET /latest/*", interruptions, "no maintenance events; unsigned identity documents; one interface"),
  ...absent(
    "ec2:CreateVpc ec2:CreateSubnet ec2:CreateVolume ec2:CreateSnapshot ec2:GetConsoleOutput " +
      "ec2:DescribeNetworkInterfaces ec2:RevokeSecurityGroupIngress ec2:DescribeSecurityGroupRules " +
      "ec2:MonitorInstances ec2:ModifyInstanceMetadataOptions",
    "answers InvalidAction",
  ),
  ...absent(
    "fis:UpdateExperimentTemplate fis:ListActions fis:GetAction fis:ListTargetResourceTypes fis:TagResource",
    "answers that there is no such path",
  ),
  ...absent("sts:AssumeRoleWithSAML sts:DecodeAuthorizationMessage", "answers InvalidAction"),
];
