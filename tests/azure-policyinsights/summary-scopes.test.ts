/** The arithmetic of a summary against the rows of the same scope, both as a client gets them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Anything, type ArmClient, startArm } from "./arm-client.ts";

let arm: ArmClient;
beforeAll(async () => {
  arm = await startArm();
});
afterAll(() => arm.emulator.close());

type Counts = Readonly<Record<string, number>>;
interface Results {
  readonly nonCompliantResources: number;
  readonly nonCompliantPolicies?: number;
  readonly resourceDetails: Counts;
  readonly policyDetails: Counts;
  readonly policyGroupDetails: Counts;
}
interface Row extends Anything {
  readonly policyDefinitionGroupNames: readonly string[];
}

/** The worst first, as states roll up. */
const rank = ["NonCompliant", "Compliant", "Conflict", "Exempt", "Unknown", "Protected", "Error", "NotStarted"];

/** How many of the sets of rows have each state as their worst. */
function tally(sets: Iterable<readonly Row[]>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const set of sets) {
    const worst = Math.min(...set.map((row) => rank.indexOf(row.complianceState)));
    const name = (rank[worst] ?? "").toLowerCase();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const by = (rows: readonly Row[], key: (row: Row) => string) => Map.groupBy(rows, key);
const policyOf = (row: Row) => `${row.policyDefinitionId} ${row.policyDefinitionReferenceId}`;
const resourceOf = (row: Row) => row.resourceId;

function groupsOf(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows)
    for (const name of row.policyDefinitionGroupNames) groups.set(name, [...(groups.get(name) ?? []), row]);
  return groups;
}

const added = (all: Counts, each: Counts) => {
  const sum: Record<string, number> = { ...all };
  for (const [name, n] of Object.entries(each)) sum[name] = (sum[name] ?? 0) + n;
  return sum;
};

function expected(rows: readonly Row[]) {
  const assignments = by(rows, (row) => row.policyAssignmentId);
  const resources = tally(by(rows, resourceOf).values());
  const policies = tally(assignments.values());
  return {
    results: {
      nonCompliantResources: resources.noncompliant ?? 0,
      nonCompliantPolicies: policies.noncompliant ?? 0,
      resourceDetails: resources,
      policyDetails: policies,
      policyGroupDetails: [...assignments.values()].map((own) => tally(groupsOf(own).values())).reduce(added, {}),
    },
    assignments: new Map(
      [...assignments].map(([id, own]) => {
        const definitions = by(own, policyOf);
        const results = {
          nonCompliantResources: tally(by(own, resourceOf).values()).noncompliant ?? 0,
          nonCompliantPolicies: tally(definitions.values()).noncompliant ?? 0,
          resourceDetails: tally(by(own, resourceOf).values()),
          policyDetails: tally(definitions.values()),
          policyGroupDetails: tally(groupsOf(own).values()),
        };
        const ofDefinitions = new Map(
          [...definitions].map(([key, each]) => [
            key,
            { resources: tally(by(each, resourceOf).values()), policies: tally([each]) },
          ]),
        );
        const ofGroups = new Map(
          [...groupsOf(own)].map(([name, each]) => [
            name,
            { resources: tally(by(each, resourceOf).values()), policies: tally(by(each, policyOf).values()) },
          ]),
        );
        return [id, { results, ofDefinitions, ofGroups }];
      }),
    ),
  };
}

interface Given {
  readonly nonCompliantResources: number;
  readonly nonCompliantPolicies?: number;
  readonly resourceDetails: readonly { complianceState: string; count: number }[];
  readonly policyDetails: readonly { complianceState: string; count: number }[];
  readonly policyGroupDetails: readonly { complianceState: string; count: number }[];
}
interface Summary {
  readonly results: Given;
  readonly policyAssignments: readonly {
    readonly policyAssignmentId: string;
    readonly results: Given;
    readonly policyDefinitions: readonly {
      readonly policyDefinitionId: string;
      readonly policyDefinitionReferenceId: string;
      readonly results: Given;
    }[];
    readonly policyGroups: readonly { readonly policyGroupName: string; readonly results: Given }[];
  }[];
}

const counts = (details: Given["resourceDetails"]): Counts =>
  Object.fromEntries(details.map(({ complianceState, count }) => [complianceState, count]));
