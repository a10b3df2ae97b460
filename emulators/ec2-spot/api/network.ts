/** DescribeVpcs, DescribeSubnets, security groups, key pairs, account attributes. */
import { createHash } from "node:crypto";
import { cidrOf, type Subnet } from "../domain/network.ts";
import type { IpRule, KeyPair, Resource, SecurityGroup } from "../domain/resources.ts";
import { matchesAny } from "../domain/wildcard.ts";
import { reject } from "../errors.ts";
import { networkOf } from "../network.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { instantText } from "../wire/time.ts";
import { element, itemList, maybe, tagSetXml } from "../wire/xml.ts";
import { type Facts, pageOf, sift } from "./describe.ts";
import { ownerOf, zoneNameOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { tagsFor } from "./tag-specifications.ts";

/** A part of the default network with the tags it may have been given. */
function tagged(call: Call, id: string): Resource {
  const owner = ownerOf(call);
  return call.runtime.state.resources.network.of(owner, id) ?? { id, ...owner, tags: [] };
}

export const describeVpcs: Operation = {
  service: "ec2",
  action: "DescribeVpcs",
  parameters: parameterNames("VpcId DryRun Filter MaxResults NextToken"),
  run(call) {
    const network = networkOf(call.runtime.ids, ownerOf(call), call.region);
    const ids = call.parameters.list("VpcId");
    for (const id of ids) if (id !== network.vpc) reject("vpcNotFound", id);
    const facts: Facts<Resource> = {
      cidr: () => ["172.31.0.0/16"],
      "cidr-block-association.cidr-block": () => ["172.31.0.0/16"],
      "dhcp-options-id": () => ["default"],
      "is-default": () => ["true"],
      isDefault: () => ["true"],
      "owner-id": ({ account }) => [account],
      state: () => ["available"],
      "vpc-id": ({ id }) => [id],
    };
    const found = sift([tagged(call, network.vpc)], call.parameters.filters(), facts);
    stopDryRun(call);
    const { items } = pageOf(call, found, { purpose: "vpcs", ids });
    const set = items.map(
      ({ id, account, tags }) =>
        element("vpcId", id) +
        element("ownerId", account) +
        element("state", "available") +
        element("cidrBlock", "172.31.0.0/16") +
        element("dhcpOptionsId", "default") +
        tagSetXml(tags) +
        element("instanceTenancy", "default") +
        element("isDefault", true),
    );
    return answerEc2(call, "DescribeVpcs", itemList("vpcSet", set));
  },
};

type TaggedSubnet = Resource & { readonly subnet: Subnet };

export const describeSubnets: Operation = {
  service: "ec2",
  action: "DescribeSubnets",
  parameters: parameterNames("SubnetId DryRun Filter MaxResults NextToken"),
  run(call) {
    const { subnets } = networkOf(call.runtime.ids, ownerOf(call), call.region);
    const ids = call.parameters.list("SubnetId");
    for (const id of ids) if (!subnets.some((subnet) => subnet.id === id)) reject("subnetNotFound", id);
    const all = subnets
      .filter(({ id }) => ids.length === 0 || ids.includes(id))
      .map((subnet): TaggedSubnet => ({ ...tagged(call, subnet.id), subnet }));
    const facts: Facts<TaggedSubnet> = {
      "availability-zone": ({ subnet }) => [zoneNameOf(call, subnet.zone)],
      availabilityZone: ({ subnet }) => [zoneNameOf(call, subnet.zone)],
      "availability-zone-id": ({ subnet }) => [subnet.zone],
      "available-ip-address-count": () => ["4091"],
      cidr: ({ subnet }) => [cidrOf(subnet)],
      "cidr-block": ({ subnet }) => [cidrOf(subnet)],
      "default-for-az": () => ["true"],
      defaultForAz: () => ["true"],
      "map-public-ip-on-launch": () => ["true"],
      "owner-id": ({ account }) => [account],
      state: () => ["available"],
      "subnet-id": ({ id }) => [id],
      "vpc-id": ({ subnet }) => [subnet.vpc],
    };
    const found = sift(all, call.parameters.filters(), facts);
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "subnets", ids });
    const set = itemList(
      "subnetSet",
      page.items.map(
        ({ id, account, region, tags, subnet }) =>
          element("availabilityZone", zoneNameOf(call, subnet.zone)) +
          element("availabilityZoneId", subnet.zone) +
          element("availableIpAddressCount", 4091) +
          element("cidrBlock", cidrOf(subnet)) +
          element("defaultForAz", true) +
          element("mapPublicIpOnLaunch", true) +
          element("state", "available") +
          element("subnetId", id) +
          element("vpcId", subnet.vpc) +
          element("ownerId", account) +
          element("assignIpv6AddressOnCreation", false) +
          "<ipv6CidrBlockAssociationSet/>" +
          tagSetXml(tags) +
          element("subnetArn", `arn:aws:ec2:${region}:${account}:subnet/${id}`),
      ),
    );
    return answerEc2(call, "DescribeSubnets", page.token === undefined ? set : set + element("nextToken", page.token));
  },
};

