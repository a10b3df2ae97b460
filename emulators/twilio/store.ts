/** The only place with SQL: what is kept, and the statements, each prepared once. */
import type { Database } from "../kernel/state.ts";
import type { Message, MessageStatus, ShownMessage } from "./domain/message.ts";
import { type KeptRows, keepRows } from "./store-kept.ts";
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

/** A place in a list: everything before or after it belongs to other pages. */
export interface Place {
  readonly createdAt: number;
  readonly arrival: number;
}

export interface MessageQuery {
  readonly accountSid: string;
  readonly to?: string;
  readonly from?: string;
  /** First and first-no-more instant of sending. */
  readonly sentFrom?: number;
  readonly sentBefore?: number;
  /** Older than this place, newest first; or newer than it, still answered newest first. */
  readonly olderThan?: Place;
  readonly newerThan?: Place;
  readonly limit: number;
  readonly offset: number;
}

/** What a step of a message's life changes. */
export type MessageChange = Pick<
  Message,
  "sid" | "status" | "from" | "numSegments" | "errorCode" | "price" | "billedAt" | "updatedAt" | "sentAt"
>;

export type TwilioState = ReturnType<typeof openStore>;

const accountColumns = `sid, owner_sid AS ownerSid, auth_token AS authToken, friendly_name AS friendlyName, status, type,
  test, created_at AS createdAt, updated_at AS updatedAt`;
const shownColumns = `sid, account_sid AS accountSid, direction, sender AS "from", recipient AS "to", body,
  num_segments AS numSegments, num_media AS numMedia, status, error_code AS errorCode, price, billed_at AS billedAt,
  messaging_service_sid AS messagingServiceSid, created_at AS createdAt, updated_at AS updatedAt, sent_at AS sentAt`;
const messageColumns = `${shownColumns}, media_urls AS mediaUrls, status_callback AS statusCallback,
  valid_until AS validUntil, send_at AS sendAt, smart_encoded AS smartEncoded`;

// A message is sent at the earliest when it is made, at the latest 35 days and its validity (10 hours) later; so a filter
// on the sending date bounds the date of creation, by which lists are ordered and indexed.
const longestWaitMs = 36 * 86_400_000;

