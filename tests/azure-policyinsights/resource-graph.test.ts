import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ArmClient, startArm } from "./arm-client.ts";

let arm: ArmClient;
beforeAll(async () => {
  arm = await startArm();
});
afterAll(() => arm.emulator.close());

type Cell = string | number | boolean | null | readonly Cell[] | { readonly [name: string]: Cell };
type Result = Readonly<Record<string, Cell>>;
interface Body {
  readonly totalRecords: number;
  readonly count: number;
  readonly resultTruncated: string;
  readonly $skipToken?: string;
  readonly data: readonly Result[];
  readonly facets: readonly { readonly data: readonly Result[]; readonly resultType: string }[];
  readonly error: {
    readonly code: string;
    readonly details: readonly { readonly code: string; readonly message: string }[];
  };
}

const ask = (query: string, more: object = {}) =>
  arm.call<Body>("POST", "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01", { query, ...more });
const data = async (query: string, more: object = {}) => {
  const { status, body } = await ask(query, more);
  expect(body.error).toBeUndefined();
  expect(status).toBe(200);
  return body.data;
};

const root = () => `/providers/Microsoft.Management/managementGroups/${arm.emulator.runtime.state.tenant().tenantId}`;

// https://learn.microsoft.com/azure/governance/policy/samples/resource-graph-samples: compliance by policy assignment.
const compliance = `PolicyResources
| where type =~ 'Microsoft.PolicyInsights/PolicyStates'
| extend complianceState = tostring(properties.complianceState)
| extend
  resourceId = tostring(properties.resourceId),
  policyAssignmentId = tostring(properties.policyAssignmentId),
  policyAssignmentScope = tostring(properties.policyAssignmentScope),
  policyAssignmentName = tostring(properties.policyAssignmentName),
  policyDefinitionId = tostring(properties.policyDefinitionId),
  policyDefinitionReferenceId = tostring(properties.policyDefinitionReferenceId),
  stateWeight = iff(complianceState == 'NonCompliant', int(300), iff(complianceState == 'Compliant', int(200), iff(complianceState == 'Conflict', int(100), iff(complianceState == 'Exempt', int(50), int(0)))))
| summarize max(stateWeight) by resourceId, policyAssignmentId, policyAssignmentScope, policyAssignmentName // worst of each
| summarize counts = count() by policyAssignmentId, policyAssignmentScope, max_stateWeight, policyAssignmentName
| summarize overallStateWeight = max(max_stateWeight),
  nonCompliantCount = sumif(counts, max_stateWeight == 300),
  compliantCount = sumif(counts, max_stateWeight == 200),
  conflictCount = sumif(counts, max_stateWeight == 100),
  exemptCount = sumif(counts, max_stateWeight == 50) by policyAssignmentId, policyAssignmentScope, policyAssignmentName
| extend totalResources = todouble(nonCompliantCount + compliantCount + conflictCount + exemptCount)
| extend compliancePercentage = iff(totalResources == 0, todouble(100), 100 * todouble(compliantCount + exemptCount) / totalResources)
| project policyAssignmentId, policyAssignmentName, scope = policyAssignmentScope,
  complianceState = iff(overallStateWeight == 300, 'noncompliant', iff(overallStateWeight == 200, 'compliant', iff(overallStateWeight == 100, 'conflict', iff(overallStateWeight == 50, 'exempt', 'notstarted')))),
  compliancePercentage, compliantCount, nonCompliantCount, conflictCount, exemptCount`;

