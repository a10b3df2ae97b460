/** Who may assume a role. */

export interface TrustPolicy {
  /** Account ids, `arn:aws:iam::<account>:root`, user or role ARNs, or `*`. */
  readonly principals: readonly string[];
  readonly externalId: string | undefined;
}

export interface TrustedCaller {
  readonly account: string;
  /** ARN of the user, the root user or the session. */
  readonly arn: string;
  /** ARN of the role behind a session. */
  readonly role: string | undefined;
}

export function trusts(policy: TrustPolicy, caller: TrustedCaller, externalId: string | undefined): boolean {
  if (policy.externalId !== undefined && policy.externalId !== externalId) return false;
  const names = ["*", caller.account, `arn:aws:iam::${caller.account}:root`, caller.arn, caller.role];
  return policy.principals.some((principal) => names.includes(principal));
}