function groupsOf(call: Call): readonly SecurityGroup[] {
  const owner = ownerOf(call);
  const network = networkOf(call.runtime.ids, owner, call.region);
  const own = call.runtime.state.resources.group.list(owner);
  if (own.some(({ id }) => id === network.defaultGroup)) return own;
  const all: IpRule = { protocol: "-1", ranges: [], groups: [network.defaultGroup] };
  const usual: SecurityGroup = {
    id: network.defaultGroup,
    ...owner,
    tags: [],
    name: "default",
    description: "default VPC security group",
    vpc: network.vpc,
    ingress: [all],
  };
  return [usual, ...own];
}

function ruleXml(account: string, rule: IpRule): string {
  return (
    element("ipProtocol", rule.protocol) +
    maybe("fromPort", rule.from) +
    maybe("toPort", rule.to) +
    itemList(
      "groups",
      rule.groups.map((id) => element("groupId", id) + element("userId", account)),
    ) +
    itemList(
      "ipRanges",
      rule.ranges.map(({ cidr, description }) => element("cidrIp", cidr) + maybe("description", description)),
    ) +
    "<ipv6Ranges/><prefixListIds/>"
  );
}

const open: IpRule = { protocol: "-1", ranges: [{ cidr: "0.0.0.0/0" }], groups: [] };

export const describeSecurityGroups: Operation = {
  service: "ec2",
  action: "DescribeSecurityGroups",
  parameters: parameterNames("GroupId GroupName DryRun Filter MaxResults NextToken"),
  run(call) {
    const all = groupsOf(call);
    const ids = call.parameters.list("GroupId");
    const names = call.parameters.list("GroupName");
    for (const id of ids) if (!all.some((group) => group.id === id)) reject("groupNotFound", id);
    for (const name of names) if (!all.some((group) => group.name === name)) reject("groupNotFound", name);
    const facts: Facts<SecurityGroup> = {
      description: ({ description }) => [description],
      "group-id": ({ id }) => [id],
      "group-name": ({ name }) => [name],
      "ip-permission.cidr": ({ ingress }) => ingress.flatMap(({ ranges }) => ranges.map(({ cidr }) => cidr)),
      "ip-permission.from-port": ({ ingress }) => ingress.map(({ from }) => String(from ?? -1)),
      "ip-permission.to-port": ({ ingress }) => ingress.map(({ to }) => String(to ?? -1)),
      "ip-permission.protocol": ({ ingress }) => ingress.map(({ protocol }) => protocol),
      "ip-permission.group-id": ({ ingress }) => ingress.flatMap(({ groups }) => groups),
      "owner-id": ({ account }) => [account],
      "vpc-id": ({ vpc }) => [vpc],
    };
    const chosen = all.filter(
      ({ id, name }) => (ids.length === 0 || ids.includes(id)) && (names.length === 0 || names.includes(name)),
    );
    const found = sift(chosen, call.parameters.filters(), facts);
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "groups", ids });
    const set = itemList(
      "securityGroupInfo",
      page.items.map(
        (group) =>
          element("ownerId", group.account) +
          element("groupId", group.id) +
          element("groupName", group.name) +
          element("groupDescription", group.description) +
          element("vpcId", group.vpc) +
          itemList(
            "ipPermissions",
            group.ingress.map((rule) => ruleXml(group.account, rule)),
          ) +
          itemList("ipPermissionsEgress", [ruleXml(group.account, open)]) +
          tagSetXml(group.tags),
      ),
    );
    return answerEc2(
      call,
      "DescribeSecurityGroups",
      page.token === undefined ? set : set + element("nextToken", page.token),
    );
  },
};

