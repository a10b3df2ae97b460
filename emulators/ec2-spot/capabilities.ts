/** Every operation served, and the important ones that are not. */
import type { Capability } from "../kernel/emulator.ts";

const prices = ["contract/ec2-spot-prices", "ec2-spot/price-history", "ec2-spot/price-path"];
const sessions = ["contract/ec2-sts"];
const catalogue = ["contract/ec2-catalogue", "ec2-spot/catalogue"];

const absent = (operations: string, note: string): readonly Capability[] =>
  operations.split(" ").map((operation) => ({ operation, status: "absent", provedBy: [], note }));

export const capabilities: readonly Capability[] = [
  { operation: "ec2:DescribeSpotPriceHistory", status: "full", provedBy: prices },
  { operation: "ec2:DescribeRegions", status: "full", provedBy: catalogue },
  {
    operation: "ec2:DescribeAvailabilityZones",
    status: "partial",
    provedBy: catalogue,
    note: "no local or wavelength zones",
  },
  {
    operation: "ec2:DescribeInstanceTypes",
    status: "partial",
    provedBy: catalogue,
    note: "sizes of disks, networks and accelerators are left out; filters on them are refused",
  },
  {
    operation: "sts:AssumeRole",
    status: "partial",
    provedBy: sessions,
    note: "session policies and tags are measured, not enforced; no MFA",
  },
  { operation: "sts:GetCallerIdentity", status: "full", provedBy: sessions },
  { operation: "imds:PUT /latest/api/token", status: "full", provedBy: ["contract/ec2-metadata"] },
  {
    operation: "imds:GET /latest/*",
    status: "partial",
    provedBy: ["contract/ec2-metadata"],
    note: "404 throughout: no instance runs yet",
  },
  ...absent(
    "ec2:RequestSpotInstances ec2:DescribeSpotInstanceRequests ec2:CancelSpotInstanceRequests ec2:RunInstances " +
      "ec2:DescribeInstances ec2:DescribeInstanceStatus ec2:StartInstances ec2:StopInstances ec2:TerminateInstances " +
      "ec2:CreateImage ec2:DescribeImages ec2:DeregisterImage ec2:CreateTags ec2:DeleteTags ec2:DescribeTags " +
      "ec2:DescribeInstanceTypeOfferings ec2:GetSpotPlacementScores",
    "answers InvalidAction",
  ),
  ...absent("sts:GetSessionToken sts:AssumeRoleWithWebIdentity", "answers InvalidAction"),
  ...absent("pricing:GetProducts fis:StartExperiment", "answers UnknownOperationException"),
];
