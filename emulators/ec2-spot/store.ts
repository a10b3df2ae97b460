/** The only place with SQL: accounts, users, keys and roles; and what is kept of computed prices while the process runs. */
import type { Database } from "../kernel/state.ts";
import { createRegions, type Regions } from "./markets.ts";
import { createMetadataPorts, type MetadataPorts } from "./metadata-ports.ts";
import { openResources, type Resources } from "./resources.ts";

export interface Account {
  readonly id: string;
  /** Whether zone letters are the account's own in the oldest regions. */
  readonly shuffled: boolean;
  readonly optedIn: readonly string[];
  readonly quotas: Quotas;
}

/** Most vCPUs that may run in a region; undefined: no limit. */
export interface Quotas {
  readonly spotVcpus?: number | undefined;
  readonly onDemandVcpus?: number | undefined;
}

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
  readonly userArn: string;
  readonly userId: string;
  readonly account: string;
}

export interface Role {
  readonly arn: string;
  readonly account: string;
  readonly name: string;
  readonly roleId: string;
  readonly externalId: string | undefined;
  readonly principals: readonly string[];
  readonly maxSessionSeconds: number;
}

export interface Settings {
  readonly signatures: "lenient" | "strict";
  /** Whether spot instances are taken away by the market itself. */
  readonly interruptions: "natural" | "none";
  readonly region: string;
}

export interface SpotStore {
  readonly regions: Regions;
  readonly resources: Resources;
  readonly metadataPorts: MetadataPorts;
  /** The Spot Advisor's document of a day; the last one is kept, which changes no answer. */
  advisor(day: number, make: () => Promise<string>): Promise<string>;
  settings(): Settings;
  account(id: string): Account | undefined;
  /** The first account of the seed. */
  firstAccount(): Account | undefined;
  accessKey(id: string): AccessKey | undefined;
  /** The first user's key of an account. */
  firstAccessKey(account: string): AccessKey | undefined;
  role(arn: string): Role | undefined;
  firstRole(account: string): Role | undefined;
  putSetting(name: keyof Settings, value: string): void;
  addAccount(account: Account, position: number): void;
  addUser(user: { readonly arn: string; readonly account: string; readonly userId: string }, position: number): void;
  addAccessKey(key: { readonly id: string; readonly userArn: string; readonly secret: string }): void;
  addRole(role: Role, position: number): void;
}

interface AccountRow {
  readonly id: string;
  readonly zones: string;
  readonly opted_in: string;
  readonly spot_vcpus: number | null;
  readonly on_demand_vcpus: number | null;
}

interface KeyRow {
  readonly id: string;
  readonly secret: string;
  readonly user_arn: string;
  readonly user_id: string;
  readonly account: string;
}

interface RoleRow {
  readonly arn: string;
  readonly account: string;
  readonly name: string;
  readonly role_id: string;
  readonly external_id: string | null;
  readonly principals: string;
  readonly max_session: number;
}

const keyColumns =
  "k.id, k.secret, k.user_arn, u.user_id, u.account FROM ec2_access_keys k JOIN ec2_users u ON u.arn = k.user_arn";

export function openStore(db: Database): SpotStore {
  const sql = {
    setting: db.prepare<[string], { value: string }>("SELECT value FROM ec2_settings WHERE name = ?"),
    account: db.prepare<[string], AccountRow>("SELECT * FROM ec2_accounts WHERE id = ?"),
    firstAccount: db.prepare<[], AccountRow>("SELECT * FROM ec2_accounts ORDER BY position LIMIT 1"),
    key: db.prepare<[string], KeyRow>(`SELECT ${keyColumns} WHERE k.id = ?`),
    firstKey: db.prepare<[string], KeyRow>(
      `SELECT ${keyColumns} WHERE u.account = ? ORDER BY u.position, k.id LIMIT 1`,
    ),
    role: db.prepare<[string], RoleRow>("SELECT * FROM ec2_roles WHERE arn = ?"),
    firstRole: db.prepare<[string], RoleRow>("SELECT * FROM ec2_roles WHERE account = ? ORDER BY position LIMIT 1"),
    putSetting: db.prepare(
      "INSERT INTO ec2_settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    ),
    addAccount: db.prepare(
      "INSERT INTO ec2_accounts (id, position, zones, opted_in, spot_vcpus, on_demand_vcpus) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    addUser: db.prepare("INSERT INTO ec2_users (arn, account, position, user_id) VALUES (?, ?, ?, ?)"),
    addKey: db.prepare("INSERT INTO ec2_access_keys (id, user_arn, secret) VALUES (?, ?, ?)"),
    addRole: db.prepare(
      "INSERT INTO ec2_roles (arn, account, position, name, role_id, external_id, principals, max_session) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ),
  };
  let advice: { readonly day: number; readonly text: Promise<string> } | undefined;
  return {
    advisor(day, make) {
      if (advice?.day !== day) advice = { day, text: make() };
      return advice.text;
    },
    regions: createRegions(),
    resources: openResources(db),
    metadataPorts: createMetadataPorts(),
    settings: () => ({
      signatures: sql.setting.get("signatures")?.value === "strict" ? "strict" : "lenient",
      interruptions: sql.setting.get("interruptions")?.value === "none" ? "none" : "natural",
      region: sql.setting.get("region")?.value ?? "us-east-1",
    }),
    account: (id) => accountFrom(sql.account.get(id)),
    firstAccount: () => accountFrom(sql.firstAccount.get()),
    accessKey: (id) => keyFrom(sql.key.get(id)),
    firstAccessKey: (account) => keyFrom(sql.firstKey.get(account)),
    role: (arn) => roleFrom(sql.role.get(arn)),
    firstRole: (account) => roleFrom(sql.firstRole.get(account)),
    putSetting: (name, value) => void sql.putSetting.run(name, value),
    addAccount: (account, position) =>
      void sql.addAccount.run(
        account.id,
        position,
        account.shuffled ? "shuffled" : "uniform",
        account.optedIn.join(","),
        account.quotas.spotVcpus ?? null,
        account.quotas.onDemandVcpus ?? null,
      ),
    addUser: (user, position) => void sql.addUser.run(user.arn, user.account, position, user.userId),
    addAccessKey: (key) => void sql.addKey.run(key.id, key.userArn, key.secret),
    addRole: (role, position) =>
      void sql.addRole.run(
        role.arn,
        role.account,
        position,
        role.name,
        role.roleId,
        role.externalId ?? null,
        role.principals.join(","),
        role.maxSessionSeconds,
      ),
  };
}

function accountFrom(row: AccountRow | undefined): Account | undefined {
  return (
    row && {
      id: row.id,
      shuffled: row.zones === "shuffled",
      optedIn: row.opted_in.split(",").filter(Boolean),
      quotas: { spotVcpus: row.spot_vcpus ?? undefined, onDemandVcpus: row.on_demand_vcpus ?? undefined },
    }
  );
}

function keyFrom(row: KeyRow | undefined): AccessKey | undefined {
  return row && { id: row.id, secret: row.secret, userArn: row.user_arn, userId: row.user_id, account: row.account };
}

function roleFrom(row: RoleRow | undefined): Role | undefined {
  return (
    row && {
      arn: row.arn,
      account: row.account,
      name: row.name,
      roleId: row.role_id,
      externalId: row.external_id ?? undefined,
      principals: row.principals.split(","),
      maxSessionSeconds: row.max_session,
    }
  );
}
