import type { Database } from "../kernel/state.ts";
import type {
  AuthMode,
  Draft,
  Message,
  MessageSummary,
  Parameters,
  Recipient,
  ServerProfile,
} from "./domain/message.ts";

/** A listener that is open, for the health check. */
export interface OpenListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly implicitTls: boolean;
  listening(): boolean;
}

export interface MailState {
  readonly listeners: Set<OpenListener>;
  profile(): ServerProfile | undefined;
  setProfile(profile: ServerProfile): void;
  password(username: string): string | undefined;
  firstUser(): { readonly username: string; readonly password: string } | undefined;
  setUsers(users: readonly { readonly username: string; readonly password: string }[]): void;
  add(draft: Draft): void;
  /** Accepted messages, newest first. */
  page(start: number, limit: number): readonly Message[];
  /** Accepted messages one by one, newest first; do not write before it is finished. */
  newestFirst(): Iterable<Message>;
  /** Accepted and truncated messages without their bytes, newest first. */
  summaries(limit: number): readonly MessageSummary[];
  count(): number;
  /** 0 when there is no such message. */
  recipientCount(id: string): number;
  message(id: string): Message | undefined;
  raw(id: string): Buffer | undefined;
  /** At most the first 64 KiB, enough for any header. */
  beginning(id: string): Buffer | undefined;
  transcript(id: string): { readonly remote: string; readonly lines: readonly string[] } | undefined;
  remove(id: string): boolean;
  removeAll(): number;
}

interface SummaryRow {
  id: string;
  arrival: number;
  received_at: number;
  truncated: number;
  mail_from: string;
  parameters: string | null;
  helo: string;
  mechanism: string | null;
  username: string | null;
  secure: number;
  size: number;
}
interface MessageRow extends SummaryRow {
  raw: Buffer;
}
interface RecipientRow {
  address: string;
  parameters: string | null;
}
type Credentials = { username: string; password: string };

const summaryColumns =
  "id, arrival, received_at, truncated, mail_from, parameters, helo, mechanism, username, secure, size";
const newest = "ORDER BY received_at DESC, arrival DESC";