export const createSecurityGroup: Operation = {
  service: "ec2",
  action: "CreateSecurityGroup",
  parameters: parameterNames("GroupName GroupDescription VpcId DryRun TagSpecification.*"),
  run(call) {
    const node = treeOf(call.parameters);
    const owner = ownerOf(call);
    const network = networkOf(call.runtime.ids, owner, call.region);
    const name = node.text("GroupName") ?? reject("missingParameter", "GroupName");
    const description = node.text("GroupDescription") ?? reject("missingParameter", "GroupDescription");
    const vpc = node.text("VpcId") ?? network.vpc;
    if (vpc !== network.vpc) reject("vpcNotFound", vpc);
    if (name.startsWith("sg-") || name.length > 255)
      reject(
        "invalidValue",
        `Value (${name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.`,
      );
    if (groupsOf(call).some((group) => group.name === name)) reject("groupTaken", name, vpc);
    const tags = tagsFor(node, "security-group", ["security-group"]);
    stopDryRun(call);
    const id = call.runtime.store.write(() => {
      const made = `sg-${call.runtime.ids.derive("ec2.group", [owner.account, owner.region, name]).hex(17)}`;
      call.runtime.state.resources.group.put({ id: made, ...owner, tags, name, description, vpc, ingress: [] });
      return made;
    });
    const arn = `arn:aws:ec2:${owner.region}:${owner.account}:security-group/${id}`;
    return answerEc2(
      call,
      "CreateSecurityGroup",
      element("return", true) + element("groupId", id) + tagSetXml(tags) + element("securityGroupArn", arn),
    );
  },
};

function groupNamed(call: Call, node: Node): SecurityGroup {
  const id = node.text("GroupId");
  const name = node.text("GroupName");
  if (id === undefined && name === undefined) reject("missingParameter", "GroupId");
  return (
    groupsOf(call).find((group) => (id === undefined ? group.name === name : group.id === id)) ??
    reject("groupNotFound", id ?? name)
  );
}

export const deleteSecurityGroup: Operation = {
  service: "ec2",
  action: "DeleteSecurityGroup",
  parameters: parameterNames("GroupId GroupName DryRun"),
  run(call) {
    const group = groupNamed(call, treeOf(call.parameters));
    if (group.name === "default") reject("defaultGroup", group.id);
    const { resources } = call.runtime.state;
    const used = resources.instance
      .list(ownerOf(call))
      .some(({ state, plan }) => state !== "terminated" && plan.groups.some(({ id }) => id === group.id));
    if (used) reject("groupInUse", group.id);
    stopDryRun(call);
    call.runtime.store.write(() => resources.group.remove(group.id));
    return answerEc2(call, "DeleteSecurityGroup", element("return", true) + element("groupId", group.id));
  },
};

function readRules(call: Call, node: Node): readonly IpRule[] {
  const nested = node.items("IpPermissions").map((rule): IpRule => {
    const from = rule.integer("FromPort");
    const to = rule.integer("ToPort");
    return {
      protocol: rule.text("IpProtocol") ?? reject("missingParameter", `${rule.path}.IpProtocol`),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ranges: rule.items("IpRanges").map((range) => ({
        cidr: cidr(range.text("CidrIp") ?? ""),
        ...(range.text("Description") === undefined ? {} : { description: range.text("Description") }),
      })),
      groups: rule.items("Groups").map((group) => groupNamed(call, group).id),
    };
  });
  const flat = node.text("CidrIp");
  if (flat === undefined) return nested;
  const from = node.integer("FromPort");
  const to = node.integer("ToPort");
  return [
    ...nested,
    {
      protocol: node.text("IpProtocol") ?? "-1",
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ranges: [{ cidr: cidr(flat) }],
      groups: [],
    },
  ];
}

function cidr(text: string): string {
  const ok = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d|[12]\d|3[012])$/.exec(text);
  return ok?.slice(1, 5).every((part) => Number(part) <= 255)
    ? text
    : reject("invalidValue", `CIDR block ${text} is malformed`);
}

