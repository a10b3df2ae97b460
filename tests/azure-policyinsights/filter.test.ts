import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { complianceStates } from "../../emulators/azure-policyinsights/domain/compliance.ts";
import { testOf } from "../../emulators/azure-policyinsights/domain/mask.ts";
import { createReadings } from "../../emulators/azure-policyinsights/domain/readings.ts";
import { compileFilter } from "../../emulators/azure-policyinsights/odata/filter-compiler.ts";
import { parseFilter } from "../../emulators/azure-policyinsights/odata/filter-parser.ts";
import { parseInstant } from "../../emulators/azure-policyinsights/odata/filter-tokens.ts";
import { ODataProblem } from "../../emulators/azure-policyinsights/odata/problem.ts";
import { recordsOf, smallEstate } from "./estates.ts";

const readings = createReadings(smallEstate("filter"));
const records = recordsOf(readings);

function matching(filter: string) {
  const passes = testOf(compileFilter(parseFilter(filter), readings), readings.estate);
  return records.filter(({ row, compliance, instant }) => passes(row, compliance, instant));
}

describe("what a filter selects", () => {
  test.each([
    ["complianceState eq 'noncompliant'", (record) => record.complianceState === "NonCompliant"],
    ["ISCOMPLIANT EQ FALSE", (record) => record.complianceState === "NonCompliant"],
    ["not isCompliant", (record) => record.complianceState === "NonCompliant"],
    ["isCompliant ne true", (record) => record.complianceState === "NonCompliant"],
    ["resourceType eq '/Microsoft.KeyVault/vaults'", (record) => record.resourceType === "Microsoft.KeyVault/vaults"],
    ["'Microsoft.KeyVault/vaults' eq resourceType", (record) => record.resourceType === "Microsoft.KeyVault/vaults"],
    [
      "'AZURE_SECURITY_BENCHMARK_V3.0_DP-3' IN PolicyDefinitionGroupNames",
      (record) => record.groups.includes("azure_security_benchmark_v3.0_dp-3"),
    ],
    ["contains(resourceGroup, 'ORDERS')", (record) => record.resourceGroup.includes("orders")],
    [
      "startswith(policyAssignmentName, 'security') eq false",
      (record) => record.assignment !== "SecurityCenterBuiltIn",
    ],
    ["endswith(resourceId,'s')", (record) => record.resourceId.endsWith("s")],
    ["resourceLocation gt 'eastus'", (record) => record.resourceLocation > "eastus"],
    ["resourceGroup eq null", (record) => record.resourceGroup === ""],
    [
      "resourceLocation eq 'westeurope' or resourceLocation eq 'eastus' and isCompliant eq false",
      (record) =>
        record.resourceLocation === "westeurope" ||
        (record.resourceLocation === "eastus" && record.complianceState === "NonCompliant"),
    ],
    [
      "(resourceLocation eq 'westeurope' or resourceLocation eq 'eastus') and not (isCompliant eq true)",
      (record) =>
        ["westeurope", "eastus"].includes(record.resourceLocation) && record.complianceState === "NonCompliant",
    ],
  ] satisfies [string, (record: (typeof records)[number]) => boolean][])("%s", (filter, expected) => {
    const wanted = records.filter(expected);
    expect(matching(filter)).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.length).toBeLessThan(records.length);
  });

  test("a time splits the records", () => {
    const middle = records[records.length >> 1]?.instant ?? 0;
    const text = new Date(middle).toISOString();
    const before = matching(`timestamp lt ${text}`).length;
    expect(before).toBe(records.filter(({ instant }) => instant < Date.parse(text)).length);
    expect(before + matching(`timestamp ge ${text}`).length).toBe(records.length);
  });

  test("a resource id is found whatever its case", () => {
    const id = records[40]?.resourceId ?? "";
    expect(matching(`resourceId eq '${id.toUpperCase()}'`)).toEqual(
      records.filter((record) => record.resourceId === id),
    );
    expect(matching("resourceId eq '/subscriptions/none'")).toEqual([]);
  });
});

