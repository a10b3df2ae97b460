/** What clients and the seed can change. Prices and the catalogue are functions of the seed and have no rows. */
import { resourceTables } from "./resources.ts";

export const tables = `
CREATE TABLE IF NOT EXISTS ec2_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ec2_accounts (
  id TEXT PRIMARY KEY, position INTEGER NOT NULL, zones TEXT NOT NULL, opted_in TEXT NOT NULL,
  spot_vcpus INTEGER, on_demand_vcpus INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ec2_users (
  arn TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES ec2_accounts (id), position INTEGER NOT NULL, user_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ec2_access_keys (
  id TEXT PRIMARY KEY, user_arn TEXT NOT NULL REFERENCES ec2_users (arn), secret TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ec2_roles (
  arn TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES ec2_accounts (id), position INTEGER NOT NULL, name TEXT NOT NULL,
  role_id TEXT NOT NULL, external_id TEXT, principals TEXT NOT NULL, max_session INTEGER NOT NULL
) WITHOUT ROWID;
${resourceTables}`;