export function openMail(db: Database): MailState {
  const statement = {
    profile: db.prepare("SELECT name, auth, max_recipients FROM main.smtp_server WHERE id = 1"),
    setProfile: db.prepare(
      "INSERT OR REPLACE INTO main.smtp_server (id, name, auth, max_recipients) VALUES (1, ?, ?, ?)",
    ),
    password: db.prepare("SELECT password FROM main.smtp_users WHERE username = ?").pluck(),
    firstUser: db.prepare("SELECT username, password FROM main.smtp_users ORDER BY username LIMIT 1"),
    dropUsers: db.prepare("DELETE FROM main.smtp_users"),
    addUser: db.prepare("INSERT INTO main.smtp_users (username, password) VALUES (?, ?)"),
    add: db.prepare(
      `INSERT INTO main.smtp_messages (id, arrival, received_at, truncated, mail_from, parameters, helo, mechanism,
       username, secure, size, wall_remote, wall_transcript, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    addRecipient: db.prepare(
      "INSERT INTO main.smtp_recipients (message, position, address, parameters) VALUES (?, ?, ?, ?)",
    ),
    recipients: db.prepare("SELECT address, parameters FROM main.smtp_recipients WHERE message = ? ORDER BY position"),
    page: db.prepare(
      `SELECT ${summaryColumns}, raw FROM main.smtp_messages WHERE truncated = 0 ${newest} LIMIT ? OFFSET ?`,
    ),
    all: db.prepare(`SELECT ${summaryColumns}, raw FROM main.smtp_messages WHERE truncated = 0 ${newest}`),
    summaries: db.prepare(`SELECT ${summaryColumns} FROM main.smtp_messages ${newest} LIMIT ?`),
    count: db.prepare("SELECT count(*) FROM main.smtp_messages WHERE truncated = 0").pluck(),
    recipientCount: db.prepare("SELECT count(*) FROM main.smtp_recipients WHERE message = ?").pluck(),
    message: db.prepare(`SELECT ${summaryColumns}, raw FROM main.smtp_messages WHERE id = ?`),
    raw: db.prepare("SELECT raw FROM main.smtp_messages WHERE id = ?").pluck(),
    beginning: db.prepare("SELECT substr(raw, 1, 65536) FROM main.smtp_messages WHERE id = ?").pluck(),
    transcript: db.prepare(
      "SELECT wall_remote AS remote, wall_transcript AS lines FROM main.smtp_messages WHERE id = ?",
    ),
    remove: db.prepare("DELETE FROM main.smtp_messages WHERE id = ?"),
    removeRecipients: db.prepare("DELETE FROM main.smtp_recipients WHERE message = ?"),
    removeAll: db.prepare("DELETE FROM main.smtp_messages"),
    removeAllRecipients: db.prepare("DELETE FROM main.smtp_recipients"),
  };
  // Only grows while the process lives, also over a reset: a sequence that went back would hand out a number twice.
  let arrival = Number(db.prepare("SELECT coalesce(max(arrival), 0) FROM main.smtp_messages").pluck().get());

  const recipientsOf = (id: string): readonly Recipient[] =>
    (statement.recipients.all(id) as RecipientRow[]).map((row) => ({
      address: row.address,
      parameters: parametersFrom(row.parameters),
    }));
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
    recipients: recipientsOf(row.id),
  });
  const message = (row: MessageRow): Message => ({ ...summary(row), raw: row.raw });

  return {
    listeners: new Set(),
    profile() {
      const row = statement.profile.get() as { name: string; auth: string; max_recipients: number } | undefined;
      return row && { name: row.name, auth: authMode(row.auth), maxRecipients: row.max_recipients };
    },
    setProfile(profile) {
      statement.setProfile.run(profile.name, profile.auth, profile.maxRecipients);
    },
    password: (username) => statement.password.get(username) as string | undefined,
    firstUser: () => statement.firstUser.get() as Credentials | undefined,
    setUsers(users) {
      statement.dropUsers.run();
      for (const user of users) statement.addUser.run(user.username, user.password);
    },
    add(draft) {
      arrival += 1;
      statement.add.run(
        draft.id,
        arrival,
        draft.receivedAt,
        draft.truncated ? 1 : 0,
        draft.mailFrom,
        parametersText(draft.parameters),
        draft.helo,
        draft.mechanism ?? null,
        draft.username ?? null,
        draft.secure ? 1 : 0,
        draft.raw.length,
        draft.remote,
        draft.transcript.join("\n"),
        draft.raw,
      );
      draft.recipients.forEach((recipient, position) => {
        statement.addRecipient.run(draft.id, position, recipient.address, parametersText(recipient.parameters));
      });
    },
    page: (start, limit) => (statement.page.all(limit, start) as MessageRow[]).map(message),
    *newestFirst() {
      for (const row of statement.all.iterate() as IterableIterator<MessageRow>) yield message(row);
    },
    summaries: (limit) => (statement.summaries.all(limit) as SummaryRow[]).map(summary),
    recipientCount: (id) => statement.recipientCount.get(id) as number,
    count: () => Number(statement.count.get()),
    message(id) {
      const row = statement.message.get(id) as MessageRow | undefined;
      return row && message(row);
    },
    raw: (id) => statement.raw.get(id) as Buffer | undefined,
    beginning: (id) => statement.beginning.get(id) as Buffer | undefined,
    transcript(id) {
      const row = statement.transcript.get(id) as { remote: string; lines: string } | undefined;
      return row && { remote: row.remote, lines: row.lines.split("\n") };
    },
    remove(id) {
      statement.removeRecipients.run(id);
      return statement.remove.run(id).changes > 0;
    },
    removeAll() {
      statement.removeAllRecipients.run();
      return statement.removeAll.run().changes;
    },
  };
}

function parametersText(parameters: Parameters | undefined): string | null {
  return parameters === undefined ? null : JSON.stringify(parameters);
}

function parametersFrom(text: string | null): Parameters | undefined {
  return text === null ? undefined : (JSON.parse(text) as Parameters);
}

function authMode(text: string): AuthMode {
  return text === "required" || text === "users" ? text : "any";
}
