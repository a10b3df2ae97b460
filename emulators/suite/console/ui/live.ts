/**
 * The live journal: what the ring holds, then what happens, over a WebSocket (an event stream would hold one of the six
 * connections that a browser has to a host, so that six tabs would leave none to ask with). After a lost connection it goes on from
 * the last position, so that nothing is missed or doubled; views are told at most every 60 ms however much arrives.
 */
import { entryKinds } from "../../../kernel/entry-kinds.ts";
import type { Api } from "./api.ts";

export interface Entry {
  readonly sequence: number;
  readonly kind: string;
  readonly at: string;
  readonly emulator: string;
  readonly subject?: string;
  readonly [fact: string]: unknown;
}

interface Frame {
  readonly event: string;
  readonly data: Entry;
}

export type Connection = "connecting" | "live" | "lost";

export interface Live {
  readonly connection: Connection;
  /** Oldest first, at most `mostKept`. */
  readonly entries: readonly Entry[];
  /** Grows with every change: what a view compares. */
  readonly version: number;
  /** Entries that were there and are gone: the ring was faster than this page. */
  readonly missed: number;
  /** Whether more may have happened than `entries` tells of. */
  readonly partial: boolean;
  /** How many entries of these kinds an emulator had: a view that shows its state reads it again when this changes. */
  count(emulator: string | undefined, kinds: readonly string[]): number;
  subscribe(listener: () => void): () => void;
  start(): void;
}

const mostKept = 10_000;
const backfill = 1_000;
const notifyMs = 60;
const firstRetryMs = 250;
const longestRetryMs = 8_000;
/** Two pings of the feed are 20 s apart. */
const silenceMs = 45_000;
const longestText = 4_096;

export const keyOf = (entry: Entry) => `${entry.emulator}:${entry.sequence}`;

export function createLive(api: Api): Live {
  let connection: Connection = "connecting";
  let entries: Entry[] = [];
  let version = 0;
  let missed = 0;
  let retryMs = firstRetryMs;
  /** A little way back in each journal, so that the page does not open empty. */
  let position = `-${backfill}`;
  let stream: WebSocket | undefined;
  let silence = 0;
  let timer = 0;
  const counts = new Map<string, number>();
  /** Sequence of the oldest entry that each emulator had here; 1 where it began anew. */
  const firsts = new Map<string, number>();
  const listeners = new Set<() => void>();

  const notify = () => {
    if (timer !== 0) return;
    timer = setTimeout(() => {
      timer = 0;
      version += 1;
      for (const listener of listeners) listener();
    }, notifyMs);
  };
  const become = (next: Connection) => {
    if (connection === next) return;
    connection = next;
    notify();
  };
  const forget = (emulator: string) => {
    entries = entries.filter((entry) => entry.emulator !== emulator);
    firsts.set(emulator, 1);
    for (const kind of entryKinds) counted(emulator, kind);
  };
  const counted = (emulator: string, kind: string) => {
    const key = `${emulator}/${kind}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  const add = (entry: Entry) => {
    // Journals come one after the other when the page opens: between emulators the time decides, within one its numbers.
    let at = entries.length;
    for (let before = entries[at - 1]; before && before.at > entry.at; before = entries[at - 1]) {
      if (before.emulator === entry.emulator) break;
      at -= 1;
    }
    entries.splice(at, 0, slim(entry));
    if (!firsts.has(entry.emulator)) firsts.set(entry.emulator, entry.sequence);
    if (entries.length > mostKept + 1_000) {
      for (const { emulator } of entries.slice(0, -mostKept)) firsts.set(emulator, Number.POSITIVE_INFINITY);
      entries = entries.slice(-mostKept);
    }
    counted(entry.emulator, entry.kind);
  };

  const lost = () => {
    if (stream) {
      stream.onclose = null;
      stream.onmessage = null;
      stream.close();
    }
    stream = undefined;
    clearTimeout(silence);
    become("lost");
    setTimeout(() => void open(), retryMs);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  };
  const heard = (id: string) => {
    if (id !== "") position = id;
    retryMs = firstRetryMs;
    clearTimeout(silence);
    silence = setTimeout(lost, silenceMs);
  };
  const take = ({ event, data }: Frame) => {
    if (entryKinds.some((kind) => kind === event)) add(data);
    else if (event === "cleared" || event === "restarted") forget(data.emulator);
    else if (event === "missed") missed += Number(data.count);
    else return;
    notify();
  };

  const open = async () => {
    try {
      const address = await api.ticketed(`/_backlot/events?since=${encodeURIComponent(position)}`);
      if (stream) return;
      const socket = new WebSocket(location.origin.replace(/^http/, "ws") + address, "backlot.batch");
      stream = socket;
      socket.onopen = () => {
        heard("");
        become("live");
      };
      socket.onmessage = (message) => {
        const { id, events }: { id: string; events: readonly Frame[] } = JSON.parse(String(message.data));
        heard(id);
        for (const frame of events) take(frame);
      };
      socket.onclose = lost;
    } catch {
      lost(); // the status in the corner says so, and the next try follows
    }
  };

  return {
    get connection() {
      return connection;
    },
    get entries() {
      return entries;
    },
    get version() {
      return version;
    },
    get missed() {
      return missed;
    },
    get partial() {
      return missed > 0 || [...firsts.values()].some((first) => first > 1);
    },
    count(emulator, wanted) {
      let sum = 0;
      for (const [key, n] of counts) {
        const slash = key.indexOf("/");
        if (wanted.includes(key.slice(slash + 1)) && (emulator === undefined || key.slice(0, slash) === emulator))
          sum += n;
      }
      return sum;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start: () => void open(),
  };
}

/** Long bodies are read again when somebody looks at them. */
function slim(entry: Entry): Entry {
  let shorter: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(entry))
    if (typeof value === "string" && value.length > longestText) {
      shorter ??= { ...entry };
      shorter[name] = undefined;
    }
  return shorter ? { ...entry, ...shorter } : entry;
}
