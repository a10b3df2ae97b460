/**
 * What happened, in order: requests, changes, deliveries, refusals. A ring in memory, bounded by entries and by bytes;
 * overflow is counted. With a spool (journal-file.ts) entries and their numbers outlive the process.
 */
import type { Clock } from "./clock.ts";
import type { EntryKind } from "./entry-kinds.ts";
import type { JournalEntry } from "./journal-entry.ts";
import { type JournalOverflow, openOverflow } from "./journal-overflow.ts";
import { bounded, weigh } from "./journal-weight.ts";

export interface Journal {
  append(kind: EntryKind, subject: string | undefined, data: Readonly<Record<string, unknown>>): JournalEntry;
  /** Entries after `since`, oldest first. */
  read(options: {
    readonly since?: number;
    readonly limit?: number;
    readonly matches?: (entry: JournalEntry) => boolean;
  }): readonly JournalEntry[];
  /** One entry, if it is still kept. */
  at(sequence: number): JournalEntry | undefined;
  /** Sequence of the oldest entry still kept; `last + 1` when there is none. */
  readonly first: number;
  readonly last: number;
  /** The last sequence a live viewer may be shown: with a spool, what is on disk, so that no number is ever given twice. */
  readonly settled: number;
  readonly dropped: number;
  /** Names the run that the numbers belong to: another one, unless a spool carries them on. */
  readonly epoch: string;
  /** How often it was cleared. */
  readonly clears: number;
  clear(): void;
  /**
   * From now on entries of these kinds are kept beyond the memory's bounds, until it is released: `read` finds them.
   * They still count as dropped: from memory they are.
   */
  hold(kinds: readonly EntryKind[]): JournalHold;
  /** How many entries somebody holds for were lost all the same: cleared, or the disk was full. */
  readonly lost: number;
  onAppend(listener: (entry: JournalEntry) => void): () => void;
  /** Told once per turn of the event loop in which `settled` moved or the journal was cleared. */
  onSettled(listener: () => void): () => void;
  /** Writes what is pending and closes the spool. */
  close(): void;
}

export interface JournalHold {
  /** The sequence after which it holds. */
  readonly since: number;
  release(): void;
}

/** Where entries are kept beyond the process. */
export interface JournalSpool {
  readonly epoch: string;
  /** Sequences found there at the start; `first` is `last + 1` when there is none. */
  readonly first: number;
  readonly last: number;
  load(): Iterable<JournalEntry>;
  write(entries: readonly JournalEntry[]): void;
  clear(after: number): void;
  close(): void;
}

export interface JournalLimits {
  /** Most entries kept. */
  readonly size: number;
  /** Most bytes kept, about: texts and bodies are counted, not what the engine adds. */
  readonly bytes: number;
}

