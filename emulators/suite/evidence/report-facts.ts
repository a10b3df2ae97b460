/** Pictures of the report, read from what the pack holds. */
import type { Artefact } from "./artefact.ts";
import type { ReportFacts } from "./report.ts";
import { valueAt } from "./scenario/variables.ts";
import { type Shown, textOf } from "./shown.ts";

type Charts = Pick<ReportFacts, "lanes" | "prices" | "compliance">;

export function chartsOf(artefacts: readonly Artefact[], journals: ReadonlyMap<string, readonly Shown[]>): Charts {
  const text = (path: string) => {
    const found = artefacts.find((one) => one.path === path);
    return found ? Buffer.from(found.bytes).toString("utf8") : "";
  };
  const kinds = { request: "requests", delivery: "webhooks" } as const;
  const inOrder = (times: readonly number[]) => [...times].sort((left, right) => left - right);
  const happened = [...journals].flatMap(([service, entries]) =>
    Object.entries(kinds).flatMap(([kind, name]) => {
      const at = entries.filter((entry) => entry.kind === kind).map((entry) => Date.parse(textOf(entry.at)));
      return at.length === 0 ? [] : [{ name: `${service} ${name}`, at: inOrder(at) }];
    }),
  );
  // By the messages: a session ends when its client hangs up, at whatever time the clock then shows.
  const mails = mailTimes(text("smtp/messages.json"));
  const lanes = mails.length === 0 ? happened : [...happened, { name: "smtp messages", at: inOrder(mails) }];
  return { lanes, prices: pricesIn(text("spot/prices.xml")), compliance: complianceIn(text("policy/summary.json")) };
}

function mailTimes(json: string): readonly number[] {
  const messages: unknown = json === "" ? [] : JSON.parse(json);
  return Array.isArray(messages) ? messages.map((message) => Date.parse(textOf(valueAt(message, "receivedAt")))) : [];
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
