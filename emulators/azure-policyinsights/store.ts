import type { Database } from "../kernel/state.ts";
import { type Documents, openDocuments } from "./documents.ts";
import type { Changes } from "./domain/changes.ts";
import { createEstate, type EstateParameters } from "./domain/estate.ts";
import { placeEvaluations } from "./domain/placing.ts";
import { createReadings, type Readings } from "./domain/readings.ts";
import type { Role } from "./domain/roles.ts";
import { changesFrom } from "./domain/structure.ts";
import { createSigner, type Signer } from "./entra.ts";
import { createQuota, type Quota } from "./quota.ts";

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
  readonly role: Role;
  /** PEM texts its assertions may be signed by. */
  readonly certificates: readonly string[];
  /** True for a managed identity: it has no secret and asks a machine-local endpoint for tokens. */
  readonly managed: boolean;
}

export interface AzureState {
  readonly signer: Signer;
  tenant(): Tenant;
  /** By client id in lower case. */
  application(clientId: string): Application | undefined;
  /** The first in the order of client ids: the one whose credentials are handed out. */
  anyApplication(): Application | undefined;
  /** Managed identities; the first is what a machine has when none is named. */
  identities(): readonly Application[];
  readonly quota: Quota;
  subscriptions(): EstateParameters["subscriptions"];
  readonly documents: Documents;
  /** True when quirks of Azure that clients stumble over are to be as in Azure. */
  strict(): boolean;
  /** True when deliveries of Event Grid carry a signature too. */
  signsEvents(): boolean;
  /**
   * The estate with everything that clients changed, or with what they had changed when `documents.seen()` was `seen`.
   * Made on first use, and again when what it is made from has changed.
   */
  readings(seen?: number): Readings;
  addTenant(tenant: Tenant): void;
  addApplication(application: Application, position: number): void;
  addSubscription(subscription: EstateParameters["subscriptions"][number], position: number): void;
  setEstate(
    estate: Pick<EstateParameters, "seed" | "groupsPerSubscription" | "resourcesPerGroup"> & {
      readonly strict: boolean;
      readonly signsEvents?: boolean;
    },
  ): void;
}

type ApplicationRow = {
  client_id: string;
  display_name: string;
  object_id: string;
  client_secret: string;
  role: Role;
  certificates: string;
  managed: number;
};
type EstateRow = { seed: string; groups_per_subscription: number; resources_per_group: number };

export function openAzure(db: Database): AzureState {
  const statement = {
    tenant: db.prepare(
      "SELECT tenant_id AS tenantId, display_name AS displayName, domain FROM azure_directory LIMIT 1",
    ),
    addTenant: db.prepare("INSERT INTO azure_directory (tenant_id, display_name, domain) VALUES (?, ?, ?)"),
    application: db.prepare("SELECT * FROM azure_applications WHERE client_id = ?"),
    anyApplication: db.prepare("SELECT * FROM azure_applications WHERE managed = 0 ORDER BY client_id LIMIT 1"),
    identities: db.prepare("SELECT * FROM azure_applications WHERE managed = 1 ORDER BY position, client_id"),
    addApplication: db.prepare(
      "INSERT INTO azure_applications (client_id, display_name, object_id, client_secret, role, certificates, position, managed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    subscriptions: db.prepare(
      "SELECT subscription_id AS id, display_name AS name FROM azure_subscriptions ORDER BY position, subscription_id",
    ),
    addSubscription: db.prepare(
      "INSERT INTO azure_subscriptions (subscription_id, position, display_name) VALUES (?, ?, ?)",
    ),
    estate: db.prepare("SELECT seed, groups_per_subscription, resources_per_group FROM azure_estate LIMIT 1"),
    setEstate: db.prepare(
      "INSERT OR REPLACE INTO azure_estate (name, seed, groups_per_subscription, resources_per_group, strict, signs_events) VALUES ('estate', ?, ?, ?, ?, ?)",
    ),
    strict: db.prepare("SELECT strict FROM azure_estate").pluck(),
    signsEvents: db.prepare("SELECT signs_events FROM azure_estate").pluck(),
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
    identities: () => (statement.identities.all() as ApplicationRow[]).flatMap((row) => toApplication(row) ?? []),
    quota: createQuota(),
    subscriptions: () => statement.subscriptions.all() as { id: string; name: string }[],
    documents,
    strict: () => statement.strict.get() === 1,
    signsEvents: () => statement.signsEvents.get() === 1,
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
    addApplication: (application, position) =>
      void statement.addApplication.run(
        application.clientId,
        application.displayName,
        application.objectId,
        application.clientSecret,
        application.role,
        JSON.stringify(application.certificates),
        position,
        application.managed ? 1 : 0,
      ),
    addSubscription: ({ id, name }, position) => void statement.addSubscription.run(id, position, name),
    setEstate: ({ seed, groupsPerSubscription, resourcesPerGroup, strict, signsEvents = true }) =>
      void statement.setEstate.run(seed, groupsPerSubscription, resourcesPerGroup, strict ? 1 : 0, signsEvents ? 1 : 0),
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
    role: row.role,
    certificates: JSON.parse(row.certificates),
    managed: row.managed === 1,
  };
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the Azure emulator has no seed");
  return value;
}
