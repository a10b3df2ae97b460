import fc from "fast-check";
import { expect, test } from "vitest";
import { readPage } from "../../emulators/azure-policyinsights/domain/page.ts";
import { createReadings } from "../../emulators/azure-policyinsights/domain/readings.ts";
import { walkNewestFirst } from "../../emulators/azure-policyinsights/domain/walk.ts";
import { compileFilter } from "../../emulators/azure-policyinsights/odata/filter-compiler.ts";
import { parseFilter } from "../../emulators/azure-policyinsights/odata/filter-parser.ts";
import { everything, noon, recordsOf, smallEstate } from "./estates.ts";

const readings = createReadings(smallEstate("walk"));

test("at any instant every row has one evaluation in the day before, and the walk meets them newest first", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 400_000_000 }), (later) => {
      const now = noon + later;
      const seen: { row: number; instant: number }[] = [];
      walkNewestFirst(readings, everything(readings.estate, now), undefined, (row, _compliance, _scan, instant) => {
        seen.push({ row, instant });
        return true;
      });
      const expected = recordsOf(readings, now)
        .map(({ row, instant }) => ({ row, instant }))
        .toSorted((left, right) => right.instant - left.instant || left.row - right.row);
      expect(seen).toEqual(expected);
      expect(Math.max(...seen.map(({ instant }) => instant))).toBeLessThanOrEqual(now);
      expect(Math.min(...seen.map(({ instant }) => instant))).toBeGreaterThan(now - 86_400_000);
    }),
    { numRuns: 25 },
  );
});

test("a walk taken up after any record goes on where the whole one does", () => {
  const question = {
    ...everything(readings.estate),
    latestOnly: false,
    window: { from: noon - 3 * 86_400_000, to: noon },
  };
  const whole: { row: number; instant: number }[] = [];
  walkNewestFirst(
    readings,
    question,
    undefined,
    (row, _compliance, _scan, instant) => whole.push({ row, instant }) > 0,
  );
  expect(whole).toHaveLength(3 * readings.estate.rows.count);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), (at) => {
      const rest: { row: number; instant: number }[] = [];
      walkNewestFirst(readings, question, whole[at], (row, _compliance, _scan, instant) => {
        rest.push({ row, instant });
        return rest.length < 20;
      });
      expect(rest).toEqual(whole.slice(at + 1, at + 21));
    }),
    { numRuns: 60 },
  );
});

test("a page before an instant starts with the newest that comes before it, that instant's own where it is let in", () => {
  const records = recordsOf(readings).toSorted((left, right) => right.instant - left.instant || left.row - right.row);
  fc.assert(
    fc.property(fc.nat(records.length - 1), fc.constantFrom("lt", "le", "eq"), (at, operator) => {
      // A filter has whole milliseconds.
      const value = Math.ceil(records[at]?.instant ?? 0);
      const mask = compileFilter(parseFilter(`timestamp ${operator} ${new Date(value).toISOString()}`), readings);
      const question = { ...everything(readings.estate), mask };
      const page = readPage(readings, { question, orderBy: undefined, size: 30, after: undefined, shown: 0 });
      const seen = page.records.map(({ row }) => row);
      const passes = (instant: number) =>
        operator === "eq" ? instant === value : operator === "lt" ? instant < value : instant <= value;
      expect(seen).toEqual(records.flatMap(({ row, instant }) => (passes(instant) ? [row] : [])).slice(0, 30));
    }),
    { numRuns: 60 },
  );
});

test("the same parameters give the same estate, another seed another one", () => {
  const [left, right, other] = [smallEstate("a"), smallEstate("a"), smallEstate("b")];
  expect(left).toEqual(right);
  expect(other.resources.hash).not.toEqual(left.resources.hash);
});