const plain = (given: Given): Results => ({
  nonCompliantResources: given.nonCompliantResources,
  ...(given.nonCompliantPolicies === undefined ? {} : { nonCompliantPolicies: given.nonCompliantPolicies }),
  resourceDetails: counts(given.resourceDetails),
  policyDetails: counts(given.policyDetails),
  policyGroupDetails: counts(given.policyGroupDetails),
});

const authorization = "/providers/Microsoft.Authorization";
const tenant = () => arm.emulator.runtime.state.tenant().tenantId;

test.each<[string, () => string, string]>([
  ["a management group", () => `/providers/Microsoft.Management/managementGroups/mg-landingzones`, ""],
  ["the root, filtered", () => `/providers/Microsoft.Management/managementGroups/${tenant()}`, "isCompliant eq false"],
  ["a subscription", () => arm.subscription, ""],
  ["a subscription, filtered", () => arm.subscription, "resourceType eq 'Microsoft.KeyVault/vaults'"],
  ["a resource group", () => `${arm.subscription}/resourceGroups/rg-web-prod-01`, ""],
  ["a resource", () => "resource", ""],
  ["a set", () => `${arm.subscription}${authorization}/policySetDefinitions/1f3afdf9-d0c9-4c3d-847f-89da613e70a8`, ""],
  [
    "a definition",
    () => `${arm.subscription}${authorization}/policyDefinitions/404c3081-a854-4457-ae30-26a93ef643f9`,
    "",
  ],
  ["an assignment", () => `${arm.subscription}${authorization}/policyAssignments/SecurityCenterBuiltIn`, ""],
  [
    "a resource group's assignment",
    () =>
      `${arm.subscription}/resourceGroups/rg-payments-prod-01${authorization}/policyAssignments/audit-managed-disks`,
    "",
  ],
])("%s", async (_, scopeOf, filter) => {
  const vault = await arm.all(arm.subscription, "&$filter=resourceType eq 'Microsoft.KeyVault/vaults'&$top=1");
  const scope = scopeOf() === "resource" ? (vault[0]?.resourceId ?? "") : scopeOf();
  const query = filter === "" ? "" : `&$filter=${encodeURIComponent(filter)}`;
  const rows = (await arm.all(scope, query)) as readonly Row[];
  expect(rows.length).toBeGreaterThan(0);
  const path = `${scope}/providers/Microsoft.PolicyInsights/policyStates/latest/summarize?api-version=2024-10-01${query}`;
  const { body } = await arm.call<{ value: [Summary] }>("POST", path);
  const [summary] = body.value;
  const wanted = expected(rows);
  expect(plain(summary.results)).toEqual(wanted.results);
  expect(summary.policyAssignments).toHaveLength(wanted.assignments.size);
  for (const assignment of summary.policyAssignments) {
    const own = wanted.assignments.get(assignment.policyAssignmentId) ?? expect.fail(assignment.policyAssignmentId);
    expect(plain(assignment.results)).toEqual(own.results);
    expect(assignment.policyDefinitions).toHaveLength(own.ofDefinitions.size);
    for (const definition of assignment.policyDefinitions) {
      const each = own.ofDefinitions.get(`${definition.policyDefinitionId} ${definition.policyDefinitionReferenceId}`);
      expect(counts(definition.results.resourceDetails)).toEqual(each?.resources);
      expect(counts(definition.results.policyDetails)).toEqual(each?.policies);
      expect(definition.results.nonCompliantResources).toBe(each?.resources.noncompliant ?? 0);
    }
    expect(assignment.policyGroups).toHaveLength(own.ofGroups.size);
    for (const group of assignment.policyGroups) {
      const each = own.ofGroups.get(group.policyGroupName);
      expect(counts(group.results.resourceDetails)).toEqual(each?.resources);
      expect(counts(group.results.policyDetails)).toEqual(each?.policies);
    }
  }
  // The link of any level leads to the rows it counted.
  const link = (summary.results as Given & { queryResultsUri: string }).queryResultsUri;
  let linked = 0;
  for (let next: string | undefined = link; next; ) {
    const page: { body: Anything } = await arm.call("POST", next);
    linked += page.body.value.length;
    next = page.body["@odata.nextLink"] ?? undefined;
  }
  expect(linked).toBe(rows.length);
});
