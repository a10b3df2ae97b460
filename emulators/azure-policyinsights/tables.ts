/**
 * What clients see of the directory, the estate's parameters, and what clients wrote: versions of documents, and
 * evaluations between the daily scans. The rows of the estate are worked out from these and never stored.
 *
 * A data folder in which these texts stand otherwise, comments included, was made by another version and is refused:
 * `form` counts what the bodies of documents looked like.
 */
export const tables = `
CREATE TABLE IF NOT EXISTS azure_directory (
  tenant_id TEXT PRIMARY KEY, display_name TEXT NOT NULL, domain TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS azure_applications (
  client_id TEXT PRIMARY KEY, display_name TEXT NOT NULL, object_id TEXT NOT NULL, client_secret TEXT NOT NULL,
  role TEXT NOT NULL, certificates TEXT NOT NULL, position INTEGER NOT NULL, managed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS azure_subscriptions (
  subscription_id TEXT PRIMARY KEY, position INTEGER NOT NULL, display_name TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS azure_estate (
  name TEXT PRIMARY KEY, seed TEXT NOT NULL, groups_per_subscription INTEGER NOT NULL,
  resources_per_group INTEGER NOT NULL, strict INTEGER NOT NULL DEFAULT 0, signs_events INTEGER NOT NULL DEFAULT 1,
  structure INTEGER NOT NULL DEFAULT 0, evaluations INTEGER NOT NULL DEFAULT 0, arrival INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS azure_documents (
  kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT /* form 2 */, made INTEGER NOT NULL,
  at INTEGER NOT NULL, hash INTEGER NOT NULL, arrival INTEGER NOT NULL, PRIMARY KEY (kind, id, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS azure_evaluations (
  resource TEXT NOT NULL, policy TEXT NOT NULL, version INTEGER NOT NULL, compliance INTEGER NOT NULL,
  changed INTEGER NOT NULL, at INTEGER NOT NULL, hash INTEGER NOT NULL, arrival INTEGER NOT NULL,
  PRIMARY KEY (resource, policy, version)
) WITHOUT ROWID;
`;