test("Microsoft's sample of compliance by assignment counts as the summary does", async () => {
  const rows = await data(compliance);
  interface Summary {
    readonly value: readonly {
      readonly policyAssignments: readonly {
        readonly policyAssignmentId: string;
        readonly results: {
          readonly nonCompliantResources: number;
          readonly resourceDetails: readonly { complianceState: string; count: number }[];
        };
      }[];
    }[];
  }
  const { body } = await arm.call<Summary>(
    "POST",
    `${root()}/providers/Microsoft.PolicyInsights/policyStates/latest/summarize`,
  );
  const assignments = body.value[0]?.policyAssignments ?? [];
  expect(rows).toHaveLength(assignments.length);
  const counts = (row: Result) => ({
    noncompliant: row.nonCompliantCount,
    compliant: row.compliantCount,
    conflict: row.conflictCount,
    exempt: row.exemptCount,
  });
  const zero = { noncompliant: 0, compliant: 0, conflict: 0, exempt: 0 };
  for (const { policyAssignmentId, results } of assignments) {
    const row = rows.find((each) => each.policyAssignmentId === policyAssignmentId) ?? expect.fail(policyAssignmentId);
    const details = results.resourceDetails.filter(({ complianceState }) => complianceState in zero);
    expect(counts(row)).toEqual({
      ...zero,
      ...Object.fromEntries(details.map((each) => [each.complianceState, each.count])),
    });
  }
});

describe("operators over the estate", () => {
  test("counts agree with Azure Resource Manager's lists", async () => {
    const [row] = await data("resources | count");
    expect(row?.Count).toBe(3300);
    const groups = await data(
      "resourcecontainers | where type == 'microsoft.resources/subscriptions/resourcegroups' | summarize n = count() by subscriptionId",
    );
    expect(groups.map((each) => each.n)).toEqual([20, 20, 20]);
    const states = await data(
      "policyresources | where type == 'microsoft.policyinsights/policystates' | summarize count() by tostring(properties.complianceState)",
    );
    const rows = await arm.all(root());
    expect(Object.fromEntries(states.map((each) => [each.properties_complianceState, each.count_]))).toEqual(
      Object.fromEntries(
        [...Map.groupBy(rows, (each) => each.complianceState)].map(([name, own]) => [name, own.length]),
      ),
    );
  });

  test("what a client changes shows at once", async () => {
    const id = `${arm.subscription}/resourceGroups/rg-web-prod-01/providers/Microsoft.Cache/redis/mine`;
    await arm.call("PUT", id, { location: "westeurope", tags: { team: "a" }, properties: { enableNonSslPort: true } });
    const [made] = await data(
      "resources | where name == 'mine' | project id, team = tags.team, ssl = tobool(properties['enableNonSslPort'])",
    );
    expect(made).toEqual({ id, team: "a", ssl: true });
    const failing = await data(
      `policyresources | where type =~ 'microsoft.policyinsights/policystates' and properties.resourceId =~ '${id}' and properties.complianceState == 'NonCompliant'
       | project reference = tostring(properties.policyDefinitionReferenceId) | order by reference asc`,
    );
    const states = await arm.all(id, "&$filter=isCompliant eq false");
    expect(failing.map((each) => each.reference)).toEqual(
      states.map((each) => each.policyDefinitionReferenceId).toSorted(),
    );
  });

  test("join brings resources and their states together; mv-expand takes arrays apart", async () => {
    const joined = await data(`policyresources
      | where type =~ 'microsoft.policyinsights/policystates' | where properties.complianceState =~ 'noncompliant'
      | extend resourceId = tolower(tostring(properties.resourceId)) | summarize failing = count() by resourceId
      | join kind=leftouter (resources | extend resourceId = tolower(id) | project resourceId, location, kind) on resourceId
      | where isnotempty(location) | summarize resources = dcount(resourceId), states = sum(failing) by location | order by location asc`);
    const states = await arm.all(root(), "&$filter=isCompliant eq false");
    const own = states.filter((each) => each.resourceId.includes("/providers/"));
    expect(joined.reduce((all, each) => all + Number(each.states), 0)).toBe(own.length);
    expect(joined.reduce((all, each) => all + Number(each.resources), 0)).toBe(
      new Set(own.map((each) => each.resourceId)).size,
    );
    const expanded = await data(`policyresources | where type =~ 'microsoft.authorization/policysetdefinitions'
      | mv-expand definition = properties.policyDefinitions | project set = name, reference = tostring(definition.policyDefinitionReferenceId)
      | summarize n = count() by set`);
    expect(expanded.map((each) => Number(each.n)).every((n) => n > 5)).toBe(true);
    for (const type of ["policyassignments", "policydefinitions", "policyexemptions"])
      expect((await data(`policyresources | where type == 'microsoft.authorization/${type}' | take 1`))[0]?.type).toBe(
        `microsoft.authorization/${type}`,
      );
    expect(
      await data("policyresources | where type == 'microsoft.policyinsights/policymetadata' | take 1"),
    ).toHaveLength(1);
  });

  test("paging, subscriptions, facets and tables", async () => {
    const first = (await ask("resources | project id | order by id asc", { options: { $top: 900 } })).body;
    expect([first.totalRecords, first.count, first.resultTruncated]).toEqual([expect.any(Number), 900, "true"]);
    const ids = new Set(first.data.map((each) => each.id));
    let token = first.$skipToken;
    while (token !== undefined) {
      const page = (
        await ask("resources | project id | order by id asc", { options: { $top: 900, $skipToken: token } })
      ).body;
      for (const each of page.data) ids.add(each.id);
      token = page.$skipToken;
    }
    expect(ids.size).toBe(first.totalRecords);
    const [, , id = ""] = arm.subscription.split("/");
    expect(await data("resources | summarize by subscriptionId", { subscriptions: [id] })).toEqual([
      { subscriptionId: id },
    ]);
    expect(await data("resources | distinct subscriptionId", { managementGroups: ["mg-corp"] })).toHaveLength(1);
    const facets = [{ expression: "location", options: { $top: 2 } }, { expression: "nope" }];
    const faceted = (await ask("resources | project location", { facets })).body.facets;
    expect(faceted.map((each) => each.resultType)).toEqual(["FacetResult", "FacetError"]);
    expect(faceted[0]?.data[0]).toMatchObject({ location: expect.any(String), count: expect.any(Number) });
    const table = await ask("resources | summarize n = count()", { options: { resultFormat: "table" } });
    expect(table.body.data).toEqual({ columns: [{ name: "n", type: "integer" }], rows: [[first.totalRecords]] });
  });
});

