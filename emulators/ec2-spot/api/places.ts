/** DescribeRegions and DescribeAvailabilityZones. */
import { type Region, regions, zoneNames } from "../domain/regions.ts";
import { matchesAny } from "../domain/wildcard.ts";
import { reject } from "../errors.ts";
import type { Filter } from "../query-protocol.ts";
import { regionXml, zoneXml } from "../wire/places.ts";
import { itemList } from "../wire/xml.ts";
import { answerEc2, type Operation, parameterNames, stopDryRun } from "./operation.ts";

/** Whether what is described has a value that each filter accepts; unknown filter names are refused. */
export function passes(filters: readonly Filter[], facts: ReadonlyMap<string, readonly string[]>): boolean {
  return filters.every(({ name, values }) => {
    const own = facts.get(name) ?? reject("badFilter", name);
    return own.some((value) => matchesAny(values, value));
  });
}

export const describeRegions: Operation = {
  service: "ec2",
  action: "DescribeRegions",
  parameters: parameterNames("RegionName AllRegions DryRun Filter"),
  run(call) {
    const { parameters, caller } = call;
    const names = parameters.list("RegionName");
    const filters = parameters.filters();
    for (const name of names) if (!regions.some((region) => region.name === name)) reject("badRegion", name);
    const status = (region: Region) =>
      !region.optIn
        ? "opt-in-not-required"
        : caller.account.optedIn.includes(region.name)
          ? "opted-in"
          : "not-opted-in";
    const all = parameters.flag("AllRegions");
    const found = regions
      .map((region) => ({
        name: region.name,
        endpoint: `ec2.${region.name}.amazonaws.com`,
        optInStatus: status(region),
        geography: region.geography,
      }))
      .filter(({ name, endpoint, optInStatus }) => {
        const facts = new Map([
          ["region-name", [name]],
          ["endpoint", [endpoint]],
          ["opt-in-status", [optInStatus]],
        ]);
        const listed = names.length > 0 ? names.includes(name) : all || optInStatus !== "not-opted-in";
        return passes(filters, facts) && listed;
      });
    stopDryRun(call);
    return answerEc2(call, "DescribeRegions", itemList("regionInfo", found.map(regionXml)));
  },
};

export const describeAvailabilityZones: Operation = {
  service: "ec2",
  action: "DescribeAvailabilityZones",
  parameters: parameterNames("ZoneName ZoneId AllAvailabilityZones DryRun Filter"),
  run(call) {
    const { parameters, caller, region } = call;
    const wantedNames = parameters.list("ZoneName");
    const wantedIds = parameters.list("ZoneId");
    const filters = parameters.filters();
    parameters.flag("AllAvailabilityZones");
    const names = zoneNames(region, caller.account);
    const zones = region.zones.map((zone, index) => ({
      region: region.name,
      name: names[index] ?? "",
      id: zone.id,
      geography: region.geography,
    }));
    for (const name of wantedNames) if (!names.includes(name)) reject("badZone", name);
    for (const id of wantedIds) if (!zones.some((zone) => zone.id === id)) reject("badZoneId", id);
    const found = zones
      .filter(({ name, id }) => {
        const facts = new Map<string, readonly string[]>([
          ["zone-name", [name]],
          ["zone-id", [id]],
          ["region-name", [region.name]],
          ["group-name", [`${region.name}-zg-1`]],
          ["opt-in-status", ["opt-in-not-required"]],
          ["state", ["available"]],
          ["zone-type", ["availability-zone"]],
          ["message", []],
          ["parent-zone-id", []],
          ["parent-zone-name", []],
        ]);
        const named = wantedNames.length === 0 || wantedNames.includes(name);
        return passes(filters, facts) && named && (wantedIds.length === 0 || wantedIds.includes(id));
      })
      .sort((left, right) => (left.name < right.name ? -1 : 1));
    stopDryRun(call);
    return answerEc2(call, "DescribeAvailabilityZones", itemList("availabilityZoneInfo", found.map(zoneXml)));
  },
};
