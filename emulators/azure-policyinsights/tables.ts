/** What clients see of the directory and the estate's parameters; its rows are worked out from these and never stored. */
export const tables = `
CREATE TABLE IF NOT EXISTS azure_directory (
  tenant_id TEXT PRIMARY KEY, display_name TEXT NOT NULL, domain TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS azure_applications (
  client_id TEXT PRIMARY KEY, display_name TEXT NOT NULL, object_id TEXT NOT NULL, client_secret TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS azure_subscriptions (
  subscription_id TEXT PRIMARY KEY, position INTEGER NOT NULL, display_name TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS azure_estate (
  name TEXT PRIMARY KEY, seed TEXT NOT NULL, groups_per_subscription INTEGER NOT NULL, resources_per_group INTEGER NOT NULL
) WITHOUT ROWID;
`;
