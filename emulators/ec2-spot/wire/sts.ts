/** STS results. */
import { element, wrap } from "./xml.ts";

export interface CredentialsView {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** `2026-11-21T01:15:33Z`: whole seconds, no fraction. */
  readonly expiration: string;
}

export function credentialsXml(credentials: CredentialsView): string {
  return wrap(
    "Credentials",
    element("AccessKeyId", credentials.accessKeyId) +
      element("SecretAccessKey", credentials.secretAccessKey) +
      element("SessionToken", credentials.sessionToken) +
      element("Expiration", credentials.expiration),
  );
}

export interface AssumedRoleView {
  readonly assumedRoleId: string;
  readonly arn: string;
  readonly packedPolicySize: number | undefined;
  readonly sourceIdentity: string | undefined;
}

export function assumeRoleXml(credentials: CredentialsView, role: AssumedRoleView): string {
  return (
    wrap("AssumedRoleUser", element("AssumedRoleId", role.assumedRoleId) + element("Arn", role.arn)) +
    credentialsXml(credentials) +
    (role.packedPolicySize === undefined ? "" : element("PackedPolicySize", role.packedPolicySize)) +
    (role.sourceIdentity === undefined ? "" : element("SourceIdentity", role.sourceIdentity))
  );
}

export function callerIdentityXml(caller: {
  readonly arn: string;
  readonly userId: string;
  readonly account: string;
}): string {
  return element("Arn", caller.arn) + element("UserId", caller.userId) + element("Account", caller.account);
}