describe("expressions", () => {
  const value = async (expression: string) => (await data(`resources | take 1 | project x = ${expression}`))[0]?.x;
  test.each<[string, Cell]>([
    ["1 + 2 * 3", 7],
    ["-(2 - 5) % 2", 1],
    ["10 / 4.0", 2.5],
    ["'A' == 'a' or 'A' =~ 'a'", true],
    ["'Contoso-West' has 'west' and not('Contosowest' has 'west')", true],
    ["'abc' contains 'B' and 'abc' !contains 'd' and 'abc' startswith 'A' and 'abc' !endswith 'b'", true],
    ["'x' in ('a', 'x') and 'X' !in ('a', 'x') and 'X' in~ ('a', 'x')", true],
    ["5 between (1 .. 5)", true],
    ["iif(isempty(''), 'yes', 'no')", "yes"],
    ["case(1 > 2, 'a', 2 > 1, 'b', 'c')", "b"],
    ["split('a/b/c', '/')[1]", "b"],
    ["strcat('a', 1, true)", "a1true"],
    ["toint('12') + todouble('0.5')", 12.5],
    ["tostring(toint('x'))", ""],
    ["isnull(properties.nothing.deeper)", true],
    ["parse_json('{\"a\":[1,2]}').a[1]", 2],
    ['dynamic({"a":{"b":3}}).a[\'b\']', 3],
    ["bin(17, 5)", 15],
    ["round(2.345, 2)", 2.35],
    ["tostring(ago(1d))", "2025-01-14T12:00:00.0000000Z"],
    ["now() - ago(2h) == 2h", true],
    ["bin(datetime(2025-01-15T12:34:00Z), 1h) == datetime(2025-01-15 12:00:00Z)", true],
    ["substring('abcdef', 2, 3)", "cde"],
    ["tolower('AB') == 'ab' and toupper('ab') == \"AB\"", true],
    ["@'c:\\new'", "c:\\new"],
    ["array_length(pack_array(1, 2))", 2],
    ["coalesce('', 'b')", "b"],
  ])("%s", async (expression, expected) => {
    expect(await value(expression)).toEqual(expected);
  });

  test("aggregates", async () => {
    const [row] =
      await data(`resources | take 4 | extend n = case(true, toint(1), 0) | summarize count(), countif(n == 2), total = sum(n) * 2,
      avg(n), min(n), max(n), dcount(type), set = array_length(make_set(n)), list = array_length(make_list(n)), take_any(n)`);
    expect(row).toMatchObject({ count_: 4, countif_: 0, total: 8, avg_n: 1, min_n: 1, max_n: 1, set: 1, list: 4 });
    expect(await data("resources | where name == 'nothing like it' | summarize count(), max(location)")).toEqual([
      { count_: 0, max_location: null },
    ]);
    expect(await data("resources | where name == 'nothing like it' | summarize count() by location")).toEqual([]);
  });

  test("order, top, project-away, distinct", async () => {
    const rows = await data("resources | distinct location | top 2 by location asc");
    expect(rows.map((each) => each.location)).toEqual(["eastus", "eastus2"]);
    const kept = await data("resources | take 1 | project-away properties, tags, sku");
    expect(Object.keys(kept[0] ?? {})).not.toContain("properties");
    const named = await data(
      "resources | extend k = iff(type has 'redis', toint(null), 1) | distinct k | sort by k desc",
    );
    expect(named.map((each) => each.k)).toEqual([1, null]);
  });
});

