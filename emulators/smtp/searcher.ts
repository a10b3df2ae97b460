import { afterReal, stopwatch } from "../kernel/clock.ts";
import { gistOf, searchTextOf } from "./domain/gist.ts";
import { type Address, fieldOf } from "./domain/mail.ts";
import { containing } from "./domain/mailhog-search.ts";
import { parseQuery } from "./domain/mailpit-query.ts";
import type { MessageSummary } from "./domain/message.ts";
import { createSearchIndex, type Entry, type Unkept } from "./domain/search-index.ts";
import { bodyOf, readsAsSent, sentTextOf } from "./domain/sent-text.ts";
import type { Reader } from "./reader.ts";
import type { MailStore } from "./store.ts";

/** Finds messages. What came since the last search is read first, in slices that let others have their turn. */
export interface Searcher {
  /** Matches, newest first. */
  search(query: string, timeZone: string | undefined): Promise<readonly Entry[]>;
  /** Those that pass, newest first. */
  filter(test: (entry: Entry) => boolean): Promise<readonly Entry[]>;
  /** Those with a text in their undecoded body or a value of their header, newest first: MailHog's search. */
  containing(text: string): Promise<readonly Entry[]>;
  /** Whether one message matches; reads it if need be. */
  matches(id: string, query: string): Promise<boolean>;
  came(id: string): void;
  gone(id: string): void;
  /** All are gone, or the rows were replaced: what is there is looked up again. */
  replaced(): void;
  close(): void;
}

/** What the store gives of a message without its envelope. */
const beginningSize = 65_536;
/** A slice of reading ends after this much real time. */
const sliceMs = 8;
/** So many unread messages are read in the background, once nothing came for a while; fewer are read when asked for. */
const worthReadingAhead = 200;
const quietMs = 400;

export function createSearcher(store: MailStore, reader: Reader): Searcher {
  const index = createSearchIndex();
  let pending: string[] | undefined;
  let next = 0;
  let reading: Promise<void> | undefined;
  let cancelAhead: (() => void) | undefined;
  let closed = false;
  const marks = { read: store.isRead, tags: store.tagsOf };

  const waiting = (): string[] => {
    if (pending === undefined) {
      pending = store.placed().map(({ id }) => id);
      next = 0;
    }
    return pending;
  };
  const readSlice = async (): Promise<void> => {
    const queue = waiting();
    const elapsed = stopwatch();
    while (next < queue.length && queue === pending && !closed) {
      const id = queue[next];
      next += 1;
      const read = id === undefined ? undefined : await entryOf(store, reader, id);
      if (read !== undefined && queue === pending) index.add(read.entry, read.body);
      if (elapsed() > sliceMs) break;
    }
    if (queue === pending && next >= queue.length) {
      pending = [];
      next = 0;
    }
  };
  /** Up to what had come when it was asked for, so that a storm does not keep it from ending. */
  const catchUp = async (): Promise<void> => {
    const queue = waiting();
    const target = queue.length;
    while (pending === queue && next < target && !closed) {
      await readSlice();
      if (pending === queue && next < target) await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  const ready = async (): Promise<void> => {
    while (reading !== undefined) await reading;
    if (waiting().length === 0 || closed) return;
    reading = catchUp().finally(() => {
      reading = undefined;
    });
    await reading;
  };
  const readAhead = () => {
    cancelAhead = undefined;
    if (closed || waiting().length - next < worthReadingAhead) return;
    void readSlice().then(() => {
      if (!closed) cancelAhead ??= afterReal(1, readAhead);
    });
  };

  return {
    async search(query, timeZone) {
      await ready();
      const { test, needles } = parseQuery(query, marks, timeZone);
      return index.find(test, needles);
    },
    async filter(test) {
      await ready();
      return index.find(test, []);
    },
    async containing(text) {
      await ready();
      const wanted = text.toLowerCase();
      const test = containing(wanted, ({ id, size }) => {
        const raw = size <= beginningSize ? store.beginning(id) : store.message(id)?.raw;
        return raw === undefined ? "" : bodyOf(raw);
      });
      return index.find(test, [wanted], "sent");
    },
    async matches(id, query) {
      const read = await entryOf(store, reader, id);
      return read !== undefined && parseQuery(query, marks, undefined).test(read.entry);
    },
    came(id) {
      pending?.push(id);
      if (pending !== undefined && pending.length - next < worthReadingAhead) return;
      cancelAhead?.();
      cancelAhead = afterReal(quietMs, readAhead);
    },
    gone(id) {
      index.remove(id);
      reader.forget(id);
    },
    replaced() {
      index.clear();
      reader.forgetAll();
      pending = undefined;
      next = 0;
    },
    close() {
      closed = true;
      cancelAhead?.();
    },
  };
}

async function entryOf(
  store: MailStore,
  reader: Reader,
  id: string,
): Promise<{ readonly entry: Entry; readonly body: Unkept } | undefined> {
  const message = store.message(id);
  const mail = message === undefined ? undefined : await reader.readOnce(id);
  if (message === undefined || mail === undefined) return undefined;
  const gist = gistOf(mail, addressesOf(message));
  const { text, bodyAt, cut } = searchTextOf(mail, message.mailFrom);
  const { values, body } = sentTextOf(message.raw);
  const plain = body !== undefined && !cut && mail.html === "" && readsAsSent(body, mail.text);
  const entry: Entry = {
    id,
    arrival: message.arrival,
    receivedAt: message.receivedAt,
    size: message.size,
    attachments: gist.attachments,
    inline: gist.inline,
    from: fieldText(gist.from === undefined ? [] : [gist.from]),
    to: fieldText(gist.to),
    cc: fieldText(gist.cc),
    bcc: fieldText(gist.bcc),
    replyTo: fieldText(gist.replyTo),
    sentTo: joined(addressesOf(message), fieldOf(mail, "to")),
    sentFrom: joined([message.mailFrom], fieldOf(mail, "from")),
    subject: gist.subject.toLowerCase(),
    messageId: gist.messageId.toLowerCase(),
    text,
    bodyAt: plain ? bodyAt : undefined,
    values,
  };
  return { entry, body };
}

function addressesOf(message: Pick<MessageSummary, "recipients">): readonly string[] {
  return message.recipients.map(({ address }) => address);
}

function fieldText(addresses: readonly Address[]): string {
  return addresses.map(({ name, address }) => `${name} ${address}`.toLowerCase()).join(" ");
}

/** Each value on a line of its own, so that no search matches across two. */
function joined(addresses: readonly string[], field: string | undefined): string {
  return [...addresses, field ?? ""].join("\n").toLowerCase();
}
