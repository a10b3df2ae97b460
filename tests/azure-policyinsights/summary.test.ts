import fc from "fast-check";
import { expect, test } from "vitest";
import { createReadings } from "../../emulators/azure-policyinsights/domain/readings.ts";
import { type Results, summarize } from "../../emulators/azure-policyinsights/domain/summary.ts";
import { everything, noon, recordsOf, smallEstate } from "./estates.ts";

type Record = ReturnType<typeof recordsOf>[number];

/** The rules once more, by sets and maps, with no regard to speed. */
function naive(records: readonly Record[]) {
  const byAssignment = Map.groupBy(records, (record) => record.assignmentCode);
  const assignments = [...byAssignment].map(([assignment, own]) => {
    const byPolicy = Map.groupBy(own, (record) => record.policyCode);
    const groupNames = [...new Set(own.flatMap((record) => record.groups))];
    const inGroup = (name: string) => own.filter((record) => record.groups.includes(name));
    return {
      assignment,
      resources: tally(Map.groupBy(own, (record) => record.resource).values()),
      policies: tally(byPolicy.values()),
      groups: tally(groupNames.map(inGroup)),
      byPolicy: new Map([...byPolicy].map(([policy, rows]) => [policy, tally(rows.map((row) => [row]))])),
      byGroup: new Map(
        groupNames.map((name) => [
          name,
          {
            resources: tally(Map.groupBy(inGroup(name), (record) => record.resource).values()),
            policies: tally(Map.groupBy(inGroup(name), (record) => record.policyCode).values()),
          },
        ]),
      ),
    };
  });
  return {
    resources: tally(Map.groupBy(records, (record) => record.resource).values()),
    policies: tally(byAssignment.values()),
    groups: assignments
      .map(({ groups }) => groups)
      .reduce((sum, groups) => sum.map((many, state) => many + (groups[state] ?? 0)), zeros()),
    assignments,
  };
}

const zeros = () => new Array<number>(8).fill(0);

/** How many of the sets of records have each state as their worst. */
function tally(sets: Iterable<readonly Record[]>): number[] {
  const counts = zeros();
  for (const set of sets) {
    const worst = Math.min(...set.map((record) => record.compliance));
    counts[worst] = (counts[worst] ?? 0) + 1;
  }
  return counts;
}

const plain = ({ resources, policies, groups }: Results) => ({
  resources: [...resources],
  policies: [...policies],
  groups: [...groups],
});

test("the one-pass summary is the naive one, for any estate, instant and filter", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 0, max: 200_000_000 }),
      fc.integer({ min: 1, max: 7 }),
      (seed, later, modulus) => {
        const readings = createReadings(smallEstate(seed, 8));
        const now = noon + later;
        const chosen = (row: number) => row % modulus === 0;
        const summary = summarize(readings, { ...everything(readings.estate, now), mask: { test: chosen } });
        const expected = naive(recordsOf(readings, now).filter(({ row }) => chosen(row)));
        expect(plain(summary.results)).toEqual({
          resources: expected.resources,
          policies: expected.policies,
          groups: expected.groups,
        });
        expect(summary.assignments).toHaveLength(expected.assignments.length);
        for (const assignment of expected.assignments) {
          const found =
            summary.assignments.find((each) => each.assignment === assignment.assignment) ?? expect.fail("missing");
          expect(plain(found.results)).toEqual({
            resources: assignment.resources,
            policies: assignment.policies,
            groups: assignment.groups,
          });
          expect(new Map(found.policies.map(({ policy, results }) => [policy, [...results.resources]]))).toEqual(
            assignment.byPolicy,
          );
          expect(
            new Map(
              found.groups.map(({ name, results }) => [
                name,
                { resources: [...results.resources], policies: [...results.policies] },
              ]),
            ),
          ).toEqual(assignment.byGroup);
        }
      },
    ),
    { numRuns: 15 },
  );
});

test("assignments come with the most non-compliant resources first", () => {
  const readings = createReadings(smallEstate("order"));
  const counts = summarize(readings, everything(readings.estate)).assignments.map(
    ({ results }) => results.resources[0] ?? 0,
  );
  expect(counts).toEqual(counts.toSorted((left, right) => right - left));
});
