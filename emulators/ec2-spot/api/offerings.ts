/** DescribeInstanceTypeOfferings and GetSpotPlacementScores: where types are offered, and how likely they are to be had. */
import { placementScore } from "../domain/capacity.ts";
import { regionNamed } from "../domain/regions.ts";
import { reject } from "../errors.ts";
import { tradingOf } from "../life/spot.ts";
import { treeOf } from "../query-tree.ts";
import { element, itemList } from "../wire/xml.ts";
import { pageOf, sift } from "./describe.ts";
import { zoneNameOf } from "./launch-plan.ts";
import { answerEc2, type Operation, parameterNames, stopDryRun } from "./operation.ts";

interface Offering {
  readonly id: string;
  readonly type: string;
  readonly location: string;
  readonly tags: readonly never[];
}

export const describeInstanceTypeOfferings: Operation = {
  service: "ec2",
  action: "DescribeInstanceTypeOfferings",
  parameters: parameterNames("DryRun LocationType Filter MaxResults NextToken"),
  run(call) {
    const { region, runtime, parameters } = call;
    const { catalogue } = runtime.state.regions;
    const kind = parameters.text("LocationType") ?? "region";
    if (!["region", "availability-zone", "availability-zone-id", "outpost"].includes(kind))
      reject("badValue", "locationType", kind);
    const places =
      kind === "region"
        ? [region.name]
        : kind === "outpost"
          ? []
          : region.zones.map(({ id }) => (kind === "availability-zone" ? zoneNameOf(call, id) : id));
    const all = catalogue.types
      .filter((type) => catalogue.offeredIn(type, region))
      .flatMap((type) =>
        places.flatMap((location, zone): Offering[] =>
          kind === "region" || catalogue.offeredInZone(type, region, zone)
            ? [{ id: `${type.name}/${location}`, type: type.name, location, tags: [] }]
            : [],
        ),
      );
    const found = sift(all, parameters.filters(), {
      "instance-type": ({ type }) => [type],
      location: ({ location }) => [location],
    });
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "offerings", usual: 1000 });
    const set = itemList(
      "instanceTypeOfferingSet",
      page.items.map(
        ({ type, location }) =>
          element("instanceType", type) + element("locationType", kind) + element("location", location),
      ),
    );
    return answerEc2(
      call,
      "DescribeInstanceTypeOfferings",
      page.token === undefined ? set : set + element("nextToken", page.token),
    );
  },
};

interface Score {
  readonly region: string;
  readonly zone: string | undefined;
  readonly score: number;
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
    const types = node.list("InstanceType");
    if (types.length === 0) {
      if (node.at("InstanceRequirementsWithMetadata").given)
        reject("unsupported", "Backlot scores instance types, not instance requirements; send InstanceType.");
      reject("missingParameter", "InstanceType");
    }
    const { catalogue } = runtime.state.regions;
    for (const type of types) if (!catalogue.named(type)) reject("valueForType", type);
    const names = node.list("RegionName");
    if (names.length > 10) reject("badValue", "regionNames", String(names.length));
    const single = node.flag("SingleAvailabilityZone") ?? false;
    const limit = node.integer("MaxResults") ?? 1000;
    if (limit < 10 || limit > 1000) reject("badValue", "maxResults", String(limit));
    stopDryRun(call);
    const at = runtime.clock.now();
    const scores = (names.length > 0 ? names : [call.region.name]).flatMap((name): Score[] => {
      const region = regionNamed(name) ?? reject("badRegion", name);
      const { market } = tradingOf(runtime, name);
      const capacities = (zone: number) =>
        types.flatMap((type) => {
          const place = market.placeOf(type);
          return place !== undefined && market.has(market.seriesOf(place, zone, 0))
            ? [market.capacity(type, zone, 0)(at)]
            : [];
        });
      if (!single)
        return [
          {
            region: name,
            zone: undefined,
            score: placementScore(
              region.zones.flatMap((_, zone) => capacities(zone)),
              target,
            ),
          },
        ];
      return region.zones.map(({ id }, zone) => ({
        region: name,
        zone: id,
        score: placementScore(capacities(zone), target),
      }));
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
