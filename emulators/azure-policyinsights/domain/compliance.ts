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
export type ComplianceState = (typeof complianceStates)[number];

export const nonCompliant = 0;
export const compliant = 1;
export const conflict = 2;
export const exempt = 3;
export const unknown = 4;
/** Greater than every code: where a roll-up starts. */
export const nothing = 255;

const exemptBelow = share(0.03);
const nonCompliantBelow = share(0.2062); // 20 % of everything, after exemptions
const conflictBelow = share(0.2114);
const redrawnBelow = share(0.02);

/** The evaluation of one resource under one definition on one day: the same for most days, drawn anew on 2 % of them. */
export function evaluate(rowHash: number, assignmentHash: number, day: number): number {
  if (assignmentHash < exemptBelow) return exempt;
  const today = mix(rowHash, day);
  const hash = today < redrawnBelow ? mix(today, 1) : rowHash;
  if (hash < nonCompliantBelow) return nonCompliant;
  return hash < conflictBelow ? conflict : compliant;
}