export function createJournal(
  emulator: string,
  clock: Clock,
  { size, bytes }: JournalLimits,
  spool?: JournalSpool,
): Journal {
  const epoch = spool?.epoch ?? `${clock.wall().toString(36)}${process.pid.toString(36)}`;
  const found = spool ? spool.last : 0;
  let next = found + 1;
  let first = spool ? Math.max(spool.first, next - size) : 1;
  let ring: (JournalEntry | undefined)[] = new Array(spool ? size : Math.min(size, 1024));
  let weights = new Float64Array(ring.length);
  let total = 0;
  let dropped = 0;
  let clears = 0;
  let settled = found;
  /** What an earlier process left is parsed when somebody first asks for it. */
  let loaded = first === next;
  let pending: JournalEntry[] = [];
  let turnAhead = false;
  const holds = new Map<JournalHold, ReadonlySet<EntryKind>>();
  let overflow: JournalOverflow | undefined;
  let cleared = 0;
  const isHeld = ({ sequence, kind }: JournalEntry) => {
    for (const [{ since }, kinds] of holds) if (sequence > since && kinds.has(kind)) return true;
    return false;
  };
  const listeners = new Set<(entry: JournalEntry) => void>();
  const settling = new Set<() => void>();

  const grow = () => {
    const larger: (JournalEntry | undefined)[] = new Array(Math.min(size, ring.length * 2));
    const heavier = new Float64Array(larger.length);
    for (let sequence = first; sequence < next; sequence += 1) {
      larger[sequence % larger.length] = ring[sequence % ring.length];
      heavier[sequence % larger.length] = weights[sequence % ring.length] ?? 0;
    }
    ring = larger;
    weights = heavier;
  };
  const dropOldest = () => {
    const slot = first % ring.length;
    const entry = ring[slot];
    if (holds.size > 0 && entry && isHeld(entry)) {
      overflow ??= openOverflow(emulator);
      overflow.put(entry);
    }
    ring[slot] = undefined;
    total -= weights[slot] ?? 0;
    weights[slot] = 0;
    first += 1;
    dropped += 1;
  };
  const place = (entry: JournalEntry, weight: number) => {
    const slot = entry.sequence % ring.length;
    ring[slot] = entry;
    weights[slot] = weight;
    total += weight;
  };
  const load = () => {
    loaded = true;
    for (const entry of spool?.load() ?? [])
      if (entry.sequence >= first && entry.sequence <= found) place(entry, weigh(entry.data));
    while (total > bytes && first < next - 1) dropOldest();
  };
  const settle = () => {
    turnAhead = false;
    if (pending.length > 0) {
      spool?.write(pending);
      pending = [];
    }
    settled = next - 1;
    for (const listener of settling) listener();
  };
  const settleSoon = () => {
    if (turnAhead || (!spool && settling.size === 0)) return;
    turnAhead = true;
    setImmediate(settle);
  };

  const journal: Journal = {
    epoch,
    append(kind, subject, data) {
      if (next - first >= ring.length) {
        if (ring.length < size) grow();
        else dropOldest();
      }
      const weight = weigh(data);
      const kept = weight < 0 ? bounded(data) : data;
      const at = clock.now();
      const wallAt = clock.wall();
      const entry: JournalEntry =
        subject === undefined
          ? { sequence: next, kind, at, wallAt, emulator, data: kept }
          : { sequence: next, kind, at, wallAt, emulator, subject, data: kept };
      place(entry, weight < 0 ? weigh(kept) : weight);
      next += 1;
      while (total > bytes && first < next - 1) dropOldest();
      if (spool) pending.push(entry);
      settleSoon();
      for (const listener of listeners) listener(entry);
      return entry;
    },
    at(sequence) {
      if (sequence < first || sequence >= next) return undefined;
      if (!loaded && sequence <= found) load();
      return ring[sequence % ring.length];
    },
    read({ since = 0, limit = Number.POSITIVE_INFINITY, matches }) {
      const picked: JournalEntry[] = [];
      if (overflow && since < first - 1)
        for (const entry of overflow.read(since, limit))
          if ((!matches || matches(entry)) && picked.length < limit) picked.push(entry);
      for (let sequence = Math.max(first, since + 1); sequence < next && picked.length < limit; sequence += 1) {
        const entry = journal.at(sequence);
        if (entry && (!matches || matches(entry))) picked.push(entry);
      }
      return picked;
    },
    get first() {
      return first;
    },
    get last() {
      return next - 1;
    },
    get settled() {
      return spool || settling.size > 0 ? settled : next - 1;
    },
    get dropped() {
      return dropped;
    },
    get clears() {
      return clears;
    },
    hold(kinds) {
      const hold: JournalHold = {
        since: next - 1,
        release() {
          holds.delete(hold);
          if (holds.size > 0) return;
          overflow?.close();
          overflow = undefined;
          cleared = 0;
        },
      };
      holds.set(hold, new Set(kinds));
      return hold;
    },
    get lost() {
      return cleared + (overflow?.lost ?? 0);
    },
    clear() {
      for (let sequence = first; holds.size > 0 && sequence < next; sequence += 1) {
        const entry = ring[sequence % ring.length];
        if (entry && isHeld(entry)) cleared += 1;
      }
      if (overflow) {
        cleared += overflow.kept + overflow.lost;
        overflow.close();
        overflow = undefined;
      }
      ring.fill(undefined);
      weights.fill(0);
      pending = [];
      first = next;
      total = 0;
      dropped = 0;
      clears += 1;
      loaded = true;
      spool?.clear(next - 1);
      settleSoon();
    },
    onAppend(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onSettled(listener) {
      if (settling.size === 0 && !spool) settled = next - 1;
      settling.add(listener);
      return () => settling.delete(listener);
    },
    close() {
      if (pending.length > 0) settle();
      overflow?.close();
      overflow = undefined;
      spool?.close();
    },
  };
  return journal;
}
