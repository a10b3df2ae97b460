import { describe, expect, test } from "vitest";
import { conflict, exempt, nonCompliant } from "../../emulators/azure-policyinsights/domain/compliance.ts";
import { currentOf } from "../../emulators/azure-policyinsights/domain/current.ts";
import { judge } from "../../emulators/azure-policyinsights/domain/judge.ts";
import { createReadings } from "../../emulators/azure-policyinsights/domain/readings.ts";
import { subjectOf } from "../../emulators/azure-policyinsights/domain/resource-body.ts";
import { evaluateRule, type Subject } from "../../emulators/azure-policyinsights/domain/rules.ts";
import { noon, smallEstate } from "./estates.ts";

test("the rules agree with the seeded states, read from the resources' own members", () => {
  const readings = createReadings(smallEstate("rules", 60));
  const { estate } = readings;
  let pairs = 0;
  for (let row = 0; row < estate.rows.count; row += 1) {
    const { compliance, instant } = currentOf(readings, row, noon);
    if (compliance === exempt) continue;
    const subject = subjectOf(estate, estate.rows.resource[row] ?? 0, instant, undefined);
    const judged = judge(estate, estate.rows.policy[row] ?? 0, subject).compliance;
    // A conflict is about a wrong value that another policy wants.
    expect(judged, subject.id).toBe(compliance === conflict ? nonCompliant : compliance);
    pairs += 1;
  }
  expect(pairs).toBeGreaterThan(1000);
});

const subject: Subject = {
  id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
  name: "a",
  type: "Microsoft.Storage/storageAccounts",
  location: "westeurope",
  body: {
    tags: { Owner: "me" },
    properties: { minimumTlsVersion: "TLS1_2", rules: [{ port: 80 }, { port: 443 }], count: 5 },
  },
  related: {},
  groupLocation: "westeurope",
  groupName: "g",
};

describe("conditions", () => {
  test.each([
    [{ field: "type", equals: "microsoft.storage/STORAGEACCOUNTS" }, true],
    [{ field: "tags.owner", exists: true }, true],
    [{ field: "tags['owner']", equals: "ME" }, true],
    [{ field: "[concat('tags[', parameters('tag'), ']')]", exists: "false" }, false],
    [{ field: "location", in: ["eastus", "WestEurope"] }, true],
    [{ field: "location", notEquals: "[resourceGroup().location]" }, false],
    [{ field: "Microsoft.Storage/storageAccounts/minimumTlsVersion", like: "TLS1*" }, true],
    [{ field: "Microsoft.Storage/storageAccounts/minimumTlsVersion", match: "???#.#" }, true],
    [{ field: "Microsoft.Storage/storageAccounts/rules[*].port", greater: 100 }, false],
    [{ field: "Microsoft.Storage/storageAccounts/rules[*].port", less: 1000 }, true],
    [{ field: "Microsoft.Storage/storageAccounts/count", greaterOrEquals: 5 }, true],
    [{ count: { field: "Microsoft.Storage/storageAccounts/rules[*]" }, equals: 2 }, true],
    [
      {
        count: {
          field: "Microsoft.Storage/storageAccounts/rules[*]",
          where: { field: "Microsoft.Storage/storageAccounts/rules[*].port", greater: 100 },
        },
        equals: 1,
      },
      true,
    ],
    [{ count: { field: "Microsoft.Storage/storageAccounts/nothing[*]" }, greater: 0 }, false],
    [
      {
        count: {
          value: ["eastus", "westeurope"],
          name: "place",
          where: { field: "location", equals: "[current('place')]" },
        },
        greaterOrEquals: 1,
      },
      true,
    ],
    [{ count: { value: [1, 2, 3], where: { value: "[current()]", less: 3 } }, equals: 2 }, true],
    [{ field: "Microsoft.Storage/storageAccounts/nothing", exists: false }, true],
    [{ value: "[toLower(field('name'))]", equals: "a" }, true],
    [{ allOf: [{ field: "name", equals: "a" }, { not: { field: "name", contains: "b" } }] }, true],
    [
      {
        anyOf: [
          { field: "name", equals: "b" },
          { field: "name", notIn: ["a"] },
        ],
      },
      false,
    ],
  ])("%j is %s", (condition, expected) => {
    const parameters = { tag: "owner" };
    expect(evaluateRule({ if: condition, related: undefined }, parameters, subject).matches).toBe(expected);
  });
});
