/** Security groups: kept and described, no traffic is filtered. */
import type { IpRule, SecurityGroup } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { networkOf } from "../network.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { element, itemList, maybe, tagSetXml } from "../wire/xml.ts";
import { answerPage, type Facts, pageOf, sift } from "./describe.ts";
import { ownerOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { tagsFor } from "./tag-specifications.ts";

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
    return answerPage(call, "DescribeSecurityGroups", set, page);
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
