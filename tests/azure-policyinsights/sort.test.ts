/** Pages in the order of any keys, one after the other, against sorting every record. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { codesOf, type Field, fields } from "../../emulators/azure-policyinsights/domain/fields.ts";
import { readPage } from "../../emulators/azure-policyinsights/domain/page.ts";
import { createReadings } from "../../emulators/azure-policyinsights/domain/readings.ts";
import type { SortKey } from "../../emulators/azure-policyinsights/domain/sort.ts";
import { everything, recordsOf, smallEstate } from "./estates.ts";

const readings = createReadings(smallEstate("sort", 20));
const { estate } = readings;
const records = recordsOf(readings);
type Record = (typeof records)[number];

function sortValue({ row, resource, compliance, instant }: Record, field: Field): string | number {
  switch (field.kind) {
    case "date":
      return instant;
    case "boolean":
      return Number(field.flag(compliance));
    case "list":
      return field
        .words(estate, estate.rows.policy[row] ?? 0)
        .join(",")
        .toLowerCase();
    case "string": {
      const ofRow = { resource, policy: estate.rows.policy[row] ?? 0, compliance };
      const code =
        field.level === "resource" || field.level === "policy" || field.level === "compliance"
          ? ofRow[field.level]
          : (codesOf(estate, field.level)?.[resource] ?? 0);
      return field.text(estate, code).toLowerCase();
    }
  }
}

function naive(keys: readonly SortKey[]): number[] {
  return records
    .toSorted((left, right) => {
      for (const { field, descending } of keys) {
        const [one, other] = [sortValue(left, field), sortValue(right, field)];
        if (one !== other) return one < other === descending ? 1 : -1;
      }
      return left.row - right.row;
    })
    .map(({ row }) => row);
}

const key = fc.record({ field: fc.constantFrom(...fields), descending: fc.boolean() });

test("pages of any size have every record once, in the order of the keys and then of the rows", () => {
  fc.assert(
    fc.property(
      fc.array(key, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: records.length }),
      (orderBy, size) => {
        const seen: number[] = [];
        for (let shown = 0, more = true; more && seen.length < 40 * size; shown = seen.length) {
          const page = readPage(readings, { question: everything(estate), orderBy, size, after: undefined, shown });
          seen.push(...page.records.map(({ row }) => row));
          more = page.more;
        }
        expect(seen).toEqual(naive(orderBy).slice(0, 40 * size));
      },
    ),
    { numRuns: 60 },
  );
});
