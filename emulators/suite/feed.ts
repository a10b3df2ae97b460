/**
 * The members' feeds as one. A viewer's position is a list, `twilio:123@epoch,smtp:45@epoch`; each event carries the list
 * as it stands after it. Members are read by their own event streams, in process or over sockets, and only as fast as the
 * viewer reads. A member that goes away is told as `unreachable` {emulator, message}, and read on where it stopped once it
 * is back.
 */
import { afterReal, everyReal } from "../kernel/clock.ts";
import { type Feed, type FeedFrame, type FeedReader, mostViewers, pingMs, readPositions } from "../kernel/feed.ts";
import { readFrames } from "../kernel/http/event-stream.ts";
import type { JournalFilter } from "../kernel/journal-filter.ts";
import { filterQuery } from "../kernel/journal-view.ts";
import type { Member } from "./member.ts";

const retryMs = 500;
/** How long a viewer who comes without positions waits to learn where each member stands. */
const openingMs = 1_000;

export type MergedFeed = Pick<Feed, "open" | "close" | "viewers">;

export function createMergedFeed(members: readonly Member[], pingEveryMs = pingMs): MergedFeed {
  const readers = new Set<FeedReader>();
  return {
    open(since, filter) {
      if (readers.size >= mostViewers) return undefined;
      const merged = openMerged(members, since, filter, pingEveryMs);
      const reader: FeedReader = {
        next: merged.next,
        close() {
          readers.delete(reader);
          merged.close();
        },
      };
      readers.add(reader);
      return reader;
    },
    get viewers() {
      return readers.size;
    },
    close() {
      for (const reader of [...readers]) reader.close();
    },
  };
}

function openMerged(
  members: readonly Member[],
  since: string | undefined,
  filter: JournalFilter,
  pingEveryMs: number,
): FeedReader {
  const closing = new AbortController();
  /** So many of each, as `-100`: the positions are the members' to say, as they are of a viewer that begins with the next. */
  const back = since?.startsWith("-") ? since : undefined;
  const asked = since === undefined || back !== undefined ? undefined : readPositions(since);
  const positions = new Map<string, string>();
  for (const { name } of members) {
    const position = asked?.get(name);
    if (position !== undefined) positions.set(name, position);
    // A member the viewer has never heard of: everything it has is new to it.
    else if (asked) positions.set(name, "0");
  }
  const slot = createSlot();
  let waiting = asked ? 0 : members.length;
  const opened = Promise.withResolvers<void>();
  if (waiting === 0) opened.resolve();
  const cancelOpening = afterReal(openingMs, opened.resolve);
  const settled = () => {
    waiting -= 1;
    if (waiting <= 0) opened.resolve();
  };
  const position = () =>
    members.flatMap(({ name }) => (positions.has(name) ? [`${name}:${positions.get(name)}`] : [])).join(",");

  const follow = async (member: Member) => {
    let known = false;
    let away = false;
    while (!closing.signal.aborted) {
      try {
        for await (const frame of memberFrames(member, positions.get(member.name) ?? back, filter, closing.signal)) {
          away = false;
          const silent = frame.data === undefined || frame.event === "ping";
          if (silent) positions.set(member.name, frame.id);
          if (!known) settled();
          known = true;
          if (frame.data === undefined || silent) continue;
          await opened.promise;
          // A position may only name what stands before it in the queue: whoever leaves between the two would miss it.
          positions.set(member.name, frame.id);
          await slot.put({ id: position(), event: frame.event, data: frame.data });
        }
        if (closing.signal.aborted) return;
        throw new Error("its event stream ended");
      } catch (cause) {
        if (closing.signal.aborted) return;
        const message = cause instanceof Error ? cause.message : String(cause);
        if (!away)
          await slot.put({
            id: position(),
            event: "unreachable",
            data: JSON.stringify({ emulator: member.name, message }),
          });
        away = true;
        await pause(retryMs, closing.signal);
      }
    }
  };
  for (const member of members) void follow(member);
  void opened.promise.then(() => slot.put({ id: position(), event: "position" }));
  const stopPings = everyReal(pingEveryMs, () =>
    slot.offer({ id: position(), event: "ping", data: JSON.stringify({ position: position() }) }),
  );
  return {
    next: slot.take,
    close() {
      closing.abort();
      cancelOpening();
      stopPings();
      slot.close();
    },
  };
}

async function* memberFrames(
  member: Member,
  since: string | undefined,
  filter: JournalFilter,
  closing: AbortSignal,
): AsyncGenerator<FeedFrame> {
  const query = new URLSearchParams({ ...filterQuery(filter), ...(since === undefined ? {} : { since }) });
  const response = await member.request("GET", `/_backlot/events?${query}`);
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`its event stream answered ${response.status}`);
  }
  const frames = readFrames(response.body, closing);
  yield* frames;
}

/** What is put at once leaves at once: several writers, one reader, who waits when so many are there to be taken. */
const mostWaiting = 1_000;

function createSlot() {
  const queue: { readonly frame: FeedFrame; readonly taken?: () => void }[] = [];
  let closed = false;
  let wake: (() => void) | undefined;
  const put = (frame: FeedFrame) => {
    if (closed) return Promise.resolve();
    if (queue.length < mostWaiting) {
      queue.push({ frame });
      wake?.();
      return Promise.resolve();
    }
    return new Promise<void>((taken) => {
      queue.push({ frame, taken });
      wake?.();
    });
  };
  return {
    put,
    /** Only if nothing waits: for what is of no use later. */
    offer(frame: FeedFrame): void {
      if (queue.length === 0) void put(frame);
    },
    async take(): Promise<readonly FeedFrame[] | undefined> {
      while (queue.length === 0 && !closed)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      if (closed) return undefined;
      return queue.splice(0).map(({ frame, taken }) => {
        taken?.();
        return frame;
      });
    },
    close() {
      closed = true;
      for (const { taken } of queue.splice(0)) taken?.();
      wake?.();
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = afterReal(ms, resolve);
    signal.addEventListener(
      "abort",
      () => {
        cancel();
        resolve();
      },
      { once: true },
    );
  });
}
