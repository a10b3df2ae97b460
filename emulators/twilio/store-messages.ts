/** Messages: their rows, their lists and what changes in them. */
import type { Database, RowHolding } from "../kernel/state.ts";
import type { Message, MessageStatus } from "./domain/message.ts";
import { type HeldMessages, holdMessages } from "./store-held.ts";

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

/** Told of a message that changed, or of none when all may have. */
export type MessageListener = (sid: string | undefined) => void;

const insertedColumns = `sid, account_sid, direction, sender, recipient, body, num_segments, num_media, media_urls, status,
  error_code, price, billed_at, messaging_service_sid, status_callback, valid_until, send_at, smart_encoded, created_at,
  updated_at, sent_at`;
const shownColumns = `sid, account_sid AS accountSid, direction, sender AS "from", recipient AS "to", body,
  num_segments AS numSegments, num_media AS numMedia, status, error_code AS errorCode, price, billed_at AS billedAt,
  messaging_service_sid AS messagingServiceSid, created_at AS createdAt, updated_at AS updatedAt, sent_at AS sentAt`;
const messageColumns = `${shownColumns}, media_urls AS mediaUrls, status_callback AS statusCallback,
  valid_until AS validUntil, send_at AS sendAt, smart_encoded AS smartEncoded`;

// A message is sent at the earliest when it is made, at the latest 35 days and its validity (10 hours) later; so a filter
// on the sending date bounds the date of creation, by which lists are ordered and indexed.
const longestWaitMs = 36 * 86_400_000;

export function openMessages(db: Database, holding: RowHolding | undefined) {
  const held = holdMessages(db, holding, inserter(db));
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
  const listeners: MessageListener[] = [];
  const changed: MessageListener = (sid) => {
    for (const listener of listeners) listener(sid);
  };
  holding?.holdBack({ write() {}, forget: () => changed(undefined) });
  return {
    ...openMessageLists(db, held),
    addMessage: held.add,
    message: (sid: string) => held.get(sid) ?? (bySid.get(sid) as Message | undefined),
    /** What a step of its life changes; the rest stays as it was. */
    changeMessage(row: Message): void {
      const { sid, status, from, numSegments, errorCode, price, billedAt, updatedAt, sentAt } = row;
      if (!held.change(row)) {
        if (status === "queued")
          change.run(status, from, numSegments, errorCode, price, billedAt, updatedAt, sentAt, sid);
        else moveOn.run(status, errorCode, price, billedAt, updatedAt, sentAt, sid);
      }
      changed(sid);
    },
    redactMessage(sid: string, at: number): void {
      held.write();
      redact.run(at, sid);
      changed(sid);
    },
    /** Removes the message; its place in lists is remembered, so that paging past it goes on. */
    deleteMessage(sid: string): void {
      held.write();
      bury.run(sid);
      remove.run(sid);
      changed(sid);
    },
    onMessageChange(listener: MessageListener): void {
      listeners.push(listener);
    },
    /** Writes what is held back: for whoever reads the table by other ways than these. */
    writeMessages: held.write,
  };
}

function inserter(db: Database) {
  const insert = db.prepare(
    `INSERT INTO messages (rowid, ${insertedColumns}) VALUES (${Array(22).fill("?").join(", ")})`,
  );
  return (row: Message, arrival?: number): void => {
    insert.run(
      arrival ?? null,
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
  };
}

function openMessageLists(db: Database, held: HeldMessages) {
  const place = db.prepare(
    `SELECT created_at AS createdAt, rowid AS arrival FROM messages WHERE sid = @sid AND account_sid = @accountSid UNION ALL
     SELECT created_at, arrival FROM deleted_messages WHERE sid = @sid AND account_sid = @accountSid`,
  );
  const lists = new Map<string, ReturnType<Database["prepare"]>>();
  /** One statement for every combination of filters, each prepared when it is first used. */
  const select = (query: MessageQuery, beyond: readonly string[], limit: number): number[] => {
    const conditions = ["account_sid = @accountSid", ...beyond];
    if (query.to !== undefined) conditions.push("recipient = @to");
    // A recipient says more than a sender, which many messages share: `+` keeps SQLite from taking the sender's index.
    if (query.from !== undefined) conditions.push(query.to === undefined ? "sender = @from" : "+sender = @from");
    if (query.sentFrom !== undefined) conditions.push("sent_at >= @sentFrom", "created_at >= @createdFrom");
    if (query.sentBefore !== undefined) conditions.push("sent_at < @sentBefore", "created_at < @sentBefore");
    const order = query.newerThan ? "ASC" : "DESC";
    const sql = `SELECT rowid FROM messages WHERE ${conditions.join(" AND ")}
      ORDER BY created_at ${order}, rowid ${order} LIMIT @limit OFFSET @offset`;
    const known = lists.get(sql);
    const statement = known ?? db.prepare(sql).pluck();
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
    }) as number[];
  };
  const byArrival = db.prepare(`SELECT ${messageColumns} FROM messages WHERE rowid = ?`);
  const recent = db.prepare(`SELECT ${messageColumns} FROM messages ORDER BY rowid DESC LIMIT ?`);
  const statuses = db.prepare("SELECT status, COUNT(*) AS count FROM messages GROUP BY status ORDER BY status");
  return {
    messageStatuses() {
      held.write();
      return statuses.all() as readonly { readonly status: MessageStatus; readonly count: number }[];
    },
    /** Of every account, the latest arrival first. */
    recentMessages(limit: number) {
      held.write();
      return recent.all(limit) as readonly Message[];
    },
    messageAt: (arrival: number) => byArrival.get(arrival) as Message | undefined,
    placeOfMessage(accountSid: string, sid: string) {
      held.write();
      return place.get({ accountSid, sid }) as Place | undefined;
    },
    /**
     * Only where they stand in the order of arrival, which the index alone tells: what a page shows of a message is mostly
     * known already.
     */
    messageArrivals(query: MessageQuery): readonly number[] {
      held.write();
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
