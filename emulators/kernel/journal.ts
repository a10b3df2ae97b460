/** What happened, in order: requests, changes, deliveries, refusals. A bounded ring in memory; overflow is counted. */
import type { Clock, Instant } from "./clock.ts";

export type EntryKind =
  | "request"
  | "session"
  | "change"
  | "timer"
  | "delivery"
  | "egress"
  | "control"
  | "fault"
  | "incident";

export interface JournalEntry {
  readonly sequence: number;
  readonly kind: EntryKind;
  /** Virtual time. */
  readonly at: Instant;
  /** Machine time, to measure by; never part of evidence. */
  readonly wallAt: Instant;
  readonly emulator: string;
  /** Id of the resource or request it is about. */
  readonly subject?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Journal {
  append(kind: EntryKind, subject: string | undefined, data: Readonly<Record<string, unknown>>): JournalEntry;
  /** Entries after `since`, oldest first. */
  read(options: {
    readonly since?: number;
    readonly limit?: number;
    readonly matches?: (entry: JournalEntry) => boolean;
  }): readonly JournalEntry[];
  readonly last: number;
  readonly dropped: number;
  clear(): void;
  onAppend(listener: (entry: JournalEntry) => void): () => void;
}

export function createJournal(emulator: string, clock: Clock, size: number): Journal {
  let ring: (JournalEntry | undefined)[] = new Array(Math.min(size, 1024));
  let first = 1;
  let next = 1;
  let dropped = 0;
  const listeners = new Set<(entry: JournalEntry) => void>();
  const grow = () => {
    const larger: (JournalEntry | undefined)[] = new Array(Math.min(size, ring.length * 2));
    for (let sequence = first; sequence < next; sequence += 1)
      larger[sequence % larger.length] = ring[sequence % ring.length];
    ring = larger;
  };
  return {
    append(kind, subject, data) {
      if (next - first >= ring.length) {
        if (ring.length < size) grow();
        else {
          first += 1;
          dropped += 1;
        }
      }
      const entry: JournalEntry = {
        sequence: next,
        kind,
        at: clock.now(),
        wallAt: clock.wall(),
        emulator,
        ...(subject === undefined ? {} : { subject }),
        data,
      };
      ring[next % ring.length] = entry;
      next += 1;
      for (const listener of listeners) listener(entry);
      return entry;
    },
    read({ since = 0, limit = Number.POSITIVE_INFINITY, matches }) {
      const found: JournalEntry[] = [];
      for (let sequence = Math.max(first, since + 1); sequence < next && found.length < limit; sequence += 1) {
        const entry = ring[sequence % ring.length];
        if (entry && (!matches || matches(entry))) found.push(entry);
      }
      return found;
    },
    get last() {
      return next - 1;
    },
    get dropped() {
      return dropped;
    },
    clear() {
      first = next;
      dropped = 0;
    },
    onAppend(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
