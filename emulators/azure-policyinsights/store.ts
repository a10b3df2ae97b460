import type { Database } from "../kernel/state.ts";
import { createEstate, type EstateParameters } from "./domain/estate.ts";
import { createReadings, type Readings } from "./domain/readings.ts";
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
  /** The estate that the rows describe: made on first use, and again when the rows have changed. */
  readings(): Readings;
  addTenant(tenant: Tenant): void;
  addApplication(application: Application): void;
  addSubscription(subscription: EstateParameters["subscriptions"][number], position: number): void;
  setEstate(estate: Pick<EstateParameters, "seed" | "groupsPerSubscription" | "resourcesPerGroup">): void;
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
      "INSERT OR REPLACE INTO azure_estate (name, seed, groups_per_subscription, resources_per_group) VALUES ('estate', ?, ?, ?)",
    ),
    // One short text that changes whenever the estate would: rows also change by reset, restore and a new seed.
    fingerprint: db
      .prepare(
        `SELECT e.seed || '/' || e.groups_per_subscription || '/' || e.resources_per_group || '/' || d.tenant_id || '/' ||
           (SELECT group_concat(position || ' ' || subscription_id || ' ' || display_name) FROM azure_subscriptions)
         FROM azure_estate e, azure_directory d`,
      )
      .pluck(),
  };
  let known: { readonly fingerprint: unknown; readonly readings: Readings } | undefined;
  const state: AzureState = {
    signer: createSigner(),
    tenant: () => present(statement.tenant.get() as Tenant | undefined),
    application: (clientId) => toApplication(statement.application.get(clientId) as ApplicationRow | undefined),
    anyApplication: () => toApplication(statement.anyApplication.get() as ApplicationRow | undefined),
    subscriptions: () => statement.subscriptions.all() as { id: string; name: string }[],
    readings() {
      const fingerprint = statement.fingerprint.get();
      if (known?.fingerprint !== fingerprint) {
        const row = present(statement.estate.get() as EstateRow | undefined);
        const estate = createEstate({
          seed: row.seed,
          tenantId: state.tenant().tenantId,
          subscriptions: state.subscriptions(),
          groupsPerSubscription: row.groups_per_subscription,
          resourcesPerGroup: row.resources_per_group,
        });
        known = { fingerprint, readings: createReadings(estate) };
      }
      return present(known).readings;
    },
    addTenant: ({ tenantId, displayName, domain }) => void statement.addTenant.run(tenantId, displayName, domain),
    addApplication: ({ clientId, displayName, objectId, clientSecret }) =>
      void statement.addApplication.run(clientId, displayName, objectId, clientSecret),
    addSubscription: ({ id, name }, position) => void statement.addSubscription.run(id, position, name),
    setEstate: ({ seed, groupsPerSubscription, resourcesPerGroup }) =>
      void statement.setEstate.run(seed, groupsPerSubscription, resourcesPerGroup),
  };
  return state;
}

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
