/** A condition on rows: what does not depend on times is looked up, and there is a test for the rest. Both must hold. */
import { combined, holdsFor, type Untimed } from "./classes.ts";
import type { Estate } from "./estate.ts";

/** Whether a row passes, given its compliance code and the instant of its evaluation. */
export type RowTest = (row: number, compliance: number, instant: number) => boolean;

export interface Mask extends Untimed {
  readonly test?: RowTest | undefined;
  /** Nothing later passes: where a walk from the newest on may begin. */
  readonly until?: number | undefined;
}

export function both(left: Mask, right: Mask, estate: Estate): Mask {
  const until = left.until === undefined ? right.until : Math.min(left.until, right.until ?? left.until);
  const untimed =
    left.classes && right.classes
      ? combined(left, right, (one, other) => one && other, estate)
      : {
          resources: bitsOfBoth(left.resources, right.resources),
          policies: bitsOfBoth(left.policies, right.policies),
          compliance: bitsOfBoth(left.compliance, right.compliance),
          classes: left.classes ?? right.classes,
        };
  return untimed
    ? { ...untimed, test: testOfBoth(left.test, right.test), until }
    : { test: testOfBoth(testOf(left, estate), testOf(right, estate)), until };
}

function bitsOfBoth(left: Uint8Array | undefined, right: Uint8Array | undefined): Uint8Array | undefined {
  if (!left || !right) return left ?? right;
  const bits = new Uint8Array(left.length); // a loop: `map` takes ten times as long
  for (let code = 0; code < bits.length; code += 1) bits[code] = (left[code] ?? 0) & (right[code] ?? 0);
  return bits;
}

function testOfBoth(left: RowTest | undefined, right: RowTest | undefined): RowTest | undefined {
  if (!left || !right) return left ?? right;
  return (row, code, instant) => left(row, code, instant) && right(row, code, instant);
}

export function either(left: Mask, right: Mask, estate: Estate): Mask {
  const untimed = left.test || right.test ? undefined : combined(left, right, (one, other) => one || other, estate);
  if (untimed) return untimed;
  const first = testOf(left, estate);
  const second = testOf(right, estate);
  return { test: (row, code, instant) => first(row, code, instant) || second(row, code, instant) };
}

export function inverse(mask: Mask, estate: Estate): Mask {
  const untimed = mask.test ? undefined : combined(mask, mask, (holds) => !holds, estate);
  if (untimed) return untimed;
  const test = testOf(mask, estate);
  return { test: (row, code, instant) => !test(row, code, instant) };
}

/** The whole mask as one test. */
export function testOf(mask: Mask, { rows }: Estate): RowTest {
  const { resource: resourceOf, policy: policyOf } = rows;
  const { resources, policies, compliance, classes, test } = mask;
  // One part alone is what most sides of an `or` are.
  const parts = [resources, policies, compliance, classes, test].filter((part) => part !== undefined);
  if (parts.length === 1 && resources) return (row) => resources[resourceOf[row] ?? 0] === 1;
  if (parts.length === 1 && policies) return (row) => policies[policyOf[row] ?? 0] === 1;
  if (parts.length === 1 && test) return test;
  return (row, code, instant) =>
    holdsFor(mask, resourceOf[row] ?? 0, policyOf[row] ?? 0, code) && (!test || test(row, code, instant));
}
