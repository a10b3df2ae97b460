/**
 * Conditions on resources, policies and compliance codes together. What can be said of each of them alone is a table of
 * bits; what cannot - one thing about the resource or another about the policy - is said of classes: resources that a
 * condition treats alike are one class, so are policies, and there is an answer for each class of both and each code.
 */
import { complianceStates } from "./compliance.ts";
import type { Estate } from "./estate.ts";

/** All parts that are there must hold. */
export interface Untimed {
  readonly resources?: Uint8Array | undefined;
  readonly policies?: Uint8Array | undefined;
  readonly compliance?: Uint8Array | undefined;
  readonly classes?: Classes | undefined;
}

export interface Classes {
  readonly ofResource: Uint8Array;
  readonly ofPolicy: Uint8Array;
  readonly policyClasses: number;
  /** 1 where the condition holds: by class of the resource, then of the policy, then compliance code. */
  readonly answers: Uint8Array;
}

type Operation = (left: boolean, right: boolean) => boolean;

const states = complianceStates.length;
/** Answers that are worked out for one operation; a filter may have hundreds of these. */
const mostAnswers = 2_048;
/** With one class of the other kind. */
const mostClasses = mostAnswers / states;

/** What two conditions make together; undefined when that has too many classes. */
export function combined(left: Untimed, right: Untimed, operation: Operation, estate: Estate): Untimed | undefined {
  const policies = partition(
    [left.policies, left.classes?.ofPolicy, right.policies, right.classes?.ofPolicy],
    estate.policies.length,
  );
  const resources = partition(
    [left.resources, left.classes?.ofResource, right.resources, right.classes?.ofResource],
    estate.resources.count,
  );
  if (!policies || !resources) return undefined;
  const size = resources.samples.length * policies.samples.length * states;
  if (size > mostAnswers) return undefined;
  const answers = new Uint8Array(size);
  let at = 0;
  for (const resource of resources.samples)
    for (const policy of policies.samples)
      for (let code = 0; code < states; code += 1) {
        const holds = operation(holdsFor(left, resource, policy, code), holdsFor(right, resource, policy, code));
        answers[at] = holds ? 1 : 0;
        at += 1;
      }
  return simplest(resources, policies, answers);
}

export function holdsFor(
  { resources, policies, compliance, classes }: Untimed,
  resource: number,
  policy: number,
  code: number,
): boolean {
  if (resources && resources[resource] !== 1) return false;
  if (policies && policies[policy] !== 1) return false;
  if (compliance && compliance[code] !== 1) return false;
  return !classes || holdsForClass(classes, resource, policy, code);
}

export function holdsForClass(
  { ofResource, ofPolicy, policyClasses, answers }: Classes,
  resource: number,
  policy: number,
  code: number,
): boolean {
  const both = (ofResource[resource] ?? 0) * policyClasses + (ofPolicy[policy] ?? 0);
  return answers[both * states + code] === 1;
}

interface Partition {
  readonly classOf: Uint8Array;
  /** One of each class. */
  readonly samples: readonly number[];
}

/** Which of `size` things have the same value in every column; undefined when too few have. */
function partition(columns: readonly (Uint8Array | undefined)[], size: number): Partition | undefined {
  let classOf = new Uint8Array(size);
  let samples = [0];
  for (const column of columns) {
    if (!column) continue;
    let width = 1;
    for (let at = 0; at < size; at += 1) width = Math.max(width, 1 + (column[at] ?? 0));
    const numbers = new Int32Array(samples.length * width).fill(-1);
    const finer = new Uint8Array(size);
    samples = [];
    for (let at = 0; at < size; at += 1) {
      const key = (classOf[at] ?? 0) * width + (column[at] ?? 0);
      let found = numbers[key] ?? -1;
      if (found < 0) {
        found = samples.push(at) - 1;
        if (found === mostClasses) return undefined;
        numbers[key] = found;
      }
      finer[at] = found;
    }
    classOf = finer;
  }
  return { classOf, samples };
}

/** Tables say which classes can pass at all; where that says it all, the classes are not needed. */
function simplest(resources: Partition, policies: Partition, answers: Uint8Array): Untimed {
  const policyClasses = policies.samples.length;
  const placeOf = (at: number) => {
    const both = Math.floor(at / states);
    return { row: Math.floor(both / policyClasses), column: both % policyClasses, code: at % states };
  };
  const rows = new Uint8Array(resources.samples.length);
  const columns = new Uint8Array(policyClasses);
  const compliance = new Uint8Array(states);
  answers.forEach((answer, at) => {
    const { row, column, code } = placeOf(at);
    rows[row] = (rows[row] ?? 0) | answer;
    columns[column] = (columns[column] ?? 0) | answer;
    compliance[code] = (compliance[code] ?? 0) | answer;
  });
  const enough = answers.every((answer, at) => {
    const { row, column, code } = placeOf(at);
    return answer === ((rows[row] ?? 0) & (columns[column] ?? 0) & (compliance[code] ?? 0));
  });
  const table = ({ classOf }: Partition, bits: Uint8Array) => {
    if (!bits.includes(0)) return undefined;
    const each = new Uint8Array(classOf.length);
    for (let at = 0; at < each.length; at += 1) each[at] = bits[classOf[at] ?? 0] ?? 0;
    return each;
  };
  return {
    resources: table(resources, rows),
    policies: table(policies, columns),
    compliance: compliance.includes(0) ? compliance : undefined,
    classes: enough ? undefined : { ofResource: resources.classOf, ofPolicy: policies.classOf, policyClasses, answers },
  };
}
