import type { Database, RowHolding } from "../kernel/state.ts";
import type { AuthMode, Content, Draft, Message, MessageSummary, ServerProfile } from "./domain/message.ts";
import { beginningRead, mostRead } from "./domain/parse-mail.ts";
import { newestFirst } from "./domain/search-index.ts";
import { type EventStore, openEvents } from "./store-events.ts";
import { createHeldRows } from "./store-held.ts";
import { type MarkStore, openMarks } from "./store-marks.ts";
import { openPieces, type PieceStore } from "./store-pieces.ts";
import {
  parametersFrom,
  parametersText,
  recipientsFrom,
  recipientsText,
  type SummaryRow,
  summaryColumns,
} from "./store-rows.ts";

/** A message by the marks a reader sorts by. */
export interface Placed {
  readonly id: string;
  readonly arrival: number;
}

export interface MailStore extends MarkStore, PieceStore, EventStore {
  profile(): ServerProfile | undefined;
  setProfile(profile: ServerProfile): void;
  password(username: string): string | undefined;
  firstUser(): { readonly username: string; readonly password: string } | undefined;
  setUsers(users: readonly { readonly username: string; readonly password: string }[]): void;
  add(draft: Draft): void;
  /** Accepted messages, newest first. */
  page(start: number, limit: number): readonly Message[];
  /** Accepted and truncated messages without their bytes, newest first. */
  summaries(limit: number): readonly MessageSummary[];
  /** Accepted messages without their bytes, newest first; only those received before `before`, when it is given. */
  summaryPage(page: {
    readonly start: number;
    readonly limit: number;
    readonly before?: number | undefined;
  }): readonly MessageSummary[];
  /** Accepted messages without their bytes, in order of arrival, after an arrival number. */
  arrivedAfter(arrival: number, limit: number): readonly MessageSummary[];
  has(id: string): boolean;
  /** The same of a message that was there once: nobody is asked while none was ever removed. */
  stillHas(id: string): boolean;
  summary(id: string): MessageSummary | undefined;
  count(): number;
  /** Arrival number of the newest message, 0 before the first. Never goes back. */
  readonly lastArrival: number;
  /** Accepted messages in order of arrival. */
  placed(): readonly Placed[];
  /** With all of its bytes up to 10 MiB, the first of them beyond that. */
  message(id: string): Message | undefined;
  /** The accepted message that arrived first after an arrival number, with as many bytes. */
  messageAfter(arrival: number): Message | undefined;
  /** At most the first 64 KiB, enough for any header. */
  beginning(id: string): Buffer | undefined;
  /** All bytes, in pieces; undefined when there is no such message. */
  content(id: string): Iterable<Buffer> | undefined;
  transcript(id: string): { readonly remote: string; readonly lines: readonly string[] } | undefined;
  remove(id: string): boolean;
  removeAll(): number;
  /** Bytes of the database. */
  bytes(): number;
  /** Called when rows went away under the store: after reset, restore and a new seed. */
  onReplaced(action: () => void): void;
}

interface MessageRow extends SummaryRow {
  wall_spool: number | null;
  raw: Buffer;
}
interface ProfileRow {
  name: string;
  auth: string;
  max_recipients: number;
  retention: number;
  magic_domains: string;
}
type Credentials = { username: string; password: string };

const newest = "ORDER BY received_at DESC, arrival DESC";
const bytesToo = `${summaryColumns}, wall_spool, raw`;

