/** Accounts, users, keys and roles to start with. What is not given is derived from the seed text. */
import type { Runtime } from "../kernel/emulator.ts";
import { accessKeyId } from "./domain/access-key.ts";
import type { Seed } from "./seed-form.ts";
import type { SpotStore } from "./store.ts";

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export function applySeed(seed: Seed, runtime: Runtime<SpotStore>): void {
  const { state, ids } = runtime;
  state.putSetting("signatures", seed.signatures);
  state.putSetting("interruptions", seed.interruptions);
  state.putSetting("region", seed.region);
  seed.accounts.forEach((account, position) => {
    const { id, optedIn, quotas } = account;
    state.addAccount({ id, shuffled: account.zones === "shuffled", optedIn, quotas }, position);
    account.users.forEach((user, place) => {
      const arn = `arn:aws:iam::${account.id}:user/${user.name}`;
      const derived = ids.fixed("ec2.access-key", [arn]).bytes();
      state.addUser(
        { arn, account: account.id, userId: `AIDA${ids.fixed("ec2.user", [arn]).text(17, base32)}` },
        place,
      );
      state.addAccessKey({
        id: user.accessKeyId ?? accessKeyId("AKIA", account.id, derived),
        userArn: arn,
        secret: user.secretAccessKey ?? ids.fixed("ec2.secret", [arn]).bytes().subarray(0, 30).toString("base64"),
      });
    });
    account.roles.forEach((role, place) => {
      const arn = `arn:aws:iam::${account.id}:role/${role.name}`;
      const roleId = `AROA${ids.fixed("ec2.role", [arn]).text(17, base32)}`;
      state.addRole(
        {
          arn,
          account: account.id,
          name: role.name,
          roleId,
          externalId: role.externalId,
          principals: role.principals,
          maxSessionSeconds: role.maxSessionSeconds,
        },
        place,
      );
    });
  });
}