export function openStore(db: Database) {
  const kept = keepRows(db);
  const changes = db.prepare("SELECT total_changes()").pluck();
  return {
    /** Changes with every row that does; undefined while a change may still be taken back. */
    version: () => (db.inTransaction ? undefined : (changes.get() as number)),
    ...openAccounts(db, kept),
    ...openResources(db, kept),
    ...openMessages(db),
    ...openMessageLists(db),
    ...openUsage(db),
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

function openMessages(db: Database) {
  const insert = db.prepare(`INSERT INTO messages VALUES (${Array(21).fill("?").join(", ")})`);
  const bySid = db.prepare(`SELECT ${messageColumns} FROM messages WHERE sid = ?`);
  const change = db.prepare(
    `UPDATE messages SET status = ?, sender = ?, num_segments = ?, error_code = ?, price = ?, billed_at = ?, updated_at = ?,
     sent_at = ? WHERE sid = ?`,
  );
  // Every step but the choice of a sender: naming an indexed column would have its index entry written again.
  const moveOn = db.prepare(
    "UPDATE messages SET status = ?, error_code = ?, price = ?, billed_at = ?, updated_at = ?, sent_at = ? WHERE sid = ?",
  );
  const redact = db.prepare("UPDATE messages SET body = '', updated_at = ? WHERE sid = ?");
  const bury = db.prepare(
    "INSERT INTO deleted_messages SELECT sid, account_sid, created_at, rowid FROM messages WHERE sid = ?",
  );
  const remove = db.prepare("DELETE FROM messages WHERE sid = ?");
  const statuses = db.prepare("SELECT status, COUNT(*) AS count FROM messages GROUP BY status ORDER BY status");
  return {
    addMessage(row: Message): void {
      insert.run(
        row.sid,
        row.accountSid,
        row.direction,
        row.from,
        row.to,
        row.body,
        row.numSegments,
        row.numMedia,
        row.mediaUrls,
        row.status,
        row.errorCode,
        row.price,
        row.billedAt,
        row.messagingServiceSid,
        row.statusCallback,
        row.validUntil,
        row.sendAt,
        row.smartEncoded,
        row.createdAt,
        row.updatedAt,
        row.sentAt,
      );
    },
    message: (sid: string) => bySid.get(sid) as Message | undefined,
    changeMessage(row: MessageChange): void {
      const { sid, status, from, numSegments, errorCode, price, billedAt, updatedAt, sentAt } = row;
      if (status === "queued")
        change.run(status, from, numSegments, errorCode, price, billedAt, updatedAt, sentAt, sid);
      else moveOn.run(status, errorCode, price, billedAt, updatedAt, sentAt, sid);
    },
    redactMessage(sid: string, at: number): void {
      redact.run(at, sid);
    },
    /** Removes the message; its place in lists is remembered, so that paging past it goes on. */
    deleteMessage(sid: string): void {
      bury.run(sid);
      remove.run(sid);
    },
    messageStatuses: () => statuses.all() as readonly { readonly status: MessageStatus; readonly count: number }[],
  };
}

function openMessageLists(db: Database) {
  const place = db.prepare(
    `SELECT created_at AS createdAt, rowid AS arrival FROM messages WHERE sid = @sid AND account_sid = @accountSid UNION ALL
     SELECT created_at, arrival FROM deleted_messages WHERE sid = @sid AND account_sid = @accountSid`,
  );
  const lists = new Map<string, ReturnType<Database["prepare"]>>();
  /** One statement for every combination of filters, each prepared when it is first used. */
  const select = (query: MessageQuery, beyond: readonly string[], limit: number): ShownMessage[] => {
    const conditions = ["account_sid = @accountSid", ...beyond];
    if (query.to !== undefined) conditions.push("recipient = @to");
    // A recipient says more than a sender, which many messages share: `+` keeps SQLite from taking the sender's index.
    if (query.from !== undefined) conditions.push(query.to === undefined ? "sender = @from" : "+sender = @from");
    if (query.sentFrom !== undefined) conditions.push("sent_at >= @sentFrom", "created_at >= @createdFrom");
    if (query.sentBefore !== undefined) conditions.push("sent_at < @sentBefore", "created_at < @sentBefore");
    const order = query.newerThan ? "ASC" : "DESC";
    const sql = `SELECT ${shownColumns} FROM messages WHERE ${conditions.join(" AND ")}
      ORDER BY created_at ${order}, rowid ${order} LIMIT @limit OFFSET @offset`;
    const known = lists.get(sql);
    const statement = known ?? db.prepare(sql);
    if (!known) lists.set(sql, statement);
    const at = query.olderThan ?? query.newerThan;
    return statement.all({
      accountSid: query.accountSid,
      to: query.to ?? null,
      from: query.from ?? null,
      sentFrom: query.sentFrom ?? null,
      createdFrom: query.sentFrom === undefined ? null : query.sentFrom - longestWaitMs,
      sentBefore: query.sentBefore ?? null,
      createdAt: at?.createdAt ?? null,
      arrival: at?.arrival ?? null,
      limit,
      offset: query.offset,
    }) as ShownMessage[];
  };
  const recent = db.prepare(`SELECT ${messageColumns} FROM messages ORDER BY rowid DESC LIMIT ?`);
  return {
    /** Of every account, the latest arrival first. */
    recentMessages: (limit: number) => recent.all(limit) as readonly Message[],
    placeOfMessage: (accountSid: string, sid: string) => place.get({ accountSid, sid }) as Place | undefined,
    messages(query: MessageQuery): readonly ShownMessage[] {
      if (!query.olderThan && !query.newerThan) return select(query, [], query.limit);
      const beyond = query.newerThan ? ">" : "<";
      // Two searches, as an index can search by arrival only among equal dates, and a frozen clock makes many equal.
      const rows = select(query, ["created_at = @createdAt", `rowid ${beyond} @arrival`], query.limit);
      const rest = query.limit - rows.length;
      if (rest > 0) rows.push(...select(query, [`created_at ${beyond} @createdAt`], rest));
      return query.newerThan ? rows.reverse() : rows;
    },
  };
}