/** Without `holder` every row is written at once. */
export function openMail(db: Database, holder?: RowHolding): MailStore {
  const statement = prepare(db);
  const held = createHeldRows(db, holder, {
    insert: (draft, arrival, raw) => void statement.add.run(...rowOf(draft, arrival, raw)),
    has: (id) => statement.has.get(id) !== undefined,
    remove: (id) => void statement.remove.run(id),
  });
  /** What looks at messages' rows: all of them have to be there. */
  const rows = <Asked extends unknown[], Found>(query: (...asked: Asked) => Found) => {
    return (...asked: Asked): Found => {
      held.write();
      return query(...asked);
    };
  };
  const pieces = openPieces(db);
  const marks = openMarks(db);
  const events = openEvents(db);
  // Only grows while the process lives, also over a reset: a sequence that went back would hand out a number twice.
  let arrival = Number(db.prepare("SELECT coalesce(max(arrival), 0) FROM main.smtp_messages").pluck().get());
  let replaced: () => void = () => {};
  /** Also those that another process removed: rows found at the start may have had neighbours. */
  let removedSome = arrival > 0;
  /** Asked for with every mail, changed by a seed only. */
  let profile: ServerProfile | undefined;
  // Whatever replaces the rows from outside empties this one-row table first.
  db.function("smtp_replaced", { varargs: false }, () => {
    profile = undefined;
    marks.forget();
    replaced();
    return 0;
  });
  db.exec("CREATE TEMP TRIGGER smtp_replaced AFTER DELETE ON main.smtp_server BEGIN SELECT smtp_replaced(); END");

  const summary = (row: SummaryRow): MessageSummary => ({
    id: row.id,
    arrival: row.arrival,
    receivedAt: row.received_at,
    truncated: row.truncated === 1,
    mailFrom: row.mail_from,
    parameters: parametersFrom(row.parameters),
    helo: row.helo,
    mechanism: row.mechanism ?? undefined,
    username: row.username ?? undefined,
    secure: row.secure === 1,
    size: row.size,
    inbox: row.inbox ?? undefined,
    recipients: recipientsFrom(row.recipients),
  });
  const message = (row: MessageRow): Message => ({
    ...summary(row),
    raw:
      row.wall_spool === null ? row.raw : pieces.joined(row.wall_spool, row.size > mostRead ? beginningRead : mostRead),
  });
  const summaries = (rows: unknown): readonly MessageSummary[] => (rows as SummaryRow[]).map(summary);
  const holds = ({ spool, size }: Content) => spool === undefined && held.holds(size);
  const has = (id: string) => held.get(id) !== undefined || statement.has.get(id) !== undefined;
  const dropContent = (id: string) => {
    const spool = statement.spool.get(id) as number | null | undefined;
    if (spool !== null && spool !== undefined) pieces.dropSpool(spool);
  };

  return {
    ...pieces,
    ...marks,
    ...events,
    profile() {
      if (profile === undefined) {
        const row = statement.profile.get() as ProfileRow | undefined;
        profile = row && profileFrom(row);
      }
      return profile;
    },
    setProfile({ name, auth, maxRecipients, retention, magicDomains }) {
      profile = undefined;
      statement.setProfile.run(name, auth, maxRecipients, retention, magicDomains.join(" "));
    },
    password: (username) => statement.password.get(username) as string | undefined,
    firstUser: () => statement.firstUser.get() as Credentials | undefined,
    setUsers(users) {
      statement.dropUsers.run();
      for (const user of users) statement.addUser.run(user.username, user.password);
    },
    add(draft) {
      arrival += 1;
      if (holds(draft.content)) held.put(draft, arrival);
      else statement.add.run(...rowOf(draft, arrival, draft.content.raw));
      if (draft.tags.length > 0) marks.setTags(draft.id, draft.tags);
    },
    page: rows((start, limit) => (statement.page.all(limit, start) as MessageRow[]).map(message)),
    summaries: rows((limit) =>
      [0, 1]
        .flatMap((truncated) => summaries(statement.summaries.all(truncated, limit)))
        .sort(newestFirst)
        .slice(0, limit),
    ),
    summaryPage: rows(({ start, limit, before }) =>
      summaries(
        before === undefined
          ? statement.summaryPage.all(limit, start)
          : statement.summaryPageBefore.all(before, limit, start),
      ),
    ),
    arrivedAfter: rows((after, limit) => summaries(statement.arrivedAfter.all(after, limit))),
    has,
    stillHas: (id) => !removedSome || has(id),
    summary(id) {
      const fresh = held.get(id);
      if (fresh !== undefined) return summaryOf(fresh.draft, fresh.arrival);
      const row = statement.summary.get(id) as SummaryRow | undefined;
      return row && summary(row);
    },
    get lastArrival() {
      return arrival;
    },
    placed: rows(() => statement.placed.all() as Placed[]),
    count: rows(() => Number(statement.count.get())),
    message: rows((id) => {
      const row = statement.message.get(id) as MessageRow | undefined;
      return row && message(row);
    }),
    messageAfter: rows((after) => {
      const row = statement.messageAfter.get(after) as MessageRow | undefined;
      return row && message(row);
    }),
    beginning: rows((id) => statement.beginning.get(id) as Buffer | undefined),
    content: rows((id) => {
      const row = statement.message.get(id) as MessageRow | undefined;
      if (row === undefined) return undefined;
      return row.wall_spool === null ? [row.raw] : pieces.pieces(row.wall_spool);
    }),
    transcript: rows((id) => {
      const row = statement.transcript.get(id) as { remote: string; lines: string } | undefined;
      return row && { remote: row.remote, lines: row.lines.split("\n") };
    }),
    setAllRead: rows(marks.setAllRead),
    remove: rows((id) => {
      removedSome = true;
      dropContent(id);
      marks.dropMarks(id);
      events.dropEvents(id);
      return statement.remove.run(id).changes > 0;
    }),
    removeAll: rows(() => {
      removedSome = true;
      pieces.dropAllPieces();
      marks.dropAllMarks();
      events.dropAllEvents();
      return statement.removeAll.run().changes;
    }),
    bytes: rows(
      () => Number(db.pragma("page_count", { simple: true })) * Number(db.pragma("page_size", { simple: true })),
    ),
    onReplaced(action) {
      replaced = action;
    },
  };
}

