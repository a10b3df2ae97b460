/** Estates for tests, and their latest evaluations written out one by one. */
import { complianceStates } from "../../emulators/azure-policyinsights/domain/compliance.ts";
import { createEstate, type Estate } from "../../emulators/azure-policyinsights/domain/estate.ts";
import { resourceId } from "../../emulators/azure-policyinsights/domain/fields.ts";
import type { Question } from "../../emulators/azure-policyinsights/domain/question.ts";
import type { Readings } from "../../emulators/azure-policyinsights/domain/readings.ts";
import { locations, resourceTypes } from "../../emulators/azure-policyinsights/domain/resource-types.ts";

export const noon = Date.parse("2025-01-15T12:00:00Z");
const dayMs = 86_400_000;

export function smallEstate(seed: string, resourcesPerGroup = 12): Estate {
  return createEstate({
    seed,
    tenantId: "aaaaaaaa-0000-4000-8000-000000000000",
    subscriptions: [0, 1, 2].map((index) => ({ id: `bbbbbbbb-0000-4000-8000-00000000000${index}`, name: `S${index}` })),
    groupsPerSubscription: 3,
    resourcesPerGroup,
  });
}

export function everything(estate: Estate, now = noon): Question {
  return {
    ranges: estate.subscriptions.map(({ rows }, subscription) => ({ ...rows, subscription })),
    window: { from: now - dayMs, to: now },
    latestOnly: true,
    kind: "states",
    mask: {},
  };
}

/** The slow and obvious way to the newest evaluation of every row, in row order. */
export function recordsOf(readings: Readings, now = noon) {
  const { estate } = readings;
  const { resources, rows } = estate;
  return Array.from({ length: rows.count }, (_, row) => {
    const resource = rows.resource[row] ?? 0;
    const policy = estate.policies[rows.policy[row] ?? 0] ?? fail("policy");
    const assignment = estate.assignments[policy.assignment] ?? fail("assignment");
    const subscription = estate.subscriptions[resources.subscription[resource] ?? 0] ?? fail("subscription");
    let day = Math.floor(now / dayMs);
    const instantOn = (on: number) => on * dayMs + subscription.scanAt + (rows.offset[row] ?? 0) * 0.0008;
    while (instantOn(day) > now) day -= 1;
    const compliance = readings.complianceOn(day)[row] ?? 0;
    return {
      row,
      resource,
      policyCode: rows.policy[row] ?? 0,
      assignmentCode: policy.assignment,
      compliance,
      instant: instantOn(day),
      resourceId: resourceId(estate, resource),
      resourceType: resourceTypes[resources.type[resource] ?? 0]?.type ?? "",
      resourceLocation: locations[resources.location[resource] ?? 0] ?? "",
      resourceGroup: estate.groups[resources.group[resource] ?? 0]?.name ?? "",
      assignment: assignment.name,
      complianceState: complianceStates[compliance] ?? "",
      groups: policy.groups,
    };
  });
}

function fail(what: string): never {
  throw new Error(`no ${what}`);
}
