/** GetSpotPlacementScores: how likely a target capacity of some types is to be had, by region or zone. */
import { placementScore } from "../domain/capacity.ts";
import type { InstanceType } from "../domain/catalogue.ts";
import { type Region, regionNamed } from "../domain/regions.ts";
import { reject } from "../errors.ts";
import { tradingOf } from "../life/spot.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { element, itemList } from "../wire/xml.ts";
import { readRequirements, typesMeeting } from "./instance-requirements.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";

interface Score {
  readonly region: string;
  /** Zone id; absent for a region as a whole. */
  readonly zone: string | undefined;
  readonly score: number;
}

/** The types that are asked about, by region: named, or those that have the attributes there. */
function typesAsked(call: Call, node: Node): (region: Region) => readonly InstanceType[] {
  const names = node.list("InstanceType");
  const attributes = node.at("InstanceRequirementsWithMetadata");
  if (names.length > 0 && attributes.given)
    reject("parameterCombination", "InstanceType", "InstanceRequirementsWithMetadata");
  if (names.length > 0) {
    const { catalogue } = call.runtime.state.regions;
    const types = names.map((name) => catalogue.named(name) ?? reject("valueForType", name));
    return () => types;
  }
  if (!attributes.given) return reject("missingParameter", "InstanceType");
  const wanted = readRequirements(attributes.at("InstanceRequirements"));
  const asked = attributes.list("ArchitectureType");
  const architectures = asked.length > 0 ? asked : ["x86_64", "arm64"];
  return (region) => typesMeeting(call, region, wanted, architectures);
}

/** Instances that make up the target: capacity may be counted in vCPU or memory. */
function instancesFor(target: number, unit: string | undefined, types: readonly InstanceType[]): number {
  if (unit === undefined || unit === "units" || types.length === 0) return target;
  if (unit !== "vcpu" && unit !== "memory-mib") return reject("badValue", "targetCapacityUnitType", unit);
  const size = (type: InstanceType) => (unit === "vcpu" ? type.vcpu : type.memoryMib);
  const mean = types.reduce((sum, type) => sum + size(type), 0) / types.length;
  return Math.ceil(target / mean);
}

export const getSpotPlacementScores: Operation = {
  service: "ec2",
  action: "GetSpotPlacementScores",
  parameters: parameterNames(
    "InstanceType TargetCapacity TargetCapacityUnitType SingleAvailabilityZone RegionName InstanceRequirementsWithMetadata.* DryRun MaxResults NextToken",
  ),
  run(call) {
    const { runtime } = call;
    const node = treeOf(call.parameters);
    const target = node.integer("TargetCapacity") ?? reject("missingParameter", "TargetCapacity");
    if (target < 1) reject("badValue", "targetCapacity", String(target));
    const unit = node.text("TargetCapacityUnitType");
    const typesOf = typesAsked(call, node);
    const names = node.list("RegionName");
    if (names.length > 10) reject("badValue", "regionNames", String(names.length));
    const regions = (names.length > 0 ? names : [call.region.name]).map(
      (name) => regionNamed(name) ?? reject("badRegion", name),
    );
    const single = node.flag("SingleAvailabilityZone") ?? false;
    const limit = node.integer("MaxResults") ?? 1000;
    if (limit < 10 || limit > 1000) reject("badValue", "maxResults", String(limit));
    // Ten scores are all there is, which every page holds.
    if (node.text("NextToken")) reject("badToken");
    stopDryRun(call);
    const at = runtime.clock.now();
    const scores = regions.flatMap((region): Score[] => {
      const { market } = tradingOf(runtime, region.name);
      const types = typesOf(region);
      const wanted = instancesFor(target, unit, types);
      const capacities = (zone: number) =>
        types.flatMap(({ name }) => {
          const place = market.placeOf(name);
          return place !== undefined && market.has(market.seriesOf(place, zone, 0))
            ? [market.capacity(name, zone, 0)(at)]
            : [];
        });
      if (single)
        return region.zones.map(({ id }, zone) => ({
          region: region.name,
          zone: id,
          score: placementScore(capacities(zone), wanted),
        }));
      const everywhere = region.zones.flatMap((_, zone) => capacities(zone));
      return [{ region: region.name, zone: undefined, score: placementScore(everywhere, wanted) }];
    });
    scores.sort(
      (left, right) =>
        right.score - left.score || (`${left.region}${left.zone}` < `${right.region}${right.zone}` ? -1 : 1),
    );
    const set = itemList(
      "spotPlacementScoreSet",
      scores
        .slice(0, 10)
        .map(
          ({ region, zone, score }) =>
            element("region", region) +
            (zone === undefined ? "" : element("availabilityZoneId", zone)) +
            element("score", score),
        ),
    );
    return answerEc2(call, "GetSpotPlacementScores", set);
  },
};
