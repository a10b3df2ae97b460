import type { Database } from "../kernel/state.ts";
import { type Documents, openDocuments } from "./documents.ts";
import type { Changes } from "./domain/changes.ts";
import { createEstate, type EstateParameters } from "./domain/estate.ts";
import { placeEvaluations } from "./domain/placing.ts";
import { createReadings, type Readings } from "./domain/readings.ts";
import { changesFrom } from "./domain/structure.ts";
import { createSigner, type Signer } from "./entra.ts";

export interface Tenant {
  readonly tenantId: string;
  readonly displayName: string;
  readonly domain: string;
}

export interface Application {
  readonly clientId: string;
  readonly displayName: string;
  readonly objectId: string;
  readonly clientSecret: string;
}

export interface AzureState {
  readonly signer: Signer;
  tenant(): Tenant;
  /** By client id in lower case. */
  application(clientId: string): Application | undefined;
  /** The first in the order of client ids: the one whose credentials are handed out. */
  anyApplication(): Application | undefined;
  subscriptions(): EstateParameters["subscriptions"];
  readonly documents: Documents;
  /** True when quirks of Azure that clients stumble over are to be as in Azure. */
  strict(): boolean;
  /**
   * The estate with everything that clients changed, or with what they had changed when `documents.seen()` was `seen`.
   * Made on first use, and again when what it is made from has changed.
   */
  readings(seen?: number): Readings;
  addTenant(tenant: Tenant): void;
  addApplication(application: Application): void;
  addSubscription(subscription: EstateParameters["subscriptions"][number], position: number): void;
  setEstate(
    estate: Pick<EstateParameters, "seed" | "groupsPerSubscription" | "resourcesPerGroup"> & {
      readonly strict: boolean;
    },
  ): void;
}

type ApplicationRow = { client_id: string; display_name: string; object_id: string; client_secret: string };
type EstateRow = { seed: string; groups_per_subscription: number; resources_per_group: number };

export function openAzure(db: Database): AzureState {
  const statement = {
    tenant: db.prepare(
      "SELECT tenant_id AS tenantId, display_name AS displayName, domain FROM azure_directory LIMIT 1",
    ),
    addTenant: db.prepare("INSERT INTO azure_directory (tenant_id, display_name, domain) VALUES (?, ?, ?)"),
    application: db.prepare("SELECT * FROM azure_applications WHERE client_id = ?"),
    anyApplication: db.prepare("SELECT * FROM azure_applications ORDER BY client_id LIMIT 1"),
    addApplication: db.prepare(
      "INSERT INTO azure_applications (client_id, display_name, object_id, client_secret) VALUES (?, ?, ?, ?)",
    ),
    subscriptions: db.prepare(
      "SELECT subscription_id AS id, display_name AS name FROM azure_subscriptions ORDER BY position, subscription_id",
    ),
    addSubscription: db.prepare(
      "INSERT INTO azure_subscriptions (subscription_id, position, display_name) VALUES (?, ?, ?)",
    ),
    estate: db.prepare("SELECT seed, groups_per_subscription, resources_per_group FROM azure_estate LIMIT 1"),
    setEstate: db.prepare(
      "INSERT OR REPLACE INTO azure_estate (name, seed, groups_per_subscription, resources_per_group, strict) VALUES ('estate', ?, ?, ?, ?)",
    ),
    strict: db.prepare("SELECT strict FROM azure_estate").pluck(),
    // One short text that changes whenever the estate would: rows also change by reset, restore and a new seed.
    fingerprint: db
      .prepare(
        `SELECT e.seed || '/' || e.groups_per_subscription || '/' || e.resources_per_group || '/' || d.tenant_id || '/' ||
           (SELECT group_concat(position || ' ' || subscription_id || ' ' || display_name) FROM azure_subscriptions)
         FROM azure_estate e, azure_directory d`,
      )
      .pluck(),
  };
  const documents = openDocuments(db);
  const kept = createKept();
  const state: AzureState = {
    signer: createSigner(),
    tenant: () => present(statement.tenant.get() as Tenant | undefined),
    application: (clientId) => toApplication(statement.application.get(clientId) as ApplicationRow | undefined),
    anyApplication: () => toApplication(statement.anyApplication.get() as ApplicationRow | undefined),
    subscriptions: () => statement.subscriptions.all() as { id: string; name: string }[],
    documents,
    strict: () => statement.strict.get() === 1,
    readings(seen) {
      const parameters = String(statement.fingerprint.get());
      const { structure, evaluations } = documents.fingerprint(seen);
      const until = seen ?? Number.MAX_SAFE_INTEGER;
      return kept(`${parameters}/${structure}`, evaluations, {
        base() {
          const row = present(statement.estate.get() as EstateRow | undefined);
          const changes: Changes = changesFrom(structure === 0 ? [] : documents.structure(until));
          const estate = createEstate(
            {
              seed: row.seed,
              tenantId: state.tenant().tenantId,
              principalOid: state.anyApplication()?.objectId ?? "",
              subscriptions: state.subscriptions(),
              groupsPerSubscription: row.groups_per_subscription,
              resourcesPerGroup: row.resources_per_group,
            },
            changes,
          );
          return createReadings(estate);
        },
        overlaid: (base) => base.withOverlay(placeEvaluations(base, documents.evaluations(until))),
      });
    },
    addTenant: ({ tenantId, displayName, domain }) => void statement.addTenant.run(tenantId, displayName, domain),
    addApplication: ({ clientId, displayName, objectId, clientSecret }) =>
      void statement.addApplication.run(clientId, displayName, objectId, clientSecret),
    addSubscription: ({ id, name }, position) => void statement.addSubscription.run(id, position, name),
    setEstate: ({ seed, groupsPerSubscription, resourcesPerGroup, strict }) =>
      void statement.setEstate.run(seed, groupsPerSubscription, resourcesPerGroup, strict ? 1 : 0),
  };
  return state;
}

interface Making {
  base(): Readings;
  overlaid(base: Readings): Readings;
}

/** The last few estates, so that readers of an older one and of the newest do not make each other's again and again. */
function createKept(): (structure: string, evaluations: number, make: Making) => Readings {
  const bases = new Map<string, Readings>();
  const whole = new Map<string, Readings>();
  const remembered = <T>(map: Map<string, T>, key: string, make: () => T): T => {
    const found = map.get(key) ?? make();
    map.delete(key);
    map.set(key, found);
    for (const oldest of map.keys()) {
      if (map.size <= mostKept) break;
      map.delete(oldest);
    }
    return found;
  };
  return (structure, evaluations, make) => {
    const base = () => remembered(bases, structure, make.base);
    if (evaluations === 0) return base();
    return remembered(whole, `${structure}/${evaluations}`, () => make.overlaid(base()));
  };
}

const mostKept = 3;

function toApplication(row: ApplicationRow | undefined): Application | undefined {
  if (!row) return undefined;
  return {
    clientId: row.client_id,
    displayName: row.display_name,
    objectId: row.object_id,
    clientSecret: row.client_secret,
  };
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the Azure emulator has no seed");
  return value;
}
