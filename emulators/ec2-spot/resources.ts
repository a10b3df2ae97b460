/** Rows of what clients make: one table, keyed by id, whose body is the resource as JSON. */

import type { Database } from "../kernel/state.ts";
import type { Experiment, ExperimentTemplate } from "./domain/experiments.ts";
import type { Fleet } from "./domain/fleets.ts";
import type {
  Image,
  Instance,
  KeyPair,
  LaunchTemplate,
  Owner,
  Resource,
  SecurityGroup,
  Snapshot,
  SpotRequest,
  Volume,
} from "./domain/resources.ts";

/** Vpcs and subnets come with an account; a row only exists once one is tagged. */
export interface Tagged extends Resource {}

export interface Datafeed extends Resource {
  readonly bucket: string;
  readonly prefix: string;
}

interface Kinds {
  readonly instance: Instance;
  readonly request: SpotRequest;
  readonly image: Image;
  readonly snapshot: Snapshot;
  readonly volume: Volume;
  readonly key: KeyPair;
  readonly group: SecurityGroup;
  readonly network: Tagged;
  readonly template: LaunchTemplate;
  readonly fleet: Fleet;
  readonly experiment: Experiment;
  readonly experimentTemplate: ExperimentTemplate;
  readonly datafeed: Datafeed;
}
export type Kind = keyof Kinds;

export interface Collection<T extends Resource> {
  get(id: string): T | undefined;
  /** Only if it is this owner's. */
  of(owner: Owner, id: string): T | undefined;
  /** In order of arrival. */
  list(owner: Owner): readonly T[];
  /** Of every owner, in order of arrival. */
  everywhere(): readonly T[];
  /** Adds or replaces; a replaced row keeps its place. */
  put(resource: T): void;
  remove(id: string): void;
}

export type Resources = { readonly [K in Kind]: Collection<Kinds[K]> } & {
  /** Every resource of an owner, for tags. */
  all(owner: Owner): readonly { readonly kind: Kind; readonly resource: Resource }[];
  find(owner: Owner, id: string): { readonly kind: Kind; readonly resource: Resource } | undefined;
  /** Writes a resource of whatever kind back. */
  replace(kind: Kind, resource: Resource): void;
  /** Takes an address for a subnet; false when another has it. */
  takeAddress(subnet: string, address: string): boolean;
  freeAddress(subnet: string, address: string): void;
  /** What was answered to a client token, with the fingerprint of the request that it came with. */
  token(key: string): { readonly fingerprint: string; readonly result: string } | undefined;
  putToken(key: string, fingerprint: string, result: string): void;
};

export const resourceTables = `
CREATE TABLE IF NOT EXISTS ec2_resources (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, arrival INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ec2_resources_owner ON ec2_resources (account, region, kind, arrival);
CREATE INDEX IF NOT EXISTS ec2_resources_arrival ON ec2_resources (arrival);
CREATE TABLE IF NOT EXISTS ec2_addresses (subnet TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (subnet, address)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ec2_tokens (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, result TEXT NOT NULL) WITHOUT ROWID;
`;

interface Row {
  readonly kind: Kind;
  readonly body: string;
}

export function openResources(db: Database): Resources {
  const sql = {
    get: db.prepare<[string, string], string>("SELECT body FROM ec2_resources WHERE id = ? AND kind = ?").pluck(),
    list: db
      .prepare<[string, string, string], string>(
        "SELECT body FROM ec2_resources WHERE account = ? AND region = ? AND kind = ? ORDER BY arrival",
      )
      .pluck(),
    everywhere: db.prepare<[string], string>("SELECT body FROM ec2_resources WHERE kind = ? ORDER BY arrival").pluck(),
    all: db.prepare<[string, string], Row>(
      "SELECT kind, body FROM ec2_resources WHERE account = ? AND region = ? ORDER BY id",
    ),
    find: db.prepare<[string, string, string], Row>(
      "SELECT kind, body FROM ec2_resources WHERE id = ? AND account = ? AND region = ?",
    ),
    put: db.prepare(
      "INSERT INTO ec2_resources (id, kind, account, region, arrival, body) VALUES (?, ?, ?, ?, (SELECT COALESCE(MAX(arrival), 0) + 1 FROM ec2_resources), ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
    ),
    remove: db.prepare("DELETE FROM ec2_resources WHERE id = ?"),
    takeAddress: db.prepare("INSERT OR IGNORE INTO ec2_addresses (subnet, address) VALUES (?, ?)"),
    freeAddress: db.prepare("DELETE FROM ec2_addresses WHERE subnet = ? AND address = ?"),
    token: db.prepare<[string], { fingerprint: string; result: string }>(
      "SELECT fingerprint, result FROM ec2_tokens WHERE key = ?",
    ),
    putToken: db.prepare("INSERT INTO ec2_tokens (key, fingerprint, result) VALUES (?, ?, ?)"),
  };
  const put = (kind: Kind, resource: Resource) =>
    void sql.put.run(resource.id, kind, resource.account, resource.region, JSON.stringify(resource));
  const collection = <K extends Kind>(kind: K): Collection<Kinds[K]> => {
    const parse = (body: string) => JSON.parse(body) as Kinds[K];
    const get = (id: string) => {
      const body = sql.get.get(id, kind);
      return body === undefined ? undefined : parse(body);
    };
    return {
      get,
      of(owner, id) {
        const found = get(id);
        return found?.account === owner.account && found.region === owner.region ? found : undefined;
      },
      list: ({ account, region }) => sql.list.all(account, region, kind).map(parse),
      everywhere: () => sql.everywhere.all(kind).map(parse),
      put: (resource) => put(kind, resource),
      remove: (id) => void sql.remove.run(id),
    };
  };
  return {
    instance: collection("instance"),
    request: collection("request"),
    image: collection("image"),
    snapshot: collection("snapshot"),
    volume: collection("volume"),
    key: collection("key"),
    group: collection("group"),
    network: collection("network"),
    template: collection("template"),
    fleet: collection("fleet"),
    experiment: collection("experiment"),
    experimentTemplate: collection("experimentTemplate"),
    datafeed: collection("datafeed"),
    all: ({ account, region }) => sql.all.all(account, region).map(resourceOf),
    find(owner, id) {
      const row = sql.find.get(id, owner.account, owner.region);
      return row && resourceOf(row);
    },
    replace: put,
    takeAddress: (subnet, address) => sql.takeAddress.run(subnet, address).changes === 1,
    freeAddress: (subnet, address) => void sql.freeAddress.run(subnet, address),
    token: (key) => sql.token.get(key),
    putToken: (key, fingerprint, result) => void sql.putToken.run(key, fingerprint, result),
  };
}

function resourceOf({ kind, body }: Row): { kind: Kind; resource: Resource } {
  return { kind, resource: JSON.parse(body) as Resource };
}
