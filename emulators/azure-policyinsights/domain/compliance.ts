/**
 * Compliance states in the order in which they roll up: the worst of several is the one with the smallest code.
 * https://learn.microsoft.com/azure/governance/policy/concepts/compliance-states
 */
import { mix, share } from "./hash.ts";

export const complianceStates = [
  "NonCompliant",
  "Compliant",
  "Conflict",
  "Exempt",
  "Unknown",
  "Protected",
  "Error",
  "NotStarted",
] as const;

export const nonCompliant = 0;
export const compliant = 1;
export const conflict = 2;
export const exempt = 3;
export const unknown = 4;
export const protectedState = 5;
/** Greater than every code: where a roll-up starts. */
export const nothing = 255;

const exemptBelow = share(0.03);
const nonCompliantBelow = share(0.2062); // 20 % of everything, after exemptions
const conflictBelow = share(0.2114);
const redrawnBelow = share(0.02);

/** The evaluation of one resource under one definition on one day: the same for most days, drawn anew on 2 % of them. */
export function evaluate(rowHash: number, day: number): number {
  const hash = hashOn(rowHash, day);
  if (hash < nonCompliantBelow) return nonCompliant;
  return hash < conflictBelow ? conflict : compliant;
}

/** Whether the member that a definition looks at is wrong on that day. A conflict is about a wrong value too. */
export function failsOn(rowHash: number, day: number): boolean {
  return hashOn(rowHash, day) < conflictBelow;
}

/** Whether an assignment has exempted a resource from the start. */
export function isExempt(assignmentHash: number): boolean {
  return assignmentHash < exemptBelow;
}

function hashOn(rowHash: number, day: number): number {
  const today = mix(rowHash, day);
  return today < redrawnBelow ? mix(today, 1) : rowHash;
}
