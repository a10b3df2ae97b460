/** The tree that an instance reads about itself. */
import { privateDns, publicDns } from "./network.ts";
import type { Instance } from "./resources.ts";

export interface Self {
  readonly instance: Instance;
  readonly zoneName: string;
  /** Credentials of the instance profile's role; absent without a profile. */
  readonly credentials?: { readonly role: string; readonly json: string } | undefined;
}

/** A value, or what is below; undefined: nothing is there. */
export type Leaf = string | Branch | undefined;
export interface Branch {
  readonly [name: string]: Leaf;
}

const seconds = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;

export function metadataTree({ instance, zoneName, credentials }: Self): Branch {
  const { plan } = instance;
  const host = privateDns(instance.privateIp, instance.region);
  const groups = plan.groups.map(({ name }) => name).join("\n");
  const { interruption, rebalanceAt, publicIp } = instance;
  const profile = plan.profile;
  return {
    "ami-id": plan.image,
    "ami-launch-index": String(instance.place),
    "ami-manifest-path": "(unknown)",
    "block-device-mapping": { ami: plan.rootDevice.replace("/dev/", ""), root: plan.rootDevice },
    events: {
      maintenance: { history: "[]", scheduled: "[]" },
      ...(rebalanceAt === undefined
        ? {}
        : { recommendations: { rebalance: JSON.stringify({ noticeTime: seconds(rebalanceAt) }) } }),
    },
    hostname: host,
    ...(profile === undefined
      ? {}
      : {
          iam: {
            info: JSON.stringify(
              {
                Code: "Success",
                LastUpdated: seconds(instance.launchedAt),
                InstanceProfileArn: profile,
                InstanceProfileId: "AIPABACKLOTPROFILEXYZ",
              },
              null,
              2,
            ),
            "security-credentials": credentials ? { [credentials.role]: credentials.json } : {},
          },
        }),
    "instance-action": instance.state === "shutting-down" ? "shutdown" : "none",
    "instance-id": instance.id,
    "instance-life-cycle": instance.spotRequest === undefined ? "on-demand" : "spot",
    "instance-type": plan.type,
    "local-hostname": host,
    "local-ipv4": instance.privateIp,
    mac: instance.mac,
    metrics: { vhostmd: '<?xml version="1.0" encoding="UTF-8"?>' },
    network: { interfaces: { macs: { [instance.mac]: interfaceTree(instance, host, groups) } } },
    placement: {
      "availability-zone": zoneName,
      "availability-zone-id": instance.zone,
      region: instance.region,
    },
    profile: "default-hvm",
    ...(publicIp === undefined
      ? {}
      : { "public-hostname": publicDns(publicIp, instance.region), "public-ipv4": publicIp }),
    ...(plan.keyName === undefined
      ? {}
      : { "public-keys": { "0": { "openssh-key": `ssh-rsa backlot ${plan.keyName}` } } }),
    "reservation-id": instance.reservation,
    "security-groups": groups,
    services: { domain: "amazonaws.com", partition: "aws" },
    ...(interruption
      ? {
          spot: {
            "instance-action": JSON.stringify({ action: interruption.action, time: seconds(interruption.at) }),
            ...(interruption.action === "hibernate" ? {} : { "termination-time": seconds(interruption.at) }),
          },
        }
      : {}),
    ...(plan.metadataTags
      ? { tags: { instance: Object.fromEntries(instance.tags.map(({ key, value }) => [key, value])) } }
      : {}),
  };
}

function interfaceTree(instance: Instance, host: string, groups: string): Branch {
  return {
    "device-number": "0",
    "interface-id": instance.interface,
    "local-hostname": host,
    "local-ipv4s": instance.privateIp,
    mac: instance.mac,
    "owner-id": instance.account,
    ...(instance.publicIp === undefined
      ? {}
      : { "public-hostname": publicDns(instance.publicIp, instance.region), "public-ipv4s": instance.publicIp }),
    "security-group-ids": instance.plan.groups.map(({ id }) => id).join("\n"),
    "security-groups": groups,
    "subnet-id": instance.subnet,
    "subnet-ipv4-cidr-block": `${instance.privateIp.split(".").slice(0, 2).join(".")}.0.0/20`,
    "vpc-id": instance.vpc,
    "vpc-ipv4-cidr-block": "172.31.0.0/16",
    "vpc-ipv4-cidr-blocks": "172.31.0.0/16",
  };
}

export function identityDocument({ instance, zoneName }: Self): string {
  return JSON.stringify(
    {
      accountId: instance.account,
      architecture: instance.plan.architecture,
      availabilityZone: zoneName,
      billingProducts: null,
      devpayProductCodes: null,
      imageId: instance.plan.image,
      instanceId: instance.id,
      instanceType: instance.plan.type,
      kernelId: null,
      marketplaceProductCodes: null,
      pendingTime: seconds(instance.launchedAt),
      privateIp: instance.privateIp,
      ramdiskId: null,
      region: instance.region,
      version: "2017-09-30",
    },
    null,
    2,
  );
}

/** What a path leads to: the text of a value, or the names below with `/` after those that have names below. */
export function lookUp(tree: Branch, path: readonly string[]): string | undefined {
  let at: Leaf = tree;
  for (const step of path) {
    if (typeof at !== "object" || !Object.hasOwn(at, step)) return undefined;
    at = at[step];
  }
  if (typeof at !== "object") return at;
  return Object.entries(at)
    .filter(([, below]) => below !== undefined)
    .map(([name, below]) => (typeof below === "object" ? `${name}/` : name))
    .join("\n");
}
