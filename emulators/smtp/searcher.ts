import { afterReal, stopwatch } from "../kernel/clock.ts";
import { findable } from "./domain/findable.ts";
import type { Found } from "./domain/found.ts";
import { sentSearch } from "./domain/mailhog-search.ts";
import { parseQuery } from "./domain/mailpit-query.ts";
import type { Message } from "./domain/message.ts";
import { parseMail } from "./domain/parse-mail.ts";
import { createSearchIndex, type Entry, type Matches, newestFirst, type Term } from "./domain/search-index.ts";
import { sentHas } from "./domain/sent-text.ts";
import type { Reader } from "./reader.ts";
import type { MailStore } from "./store.ts";

/** Finds messages. What came since the last search is read first, in slices that let others have their turn. */
export interface Searcher {
  /** Matches, newest first; `more` is what else has to hold. */
  search(query: string, timeZone: string | undefined, ...more: readonly Term[]): Promise<Matches>;
  /** Those that a term holds for, newest first. */
  find(term: Term): Promise<Matches>;
  /** Those with a text in their undecoded body or a value of their header, newest first: MailHog's search. */
  containing(text: string): Promise<Pick<Found<Entry>, "length" | "slice">>;
  /** Whether one message matches; reads it if need be. */
  matches(id: string, query: string): Promise<boolean>;
  came(): void;
  gone(id: string): void;
  /** All are gone, or the rows were replaced: what is there is looked up again. */
  replaced(): void;
  close(): void;
}

/** Reading and searching let others have their turn after this much real time. */
const sliceMs = 8;
/** So many unread messages are read in the background, once nothing came for a while; fewer are read when asked for. */
const worthReadingAhead = 200;
const quietMs = 400;
/** Messages that are gone take room in the index, until there are more of them than of the others by this. */
const mostGone = 1_000;
/** What the store gives of a message without its envelope. */
const beginningSize = 65_536;

export function createSearcher(store: MailStore, reader: Pick<Reader, "forget" | "forgetAll">): Searcher {
  let index = createSearchIndex();
  /** Arrival number of the message that was read last. */
  let read = 0;
  /** The message that is being read; undefined when it is gone meanwhile. */
  let current: Message | undefined;
  /** Some message's body as it was sent is not wholly in the index. */
  let hidden = false;
  let reading: Promise<void> | undefined;
  let cancelAhead: (() => void) | undefined;
  let cameLately = false;
  let closed = false;
  const behind = () => store.lastArrival - read;

  const startOver = () => {
    index = createSearchIndex();
    read = 0;
    current = undefined;
    hidden = false;
  };
  const readNext = async (): Promise<void> => {
    const message = store.messageAfter(read);
    read = message?.arrival ?? store.lastArrival;
    if (message === undefined) return;
    current = message;
    const mail = await parseMail(message.raw, message.size);
    if (current !== message) return;
    const { entry, text } = findable(message, mail);
    index.add(entry, text);
    hidden ||= entry.sent !== "all";
  };
  const readSlice = async (): Promise<void> => {
    const elapsed = stopwatch();
    while (behind() > 0 && elapsed() < sliceMs && !closed) await readNext();
  };
  /** Up to what had come when it was asked for, so that a storm does not keep it from ending. */
  const ready = async (): Promise<void> => {
    const target = store.lastArrival;
    while (read < target && !closed) {
      reading ??= readSlice().finally(() => {
        reading = undefined;
      });
      await reading;
      if (read < target) await turn();
    }
  };
  const readAhead = (afterMs: number) => {
    cancelAhead ??= afterReal(afterMs, () => {
      cancelAhead = undefined;
      if (cameLately) readAhead(quietMs);
      else if (behind() >= worthReadingAhead && !closed) void readSlice().then(() => readAhead(1));
      cameLately = false;
    });
  };
  const find = async (...terms: readonly Term[]) => {
    await ready();
    return index.find(terms);
  };
  const sentBytes = ({ id, size }: Entry) => (size <= beginningSize ? store.beginning(id) : store.message(id)?.raw);

  return {
    async search(query, timeZone, ...more) {
      await ready();
      return index.find([...parseQuery(query, store, timeZone), ...more]);
    },
    find,
    async containing(text) {
      const { term, exact, mayHide } = sentSearch(text);
      const likely = await find(term);
      const hiding = hidden || !exact ? index.find([{ tag: "entry", test: mayHide }]) : undefined;
      if (hiding === undefined || (exact && hiding.length === 0)) return likely;
      const known = new Set(likely);
      const found = exact ? [...likely] : [];
      const wanted = text.toLowerCase();
      let elapsed = stopwatch();
      for (const entry of [...(exact ? [] : likely), ...[...hiding].filter((one) => !known.has(one))]) {
        const raw = sentBytes(entry);
        if (raw !== undefined && sentHas(raw, wanted)) found.push(entry);
        if (elapsed() < sliceMs) continue;
        await turn();
        elapsed = stopwatch();
      }
      return found.sort(newestFirst);
    },
    async matches(id, query) {
      const message = store.message(id);
      if (message === undefined) return false;
      const one = createSearchIndex();
      const { entry, text } = findable(message, await parseMail(message.raw, message.size));
      one.add(entry, text);
      return one.find(parseQuery(query, store, undefined)).length > 0;
    },
    came() {
      cameLately = true;
      if (behind() >= worthReadingAhead) readAhead(quietMs);
    },
    gone(id) {
      if (current?.id === id) current = undefined;
      index.remove(id);
      if (index.gone > index.size + mostGone) startOver();
      reader.forget(id);
    },
    replaced() {
      startOver();
      reader.forgetAll();
    },
    close() {
      closed = true;
      cancelAhead?.();
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
