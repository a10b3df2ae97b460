/** Sessions of roles and users: credentials whose token carries all that there is to know of them. */
import { accessKeyId } from "./domain/access-key.ts";
import { sealSession } from "./identity.ts";
import type { Seals } from "./seals.ts";
import type { Role } from "./store.ts";

export interface OpenedSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly token: string;
  readonly expires: number;
  readonly assumedRoleId: string;
  readonly arn: string;
}

export function openRoleSession(
  seals: Seals,
  wanted: { readonly role: Role; readonly name: string; readonly derived: Uint8Array; readonly expires: number },
): OpenedSession {
  const { role, name, expires } = wanted;
  return openSessionAs(seals, {
    account: role.account,
    roleArn: role.arn,
    arn: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${name}`,
    userId: `${role.roleId}:${name}`,
    derived: wanted.derived,
    expires,
  });
}

/** Sessions of a user or federated user: `roleArn` is then who it acts for. */
export function openSessionAs(
  seals: Seals,
  wanted: {
    readonly account: string;
    readonly roleArn: string;
    readonly arn: string;
    readonly userId: string;
    readonly derived: Uint8Array;
    readonly expires: number;
  },
): OpenedSession {
  const { account, roleArn, arn, userId, expires } = wanted;
  const keyId = accessKeyId("ASIA", account, wanted.derived);
  const token = sealSession(seals, { accessKeyId: keyId, account, roleArn, assumedRoleId: userId, arn, expires });
  return {
    accessKeyId: keyId,
    secretAccessKey: seals.secretOf(keyId),
    token,
    expires,
    assumedRoleId: userId,
    arn,
  };
}