describe("what cannot be read", () => {
  test.each([
    ["", 0],
    ["isCompliant", -1],
    ["resourceId", 10],
    ["resourceId eq", 13],
    ["resourceId eq 5", 14],
    ["resourceId eq 'open", 14],
    ["resourceId equals 'x'", 11],
    ["unknown eq 'x'", 0],
    ["(isCompliant eq true", 20],
    ["isCompliant eq true)", 19],
    ["isCompliant gt true", 15],
    ["timestamp gt 'x'", 13],
    ["policyDefinitionGroupNames eq 'x'", 0],
    ["'x' in resourceId", 7],
    ["contains(isCompliant,'x')", 9],
    ["isCompliant eq true; drop", 19],
  ])("%s fails at %i", (filter, at) => {
    if (at < 0) return expect(parseFilter(filter).tag).toBe("boolean");
    const problem = problemOf(filter);
    expect([problem.option, problem.at]).toEqual(["$filter", at]);
  });

  test("any text is read or refused, and deep nesting is refused", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseFilter(text);
        } catch (cause) {
          expect(cause).toBeInstanceOf(ODataProblem);
        }
      }),
    );
    expect(problemOf(`${"(".repeat(100_000)}isCompliant`).message).toContain("too deeply");
    expect(problemOf(`${"not ".repeat(100_000)}isCompliant`).message).toContain("too deeply");
  });
});

function problemOf(filter: string): ODataProblem {
  try {
    parseFilter(filter);
  } catch (cause) {
    if (cause instanceof ODataProblem) return cause;
    throw cause;
  }
  return expect.fail(`${filter} was read`);
}

describe("laws", () => {
  const atom = fc.oneof(
    fc.constantFrom(...complianceStates).map((state) => `complianceState eq '${state}'`),
    fc.constantFrom("westeurope", "eastus").map((location) => `resourceLocation ne '${location}'`),
    fc.constantFrom("audit", "deny").map((effect) => `policyDefinitionAction eq '${effect}'`),
    fc.constant("isCompliant"),
  );
  const { filter } = fc.letrec<{ filter: string }>((tie) => ({
    filter: fc.oneof(
      { depthSize: "small" },
      atom,
      fc
        .tuple(tie("filter"), fc.constantFrom("and", "or"), tie("filter"))
        .map(([left, word, right]) => `(${left} ${word} ${right})`),
      tie("filter").map((inner) => `not (${inner})`),
    ),
  }));
  const rows = (text: string) => new Set(matching(text).map((record) => record.row));

  test("not, and, or behave as on sets", () => {
    fc.assert(
      fc.property(filter, filter, (left, right) => {
        const [ofLeft, ofRight] = [rows(left), rows(right)];
        expect(rows(`${left} and ${right}`)).toEqual(new Set([...ofLeft].filter((row) => ofRight.has(row))));
        expect(rows(`${left} or ${right}`)).toEqual(new Set([...ofLeft, ...ofRight]));
        expect(rows(`not (${left})`).size).toBe(records.length - ofLeft.size);
      }),
      { numRuns: 60 },
    );
  });
});

test.each([
  ["2025-01-15T12:00:00Z", Date.UTC(2025, 0, 15, 12)],
  ["2025-01-15T12:00:00.1234567Z", Date.UTC(2025, 0, 15, 12) + 123.4567],
  ["2025-01-15 12:00:00Z", Date.UTC(2025, 0, 15, 12)],
  ["2025-01-15", Date.UTC(2025, 0, 15)],
  ["2025-01-15T12:00:00+02:00", Date.UTC(2025, 0, 15, 10)],
  ["2025-13-15T12:00:00Z", undefined],
  ["yesterday", undefined],
])("the instant %s", (text, expected) => {
  if (expected === undefined) expect(parseInstant(text)).toBeUndefined();
  else expect(parseInstant(text)).toBeCloseTo(expected, 3);
});

test("conditions on ids hold for the ids they hold for, wherever in an id their text comes from", () => {
  const ids = [...new Set(records.map((record) => record.resourceId))];
  const pieces = fc
    .tuple(
      fc.constantFrom(...ids),
      fc.nat(150),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom("", "", "", "0", "-", "/"),
    )
    .map(([id, start, length, more]) => id.slice(start % id.length, (start % id.length) + length) + more);
  const ends = fc.tuple(fc.constantFrom(...ids), fc.integer({ min: 1, max: 30 })).map(([id, n]) => id.slice(-n));
  const digits = fc.stringMatching(/^[0-9a-z]{1,4}$/);
  const value = fc.oneof(pieces, ends, digits, fc.constantFrom(...ids));
  fc.assert(
    fc.property(value, fc.constantFrom("contains", "startswith", "endswith", "gt", "le"), (text, name) => {
      const filter = name.length > 2 ? `${name}(resourceId,'${text}')` : `resourceId ${name} '${text}'`;
      const holds = (id: string) => {
        if (name === "contains") return id.includes(text);
        if (name === "startswith") return id.startsWith(text);
        if (name === "endswith") return id.endsWith(text);
        return name === "gt" ? id > text : id <= text;
      };
      expect(matching(filter)).toEqual(records.filter((record) => holds(record.resourceId)));
    }),
    { numRuns: 400 },
  );
});
