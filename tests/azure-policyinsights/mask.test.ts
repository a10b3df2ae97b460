/** What a filter lets through by tables and classes, by walking and by columns, against reading every record. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { complianceStates } from "../../emulators/azure-policyinsights/domain/compliance.ts";
import { codesOf, fieldNamed, resourceId } from "../../emulators/azure-policyinsights/domain/fields.ts";
import { readPage } from "../../emulators/azure-policyinsights/domain/page.ts";
import { createReadings } from "../../emulators/azure-policyinsights/domain/readings.ts";
import { eachSeen, see } from "../../emulators/azure-policyinsights/domain/sight.ts";
import type { Value } from "../../emulators/azure-policyinsights/domain/table.ts";
import { holdsFor } from "../../emulators/azure-policyinsights/odata/apply.ts";
import { compileFilter } from "../../emulators/azure-policyinsights/odata/filter-compiler.ts";
import { parseFilter } from "../../emulators/azure-policyinsights/odata/filter-parser.ts";
import { everything, recordsOf, smallEstate } from "./estates.ts";

const readings = createReadings(smallEstate("mask", 20));
const { estate } = readings;
const records = recordsOf(readings);

function valueIn({ row, compliance, instant, resource }: (typeof records)[number], name: string): Value {
  const field = fieldNamed(name);
  switch (field?.kind) {
    case "date":
      return new Date(Math.floor(instant)).toISOString();
    case "boolean":
      return field.flag(compliance);
    case "list":
      return field.words(estate, estate.rows.policy[row] ?? 0);
    case "string": {
      const { level } = field;
      if (level === "resource") return resourceId(estate, resource);
      if (level === "policy") return field.text(estate, estate.rows.policy[row] ?? 0);
      if (level === "compliance") return field.text(estate, compliance);
      return field.text(estate, codesOf(estate, level)?.[resource] ?? 0);
    }
    case undefined:
      return expect.fail(`no member ${name}`);
  }
}

/** By reading records, by walking from the newest on, and by looking at columns: rows in order. */
function threeWays(filter: string): readonly [number[], number[], number[]] {
  const expression = parseFilter(filter);
  const read = records.filter((record) => holdsFor(expression, (name) => valueIn(record, name)));
  const question = { ...everything(estate), mask: compileFilter(expression, readings) };
  const page = readPage(readings, { question, orderBy: undefined, size: records.length, after: undefined, shown: 0 });
  const seen: number[] = [];
  for (const sight of see(readings, question).sights) eachSeen(readings, sight, (row) => seen.push(row));
  return [read.map(({ row }) => row), page.records.map(({ row }) => row).toSorted((left, right) => left - right), seen];
}

const quoted = (values: readonly string[]) => fc.constantFrom(...values).map((value) => `'${value}'`);
const atom = fc.oneof(
  quoted(complianceStates).map((state) => `complianceState eq ${state}`),
  quoted(["westeurope", "eastus"]).map((location) => `resourceLocation ne ${location}`),
  quoted(["microsoft.cache/redis", "microsoft.keyvault/vaults"]).map((type) => `resourceType eq ${type}`),
  quoted(["0", "a", "kv-", "z"]).map((text) => `contains(resourceId,${text})`),
  quoted(["audit", "deny", "modify"]).map((effect) => `policyDefinitionAction eq ${effect}`),
  quoted(["1", "e", "7c"]).map((text) => `contains(policyDefinitionName,${text})`),
  quoted(["azure_security_benchmark_v3.0_dp-3", "cis_azure_2.0.0_3.1"]).map(
    (g) => `${g} in policyDefinitionGroupNames`,
  ),
  fc.constantFrom("lt", "ge").map((operator) => `timestamp ${operator} 2025-01-15T02:00:00Z`),
  fc.constant("isCompliant"),
);
const { filter } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "medium" },
    atom,
    fc
      .tuple(tie("filter"), fc.constantFrom("and", "or", "or"), tie("filter"))
      .map(([left, word, right]) => `(${left} ${word} ${right})`),
    tie("filter").map((inner) => `not (${inner})`),
  ),
}));

test("any filter", () => {
  fc.assert(
    fc.property(filter, (text) => {
      const [read, walked, seen] = threeWays(text);
      expect(walked).toEqual(read);
      expect(seen).toEqual(read);
    }),
    { numRuns: 150 },
  );
});

test("a filter with more classes than there are answers for", () => {
  const some = records.filter(({ row }) => row % 11 === 0).slice(0, 100);
  const each = some.map((record) => {
    const id = valueIn(record, "resourceId");
    return `(resourceId eq '${id}' and policyDefinitionName eq '${valueIn(record, "policyDefinitionName")}')`;
  });
  const text = each.join(" or ");
  expect(compileFilter(parseFilter(text), readings).test).toBeDefined();
  const [read, walked, seen] = threeWays(text);
  expect(read.length).toBeGreaterThanOrEqual(some.length);
  expect(walked).toEqual(read);
  expect(seen).toEqual(read);
});

test("an or of what depends on one thing alone needs no classes, one of two things no test", () => {
  const compiled = (text: string) =>
    Object.entries(compileFilter(parseFilter(text), readings)).flatMap(([name, part]) =>
      part === undefined ? [] : name,
    );
  expect(
    compiled(
      "resourceLocation eq 'eastus' or not (contains(resourceId,'a') and resourceType eq 'Microsoft.Web/sites')",
    ),
  ).toEqual(["resources"]);
  expect(compiled("not (policyDefinitionAction eq 'deny') or 'a' in policyDefinitionGroupNames")).toEqual(["policies"]);
  expect(compiled("resourceLocation eq 'eastus' or policyDefinitionAction eq 'deny'")).toEqual(["classes"]);
  expect(compiled("resourceLocation eq 'eastus' or (isCompliant and resourceLocation eq 'westeurope')")).toEqual([
    "resources",
    "classes",
  ]);
});
