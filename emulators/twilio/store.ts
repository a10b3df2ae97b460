/** The only place with SQL: what is kept, and the statements, each prepared once. */
import type { Database, RowHolding } from "../kernel/state.ts";
import { type KeptRows, keepRows } from "./store-kept.ts";
import { openMessages } from "./store-messages.ts";
import { openResources } from "./store-resources.ts";
import { openUsage } from "./store-usage.ts";

export interface Account {
  readonly sid: string;
  /** Its own sid for a main account, the parent's for a subaccount. */
  readonly ownerSid: string;
  readonly authToken: string;
  readonly friendlyName: string;
  readonly status: "active" | "suspended" | "closed";
  readonly type: "Full" | "Trial";
  /** 1 for test credentials: nothing they do is stored. */
  readonly test: 0 | 1;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type TwilioState = ReturnType<typeof openStore>;

const accountColumns = `sid, owner_sid AS ownerSid, auth_token AS authToken, friendly_name AS friendlyName, status, type,
  test, created_at AS createdAt, updated_at AS updatedAt`;

export function openStore(db: Database, holding?: RowHolding) {
  const kept = keepRows(db);
  const changes = db.prepare("SELECT total_changes()").pluck();
  const messages = openMessages(db, holding);
  return {
    /** Changes with every row that does; undefined while a change may still be taken back. */
    version(): number | undefined {
      if (db.inTransaction) return undefined;
      messages.writeMessages();
      return changes.get() as number;
    },
    ...openAccounts(db, kept),
    ...openResources(db, kept),
    ...messages,
    ...openUsage(db, messages.writeMessages),
  };
}

function openAccounts(db: Database, kept: KeptRows) {
  const insert = db.prepare("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const bySid = db.prepare(`SELECT ${accountColumns} FROM accounts WHERE sid = ?`);
  const first = db.prepare(
    `SELECT ${accountColumns} FROM accounts WHERE owner_sid = sid AND test = ? ORDER BY rowid LIMIT 1`,
  );
  const change = db.prepare("UPDATE accounts SET friendly_name = ?, status = ?, updated_at = ? WHERE sid = ?");
  const owned = db.prepare(
    `SELECT ${accountColumns} FROM accounts WHERE owner_sid = ? AND test = 0 ORDER BY created_at DESC, rowid DESC`,
  );
  return {
    addAccount(row: Account): void {
      insert.run(
        row.sid,
        row.ownerSid,
        row.authToken,
        row.friendlyName,
        row.status,
        row.type,
        row.test,
        row.createdAt,
        row.updatedAt,
      );
    },
    changeAccount({ sid, friendlyName, status, updatedAt }: Account): void {
      change.run(friendlyName, status, updatedAt, sid);
    },
    /** A main account and its subaccounts, newest first. */
    accountsOf: (ownerSid: string) => owned.all(ownerSid) as readonly Account[],
    account: (sid: string) => kept.get(`account ${sid}`, () => bySid.get(sid) as Account | undefined),
    /** The first main account, or the first with test credentials. */
    mainAccount: (kind: "live" | "test") => first.get(kind === "test" ? 1 : 0) as Account | undefined,
  };
}
