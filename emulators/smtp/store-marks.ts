import type { Database } from "../kernel/state.ts";
import type { Marked } from "./domain/search-index.ts";

/** What readers of the mailbox put on messages: read or not, tags; and what is counted about the mailbox. */
export interface MarkStore {
  isRead(id: string): boolean;
  readMarks(): Required<Marked>;
  readCount(): number;
  /** Answers whether it was otherwise before. */
  setRead(id: string, read: boolean): boolean;
  setAllRead(read: boolean): void;
  /** In order; empty when it has none. */
  tagsOf(id: string): readonly string[];
  /** Those that have any, by id. */
  tagged(): ReadonlyMap<string, readonly string[]>;
  setTags(id: string, tags: readonly string[]): void;
  /** Every tag in use, in order; messages may spell one with other capitals than these. */
  allTags(): readonly string[];
  tagCounts(): Readonly<Record<string, number>>;
  /** Answers whether it was in use, whatever its capitals. */
  renameTag(from: string, to: string): boolean;
  deleteTag(tag: string): boolean;
  addCount(name: string, by: number): void;
  countOf(name: string): number;
  dropMarks(id: string): void;
  dropAllMarks(): void;
}

/** However many ways it is spelt, one tag: the least of the spellings, so that the order of arrival does not matter. */
const eachTag = "GROUP BY tag COLLATE NOCASE ORDER BY tag COLLATE NOCASE";
const none: readonly string[] = [];

/** `forget` drops what is held in memory: the rows were replaced. */
export function openMarks(db: Database): MarkStore & { forget(): void } {
  const statement = prepare(db);
  // A search asks for every message's marks; rows would make it ten times slower.
  let held: { readonly read: Set<string>; readonly tags: Map<string, readonly string[]> } | undefined;
  let readVersion = 0;
  const marks = () => {
    if (held !== undefined) return held;
    const tags = new Map<string, string[]>();
    for (const { message, tag } of statement.tags.all() as { message: string; tag: string }[]) {
      const known = tags.get(message);
      if (known === undefined) tags.set(message, [tag]);
      else known.push(tag);
    }
    held = { read: new Set(statement.read.all() as string[]), tags };
    return held;
  };
  const reload = () => {
    held = undefined;
  };
  return {
    isRead: (id) => marks().read.has(id),
    readMarks: () => ({ ids: marks().read, version: readVersion }),
    readCount: () => marks().read.size,
    setRead(id, read) {
      const known = marks().read;
      if (known.has(id) === read) return false;
      if (read) known.add(id);
      else known.delete(id);
      readVersion += 1;
      (read ? statement.markRead : statement.markUnread).run(id);
      return true;
    },
    setAllRead(read) {
      if (read) statement.markAllRead.run();
      else statement.markAllUnread.run();
      reload();
    },
    tagsOf: (id) => marks().tags.get(id) ?? none,
    tagged: () => marks().tags,
    setTags(id, tags) {
      statement.dropTags.run(id);
      for (const tag of tags) statement.addTag.run(id, tag);
      if (tags.length > 0) marks().tags.set(id, tags);
      else marks().tags.delete(id);
    },
    allTags: () => statement.allTags.all() as string[],
    tagCounts: () => Object.fromEntries(statement.tagCounts.raw().all() as [string, number][]),
    renameTag(from, to) {
      if (statement.isTag.get(from) === undefined) return false;
      statement.renameTag.run({ from, to });
      statement.dropOtherTag.run({ from, to }); // where the message had both
      reload();
      return true;
    },
    deleteTag(tag) {
      if (statement.dropTag.run(tag).changes === 0) return false;
      reload();
      return true;
    },
    addCount: (name, by) => void statement.addCount.run(name, by),
    countOf: (name) => Number(statement.countOf.get(name) ?? 0),
    dropMarks(id) {
      const known = marks();
      if (known.read.delete(id)) {
        readVersion += 1;
        statement.markUnread.run(id);
      }
      if (known.tags.delete(id)) statement.dropTags.run(id);
    },
    dropAllMarks() {
      statement.markAllUnread.run();
      statement.dropAllTags.run();
      reload();
    },
    forget: reload,
  };
}

function prepare(db: Database) {
  return {
    read: db.prepare("SELECT message FROM main.smtp_read").pluck(),
    markRead: db.prepare("INSERT OR IGNORE INTO main.smtp_read (message) VALUES (?)"),
    markUnread: db.prepare("DELETE FROM main.smtp_read WHERE message = ?"),
    markAllRead: db.prepare(
      "INSERT OR IGNORE INTO main.smtp_read (message) SELECT id FROM main.smtp_messages WHERE truncated = 0",
    ),
    markAllUnread: db.prepare("DELETE FROM main.smtp_read"),
    tags: db.prepare("SELECT message, tag FROM main.smtp_tags ORDER BY message, tag COLLATE NOCASE"),
    addTag: db.prepare("INSERT OR IGNORE INTO main.smtp_tags (message, tag) VALUES (?, ?)"),
    dropTags: db.prepare("DELETE FROM main.smtp_tags WHERE message = ?"),
    dropAllTags: db.prepare("DELETE FROM main.smtp_tags"),
    allTags: db.prepare(`SELECT min(tag) FROM main.smtp_tags ${eachTag}`).pluck(),
    tagCounts: db.prepare(`SELECT min(tag), count(*) FROM main.smtp_tags ${eachTag}`),
    isTag: db.prepare("SELECT 1 FROM main.smtp_tags WHERE tag = ? COLLATE NOCASE LIMIT 1"),
    renameTag: db.prepare("UPDATE OR IGNORE main.smtp_tags SET tag = :to WHERE tag = :from COLLATE NOCASE"),
    dropOtherTag: db.prepare("DELETE FROM main.smtp_tags WHERE tag = :from COLLATE NOCASE AND tag <> :to"),
    dropTag: db.prepare("DELETE FROM main.smtp_tags WHERE tag = ? COLLATE NOCASE"),
    addCount: db.prepare(
      "INSERT INTO main.smtp_counts (name, count) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
    ),
    countOf: db.prepare("SELECT count FROM main.smtp_counts WHERE name = ?").pluck(),
  };
}
