/**
 * The live journal. A viewer has a position in the journal and pulls from it as fast as its socket takes: the journal's
 * ring is the only buffer there is, so a slow viewer costs a position and one batch, and is told what it missed when the
 * ring overtakes it.
 *
 * Events: the kinds of journal entries, each with the entry as data; `missed` {emulator, count, from, to} for entries that
 * are gone; `restarted` {emulator, asked, epoch, first, last} when the position came from another run, then all that this
 * one has; `cleared` {emulator, after} on a reset; `ping` {position} every 20 s.
 */
import { everyReal } from "./clock.ts";
import type { Journal } from "./journal.ts";
import type { JournalEntry } from "./journal-entry.ts";
import type { JournalFilter } from "./journal-filter.ts";
import { entryText, journalMatcher } from "./journal-view.ts";

export interface FeedFrame {
  /** Position after this event: what a viewer gives to go on from here. */
  readonly id: string;
  readonly event: string;
  /** JSON, one line. Absent in a frame that only tells the position. */
  readonly data?: string;
}

export interface FeedReader {
  /** The next events, at least one, as soon as there are some; undefined when the feed or this reader was closed. */
  next(): Promise<readonly FeedFrame[] | undefined>;
  close(): void;
}

export interface Feed {
  /**
   * @param since position after which to begin: `123@epoch`, `123`, or one of a list `twilio:123,smtp:45`; `-100` begins
   *   with the newest hundred; absent begins with what happens next
   * @returns undefined when there are too many viewers
   */
  open(since: string | undefined, filter: JournalFilter): FeedReader | undefined;
  /** Where a viewer that opens now would begin. */
  readonly position: string;
  readonly viewers: number;
  /** Ends every reader. */
  close(): void;
}

const batchBytes = 64 * 1024;
const batchEntries = 1_000;
/** Each costs a socket and a batch. */
export const mostViewers = 256;
export const pingMs = 20_000;

export function createFeed(emulator: string, journal: Journal, pingEveryMs = pingMs): Feed {
  const readers = new Set<{ wake(ping: boolean): void; close(): void }>();
  const texts = createTexts();
  let stop: (() => void) | undefined;
  /** Costs the journal nothing while nobody looks. */
  const watch = () => {
    const unsubscribe = journal.onSettled(() => {
      for (const reader of readers) reader.wake(false);
    });
    const stopPings = everyReal(pingEveryMs, () => {
      for (const reader of readers) reader.wake(true);
    });
    stop = () => {
      unsubscribe();
      stopPings();
    };
  };
  const positionAt = (sequence: number) => `${sequence}@${journal.epoch}`;

  const openReader = (since: string | undefined, filter: JournalFilter): FeedReader => {
    const matches = journalMatcher(filter);
    const start = startOf(since, emulator, journal);
    let position = start.position;
    let clears = journal.clears;
    let opening: FeedFrame[] = [];
    let ping = false;
    let closed = false;
    let wake: (() => void) | undefined;
    const frame = (event: string, data: unknown): FeedFrame => ({
      id: positionAt(position),
      event,
      data: JSON.stringify(data),
    });
    if (start.restarted)
      opening.push(
        frame("restarted", {
          emulator,
          asked: since,
          epoch: journal.epoch,
          first: journal.first,
          last: journal.last,
        }),
      );
    else opening.push({ id: positionAt(position), event: "position" });

    const take = (): FeedFrame[] => {
      const frames = opening;
      opening = [];
      if (journal.clears !== clears) {
        clears = journal.clears;
        position = Math.max(position, journal.first - 1);
        frames.push(frame("cleared", { emulator, after: position }));
      }
      let gone = 0;
      const tellGone = () => {
        if (gone > 0) frames.push(frame("missed", { emulator, count: gone, from: position - gone + 1, to: position }));
        gone = 0;
      };
      if (position < journal.first - 1) {
        gone = journal.first - 1 - position;
        position = journal.first - 1;
      }
      const { settled } = journal;
      for (let bytes = 0; position < settled && bytes < batchBytes && frames.length < batchEntries; ) {
        const entry = journal.at(position + 1);
        if (entry) tellGone();
        position += 1;
        if (!entry) gone += 1;
        else if (!matches || matches(entry)) {
          const data = texts.of(entry);
          bytes += data.length;
          frames.push({ id: positionAt(position), event: entry.kind, data });
        }
      }
      tellGone();
      if (frames.length === 0 && ping) frames.push(frame("ping", { position: positionAt(position) }));
      if (frames.length > 0) ping = false;
      return frames;
    };

    const reader: FeedReader = {
      async next() {
        for (;;) {
          if (closed) return undefined;
          const frames = take();
          if (frames.length > 0) return frames;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
      close() {
        closed = true;
        readers.delete(handle);
        if (readers.size === 0) {
          stop?.();
          stop = undefined;
        }
        wake?.();
      },
    };
    const handle = {
      wake(withPing: boolean) {
        ping ||= withPing;
        wake?.();
      },
      close: reader.close,
    };
    if (readers.size === 0) watch();
    readers.add(handle);
    return reader;
  };

  return {
    open: (since, filter) => (readers.size >= mostViewers ? undefined : openReader(since, filter)),
    get position() {
      return positionAt(journal.settled);
    },
    get viewers() {
      return readers.size;
    },
    close() {
      for (const reader of [...readers]) reader.close();
    },
  };
}

/** `123`, `123@epoch`, or a list of them with names. */
export const positionPattern = /^([a-z0-9-]+:)?\d+(@[a-z0-9]+)?(,[a-z0-9-]+:\d+(@[a-z0-9]+)?)*$/;
/** Where a viewer may begin: at a position, or so many entries back. */
export const beginningPattern = new RegExp(`^-\\d+$|${positionPattern.source}`);

/** A list of positions by name; one without a name stands under the empty name. */
export function readPositions(text: string): Map<string, string> {
  return new Map(
    text.split(",").map((part) => {
      const colon = part.indexOf(":");
      return [part.slice(0, Math.max(0, colon)), part.slice(colon + 1)];
    }),
  );
}

function startOf(
  since: string | undefined,
  emulator: string,
  journal: Journal,
): { position: number; restarted: boolean } {
  if (since === undefined) return { position: journal.settled, restarted: false };
  if (since.startsWith("-"))
    return { position: Math.max(journal.first - 1, journal.settled + Number(since)), restarted: false };
  const positions = readPositions(since);
  const [digits = "0", epoch = journal.epoch] = (positions.get(emulator) ?? positions.get("") ?? "0").split("@");
  const asked = Number(digits);
  if (epoch === journal.epoch && asked <= journal.last) return { position: asked, restarted: false };
  return { position: journal.first - 1, restarted: true };
}

const keptTexts = 1_024;
const longestKeptText = 16 * 1024;

/** Several viewers at about the same place share one rendering of an entry. */
function createTexts(): { of(entry: JournalEntry): string } {
  const kept: ({ readonly entry: JournalEntry; readonly text: string } | undefined)[] = [];
  return {
    of(entry) {
      const slot = entry.sequence % keptTexts;
      const known = kept[slot];
      if (known?.entry === entry) return known.text;
      const text = entryText(entry);
      kept[slot] = text.length <= longestKeptText ? { entry, text } : undefined;
      return text;
    },
  };
}