describe("what cannot be answered", () => {
  test.each([
    ["resources |", "ParserFailure"],
    ["resources | where", "ParserFailure"],
    ["resources | where name ==", "ParserFailure"],
    ["resources | where name == 'open", "ParserFailure"],
    ["resources | frobnicate x", "ParserFailure"],
    ["resources; drop", "ParserFailure"],
    ["nothing | take 1", "InvalidQuery"],
    ["resources | where nope == 1", "InvalidQuery"],
    ["resources | extend x = nope(1)", "InvalidQuery"],
    ["resources | extend x = strcat()", "InvalidQuery"],
    ["resources | extend x = count()", "InvalidQuery"],
    ["resources | summarize name by type", "InvalidQuery"],
    ["resources | join (resources) on nope", "InvalidQuery"],
    [`resources | where ${"(".repeat(50_000)}1`, "ParserFailure"],
  ])("%#: %s", async (query, code) => {
    const { status, body } = await ask(query);
    expect([status, body.error.code]).toEqual([400, "BadRequest"]);
    expect(body.error.details.at(-1)?.code).toBe(code);
  });

  test("requests", async () => {
    expect((await ask("")).body.error.code).toBe("BadRequest");
    expect((await ask("resources", { subscriptions: ["11111111-1111-4111-8111-111111111111"] })).body.error.code).toBe(
      "BadRequest",
    );
    expect((await ask("resources", { options: { $skipToken: "x" } })).body.error.code).toBe("BadRequest");
  });
});

// `id` is a state's own: a condition on it makes the rows come one by one.
test.each([
  "summarize n = count()",
  "count",
  "where properties.complianceState == 'NonCompliant' | summarize n = count() by tostring(properties.policyAssignmentName), location",
  "extend state = tostring(properties.complianceState) | summarize n = countif(state == 'Compliant'), heaviest = max(properties.stateWeight), all = sum(properties.stateWeight), mean = avg(properties.stateWeight), places = dcount(location) by subscriptionId",
  "project group = resourceGroup, kind = tostring(properties.resourceType), isCompliant = properties.isCompliant | where isCompliant == false | summarize n = count(), kinds = dcount(kind) by group",
  "where properties.policyDefinitionAction =~ 'audit' | project-keep location, type | summarize n = count() by location, type",
])("states that are alike are counted as one by one: %s", async (query) => {
  const states = "policyresources | where type =~ 'microsoft.policyinsights/policystates'";
  const sorted = (rows: readonly Result[]) => rows.map((row) => JSON.stringify(row)).sort();
  const together = await data(`${states} | ${query}`);
  expect(sorted(together)).toEqual(sorted(await data(`${states} | where id != '' | ${query}`)));
  expect(together.length).toBeGreaterThan(0);
});
