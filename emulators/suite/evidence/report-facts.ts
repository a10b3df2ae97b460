/** Pictures of the report, read from what the pack holds. */
import type { Artefact } from "./artefact.ts";
import type { ReportFacts } from "./report.ts";
import { valueAt } from "./scenario/variables.ts";
import { textOf } from "./shown.ts";

type Charts = Pick<ReportFacts, "lanes" | "prices" | "compliance">;

export function chartsOf(exported: readonly Artefact[], lanes: Charts["lanes"]): Charts {
  const text = (path: string) => {
    const found = exported.find((one) => one.path === path);
    return found ? Buffer.from(found.bytes).toString("utf8") : "";
  };
  return { lanes, prices: pricesIn(text("spot/prices.xml")), compliance: complianceIn(text("policy/summary.json")) };
}

function pricesIn(xml: string): Charts["prices"] {
  const series = new Map<string, [number, number][]>();
  for (const [, item = ""] of xml.matchAll(/<item>([\s\S]*?)<\/item>/g)) {
    const field = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(item)?.[1] ?? "";
    const zone = field("availabilityZone");
    const point: [number, number] = [Date.parse(field("timestamp")), Number(field("spotPrice"))];
    if (zone === "" || point.some(Number.isNaN)) continue;
    series.set(zone, [...(series.get(zone) ?? []), point]);
  }
  return [...series]
    .map(([name, points]) => ({ name, points: points.sort(([left], [right]) => left - right) }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

const mostPolicies = 15;

function complianceIn(json: string): Charts["compliance"] {
  if (json === "") return [];
  const assignments = valueAt(JSON.parse(json), "value.0.policyAssignments");
  if (!Array.isArray(assignments)) return [];
  return assignments.slice(0, mostPolicies).map((assignment) => {
    const details = valueAt(assignment, "results.resourceDetails");
    const of = (state: string) =>
      Array.isArray(details)
        ? Number(
            valueAt(
              details.find((one) => valueAt(one, "complianceState") === state),
              "count",
            ) ?? 0,
          )
        : 0;
    const id = textOf(valueAt(assignment, "policyAssignmentId"));
    const other = Number(valueAt(assignment, "results.nonCompliantResources") ?? 0);
    return { name: id.split("/").at(-1) ?? id, compliant: of("compliant"), other };
  });
}