export const authorizeSecurityGroupIngress: Operation = {
  service: "ec2",
  action: "AuthorizeSecurityGroupIngress",
  parameters: parameterNames(
    "CidrIp FromPort GroupId GroupName IpPermissions.* IpProtocol SourceSecurityGroupName SourceSecurityGroupOwnerId ToPort DryRun TagSpecification.*",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const group = groupNamed(call, node);
    const rules = readRules(call, node);
    if (rules.length === 0) reject("missingParameter", "IpPermissions");
    const same = (left: IpRule, right: IpRule) => JSON.stringify(left) === JSON.stringify(right);
    for (const rule of rules)
      if (group.ingress.some((known) => same(known, rule)))
        reject("permissionTaken", `peer: ${rule.ranges[0]?.cidr ?? rule.groups[0] ?? ""}, ${rule.protocol}, ALLOW`);
    stopDryRun(call);
    call.runtime.store.write(() =>
      call.runtime.state.resources.group.put({ ...group, ingress: [...group.ingress, ...rules] }),
    );
    const set = itemList(
      "securityGroupRuleSet",
      rules.flatMap((rule, index) =>
        rule.ranges.map(
          ({ cidr: range }, place) =>
            element(
              "securityGroupRuleId",
              `sgr-${call.runtime.ids.fixed("ec2.rule", [group.id, group.ingress.length + index, place]).hex(17)}`,
            ) +
            element("groupId", group.id) +
            element("groupOwnerId", group.account) +
            element("isEgress", false) +
            element("ipProtocol", rule.protocol) +
            element("fromPort", rule.from ?? -1) +
            element("toPort", rule.to ?? -1) +
            element("cidrIpv4", range),
        ),
      ),
    );
    return answerEc2(call, "AuthorizeSecurityGroupIngress", element("return", true) + set);
  },
};

const keyFacts: Facts<KeyPair> = {
  fingerprint: ({ fingerprint }) => [fingerprint],
  "key-name": ({ name }) => [name],
  "key-pair-id": ({ id }) => [id],
};

export const describeKeyPairs: Operation = {
  service: "ec2",
  action: "DescribeKeyPairs",
  parameters: parameterNames("KeyName KeyPairId IncludePublicKey DryRun Filter"),
  run(call) {
    const all = call.runtime.state.resources.key.list(ownerOf(call));
    const names = call.parameters.list("KeyName");
    const ids = call.parameters.list("KeyPairId");
    for (const name of names) if (!all.some((key) => key.name === name)) reject("keyNotFound", name);
    for (const id of ids) if (!all.some((key) => key.id === id)) reject("keyNotFound", id);
    const shown = call.parameters.flag("IncludePublicKey");
    const found = sift(
      all.filter(
        ({ name, id }) => (names.length === 0 || matchesAny(names, name)) && (ids.length === 0 || ids.includes(id)),
      ),
      call.parameters.filters(),
      keyFacts,
    );
    stopDryRun(call);
    const set = found.map(
      (key) =>
        element("keyPairId", key.id) +
        element("keyName", key.name) +
        element("keyFingerprint", key.fingerprint) +
        element("keyType", key.type) +
        tagSetXml(key.tags) +
        (shown ? element("publicKey", key.publicKey) : "") +
        element("createTime", instantText(key.createdAt)),
    );
    return answerEc2(call, "DescribeKeyPairs", itemList("keySet", set));
  },
};

function addKey(call: Call, node: Node, publicKey: (id: string) => string): KeyPair {
  const owner = ownerOf(call);
  const name = node.text("KeyName") ?? reject("missingParameter", "KeyName");
  const { resources } = call.runtime.state;
  if (resources.key.list(owner).some((key) => key.name === name)) reject("keyTaken", name);
  const tags = tagsFor(node, "key-pair", ["key-pair"]);
  const type = node.text("KeyType") ?? "rsa";
  if (type !== "rsa" && type !== "ed25519") reject("badValue", "keyType", type);
  stopDryRun(call);
  return call.runtime.store.write(() => {
    const id = `key-${call.runtime.ids.derive("ec2.key", [owner.account, owner.region, name]).hex(17)}`;
    const material = publicKey(id);
    const hash = createHash("sha1").update(material).digest("hex");
    const key: KeyPair = {
      id,
      ...owner,
      tags,
      name,
      type,
      fingerprint: hash.match(/../g)?.join(":") ?? hash,
      createdAt: call.runtime.clock.now(),
      publicKey: material,
    };
    resources.key.put(key);
    return key;
  });
}

