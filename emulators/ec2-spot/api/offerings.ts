/** DescribeInstanceTypeOfferings: where types are offered. */
import { reject } from "../errors.ts";
import { element, itemList } from "../wire/xml.ts";
import { answerPage, pageOf, sift } from "./describe.ts";
import { zoneNameOf } from "./launch-plan.ts";
import { type Operation, parameterNames, stopDryRun } from "./operation.ts";

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
    return answerPage(call, "DescribeInstanceTypeOfferings", set, page);
  },
};
