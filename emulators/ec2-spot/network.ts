/** The network an account finds in a region without having made one. Everything in it is derived, so it needs no rows. */
import type { Ids } from "../kernel/ids.ts";
import type { Network, Subnet } from "./domain/network.ts";
import type { Region } from "./domain/regions.ts";
import type { Owner } from "./domain/resources.ts";

export function networkOf(ids: Ids, owner: Owner, region: Region): Network {
  const name = [owner.account, region.name];
  const vpc = `vpc-${ids.fixed("ec2.vpc", name).hex(17)}`;
  const subnets: Subnet[] = region.zones.map((zone, index) => ({
    id: `subnet-${ids.fixed("ec2.subnet", [...name, zone.id]).hex(17)}`,
    vpc,
    zone: zone.id,
    third: index * 16,
  }));
  return { vpc, subnets, defaultGroup: `sg-${ids.fixed("ec2.group", [...name, "default"]).hex(17)}` };
}