function keyXml(key: KeyPair): string {
  return (
    element("keyName", key.name) +
    element("keyFingerprint", key.fingerprint) +
    element("keyPairId", key.id) +
    tagSetXml(key.tags)
  );
}

/** The "private key" is base64 of derived bytes in PEM armour: clients write it to a file, nothing here is opened by it. */
export const createKeyPair: Operation = {
  service: "ec2",
  action: "CreateKeyPair",
  parameters: parameterNames("KeyName KeyType KeyFormat DryRun TagSpecification.*"),
  run(call) {
    const key = addKey(call, treeOf(call.parameters), (id) => `ssh-rsa ${derived(call, id, 9)} backlot`);
    const material =
      derived(call, key.id, 40)
        .match(/.{1,64}/g)
        ?.join("\n") ?? "";
    const pem = `-----BEGIN RSA PRIVATE KEY-----\n${material}\n-----END RSA PRIVATE KEY-----`;
    return answerEc2(call, "CreateKeyPair", keyXml(key) + element("keyMaterial", pem));
  },
};

function derived(call: Call, id: string, blocks: number): string {
  const parts = Array.from({ length: blocks }, (_, part) =>
    call.runtime.ids.fixed("ec2.key-material", [id, part]).bytes(),
  );
  return Buffer.concat(parts).toString("base64");
}

export const importKeyPair: Operation = {
  service: "ec2",
  action: "ImportKeyPair",
  parameters: parameterNames("KeyName PublicKeyMaterial DryRun TagSpecification.*"),
  run(call) {
    const node = treeOf(call.parameters);
    const given = node.text("PublicKeyMaterial") ?? reject("missingParameter", "PublicKeyMaterial");
    const text = Buffer.from(given, "base64").toString("utf8");
    if (!/^(ssh-(rsa|ed25519) |-----BEGIN|---- BEGIN)/.test(text))
      reject("invalidValue", "Key is not in valid OpenSSH public key format");
    return answerEc2(call, "ImportKeyPair", keyXml(addKey(call, node, () => text)));
  },
};

export const deleteKeyPair: Operation = {
  service: "ec2",
  action: "DeleteKeyPair",
  parameters: parameterNames("KeyName KeyPairId DryRun"),
  run(call) {
    const name = call.parameters.text("KeyName");
    const id = call.parameters.text("KeyPairId");
    if (name === undefined && id === undefined) reject("missingParameter", "KeyName");
    const { resources } = call.runtime.state;
    const key = resources.key.list(ownerOf(call)).find((one) => one.name === name || one.id === id);
    stopDryRun(call);
    // Deleting what is not there succeeds.
    if (key) call.runtime.store.write(() => resources.key.remove(key.id));
    return answerEc2(call, "DeleteKeyPair", element("return", true) + maybe("keyPairId", key?.id));
  },
};

export const describeAccountAttributes: Operation = {
  service: "ec2",
  action: "DescribeAccountAttributes",
  parameters: parameterNames("AttributeName DryRun"),
  run(call) {
    const network = networkOf(call.runtime.ids, ownerOf(call), call.region);
    const values: readonly (readonly [string, string])[] = [
      ["supported-platforms", "VPC"],
      ["default-vpc", network.vpc],
      ["max-instances", "1000"],
      ["vpc-max-security-groups-per-interface", "5"],
      ["max-elastic-ips", "5"],
      ["vpc-max-elastic-ips", "5"],
    ];
    const names = call.parameters.list("AttributeName");
    for (const name of names) if (!values.some(([known]) => known === name)) reject("badValue", "attributeName", name);
    stopDryRun(call);
    const set = values
      .filter(([name]) => names.length === 0 || names.includes(name))
      .map(
        ([name, value]) =>
          element("attributeName", name) + itemList("attributeValueSet", [element("attributeValue", value)]),
      );
    return answerEc2(call, "DescribeAccountAttributes", itemList("accountAttributeSet", set));
  },
};
