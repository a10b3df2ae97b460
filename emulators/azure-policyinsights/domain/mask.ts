/**
 * A condition on rows, taken apart by what it depends on: tables of bits for resources, policies and compliance codes,
 * and a test for the rest. All parts that are there must hold.
 */
import type { Estate } from "./estate.ts";

/** Whether a row passes, given its compliance code and the instant of its evaluation. */
export type RowTest = (row: number, compliance: number, instant: number) => boolean;

export interface Mask {
  readonly resources?: Uint8Array | undefined;
  readonly policies?: Uint8Array | undefined;
  readonly compliance?: Uint8Array | undefined;
  readonly test?: RowTest | undefined;
  /** Nothing later passes: where a walk from the newest on may begin. */
  readonly until?: number | undefined;
}

const tables = ["resources", "policies", "compliance"] as const;
export type MaskTable = (typeof tables)[number];

export function both(left: Mask, right: Mask): Mask {
  const one = left.test;
  const other = right.test;
  return {
    resources: bitsOfBoth(left.resources, right.resources),
    policies: bitsOfBoth(left.policies, right.policies),
    compliance: bitsOfBoth(left.compliance, right.compliance),
    test: one && other ? (row, code, instant) => one(row, code, instant) && other(row, code, instant) : (one ?? other),
    until: left.until === undefined ? right.until : Math.min(left.until, right.until ?? left.until),
  };
}

function bitsOfBoth(left: Uint8Array | undefined, right: Uint8Array | undefined): Uint8Array | undefined {
  if (!left || !right) return left ?? right;
  return left.map((bit, code) => bit & (right[code] ?? 0));
}

export function either(left: Mask, right: Mask, estate: Estate): Mask {
  const name = onlyTable(left);
  const one = name && left[name];
  const other = name && onlyTable(right) === name ? right[name] : undefined;
  if (name && one && other) return { [name]: one.map((bit, code) => bit | (other[code] ?? 0)) };
  const first = testOf(left, estate);
  const second = testOf(right, estate);
  return { test: (row, code, instant) => first(row, code, instant) || second(row, code, instant) };
}

export function inverse(mask: Mask, estate: Estate): Mask {
  const name = onlyTable(mask);
  const bits = name && mask[name];
  if (name && bits) return { [name]: bits.map((bit) => bit ^ 1) };
  const test = testOf(mask, estate);
  return { test: (row, code, instant) => !test(row, code, instant) };
}

/** The name of its one part, when that is a table. */
function onlyTable(mask: Mask): MaskTable | undefined {
  if (mask.test) return undefined;
  const present = tables.filter((name) => mask[name]);
  return present.length === 1 ? present[0] : undefined;
}

/** The whole mask as one test. */
export function testOf(mask: Mask, { rows }: Estate): RowTest {
  const { resources, policies, compliance, test } = mask;
  const { resource: resourceOf, policy: policyOf } = rows;
  // One table alone is what most sides of an `or` are.
  const name = onlyTable(mask);
  if (name && resources) return (row) => resources[resourceOf[row] ?? 0] === 1;
  if (name && policies) return (row) => policies[policyOf[row] ?? 0] === 1;
  if (name && compliance) return (_row, code) => compliance[code] === 1;
  return (row, code, instant) =>
    (!resources || resources[resourceOf[row] ?? 0] === 1) &&
    (!policies || policies[policyOf[row] ?? 0] === 1) &&
    (!compliance || compliance[code] === 1) &&
    (!test || test(row, code, instant));
}
