/** DescribeVpcs, DescribeSubnets, account attributes. */
import { cidrOf, type Subnet } from "../domain/network.ts";
import type { Resource } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { networkOf } from "../network.ts";
import { element, itemList, tagSetXml } from "../wire/xml.ts";
import { answerPage, type Facts, pageOf, sift } from "./describe.ts";
import { ownerOf, zoneNameOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";

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
    return answerPage(call, "DescribeSubnets", set, page);
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