function prepare(db: Database) {
  const select = (columns: string, rest: string) => db.prepare(`SELECT ${columns} FROM main.smtp_messages ${rest}`);
  return {
    profile: db.prepare(
      "SELECT name, auth, max_recipients, retention, magic_domains FROM main.smtp_server WHERE id = 1",
    ),
    setProfile: db.prepare(
      `INSERT OR REPLACE INTO main.smtp_server (id, name, auth, max_recipients, retention, magic_domains)
       VALUES (1, ?, ?, ?, ?, ?)`,
    ),
    password: db.prepare("SELECT password FROM main.smtp_users WHERE username = ?").pluck(),
    firstUser: db.prepare("SELECT username, password FROM main.smtp_users ORDER BY username LIMIT 1"),
    dropUsers: db.prepare("DELETE FROM main.smtp_users"),
    addUser: db.prepare("INSERT INTO main.smtp_users (username, password) VALUES (?, ?)"),
    add: db.prepare(
      `INSERT INTO main.smtp_messages (id, arrival, received_at, truncated, mail_from, parameters, recipients, helo,
       mechanism, username, secure, size, inbox, sha256, wall_spool, wall_remote, wall_transcript, raw)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    page: select(bytesToo, `WHERE truncated = 0 ${newest} LIMIT ? OFFSET ?`),
    summaries: select(summaryColumns, `WHERE truncated = ? ${newest} LIMIT ?`),
    summaryPage: select(summaryColumns, `WHERE truncated = 0 ${newest} LIMIT ? OFFSET ?`),
    summaryPageBefore: select(summaryColumns, `WHERE truncated = 0 AND received_at < ? ${newest} LIMIT ? OFFSET ?`),
    arrivedAfter: select(summaryColumns, "WHERE arrival > ? AND +truncated = 0 ORDER BY arrival LIMIT ?"),
    summary: select(summaryColumns, "WHERE id = ?"),
    has: db.prepare("SELECT 1 FROM smtp_messages WHERE id = ?").pluck(),
    placed: select("id, arrival", "WHERE truncated = 0 ORDER BY arrival"),
    count: select("count(*)", "WHERE truncated = 0").pluck(),
    message: select(bytesToo, "WHERE id = ?"),
    messageAfter: select(bytesToo, "WHERE arrival > ? AND +truncated = 0 ORDER BY arrival LIMIT 1"),
    spool: select("wall_spool", "WHERE id = ?").pluck(),
    beginning: select("substr(raw, 1, 65536)", "WHERE id = ?").pluck(),
    transcript: select("wall_remote AS remote, wall_transcript AS lines", "WHERE id = ?"),
    remove: db.prepare("DELETE FROM main.smtp_messages WHERE id = ?"),
    removeAll: db.prepare("DELETE FROM main.smtp_messages"),
  };
}

function summaryOf(draft: Draft, arrival: number): MessageSummary {
  return {
    id: draft.id,
    arrival,
    receivedAt: draft.receivedAt,
    truncated: draft.truncated,
    mailFrom: draft.mailFrom,
    parameters: draft.parameters,
    helo: draft.helo,
    mechanism: draft.mechanism,
    username: draft.username,
    secure: draft.secure,
    size: draft.content.size,
    inbox: draft.inbox,
    recipients: draft.recipients,
  };
}

function rowOf(draft: Draft, arrival: number, raw: Buffer) {
  const { content }: { content: Content } = draft;
  return [
    draft.id,
    arrival,
    draft.receivedAt,
    draft.truncated ? 1 : 0,
    draft.mailFrom,
    parametersText(draft.parameters),
    recipientsText(draft.recipients),
    draft.helo,
    draft.mechanism ?? null,
    draft.username ?? null,
    draft.secure ? 1 : 0,
    content.size,
    draft.inbox ?? null,
    content.spool === undefined ? null : content.sha256,
    content.spool ?? null,
    draft.remote,
    draft.transcript.text,
    raw,
  ];
}

function profileFrom(row: ProfileRow): ServerProfile {
  return {
    name: row.name,
    auth: authMode(row.auth),
    maxRecipients: row.max_recipients,
    retention: row.retention,
    magicDomains: row.magic_domains.split(" ").filter((domain) => domain !== ""),
  };
}

function authMode(text: string): AuthMode {
  return text === "required" || text === "users" ? text : "any";
}
