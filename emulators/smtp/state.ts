import type { Database, RowHolding } from "../kernel/state.ts";
import { createFeed, type Feed } from "./feed.ts";
import { createReader, type Reader } from "./reader.ts";
import { createSearcher, type Searcher } from "./searcher.ts";
import { type MailStore, openMail } from "./store.ts";

/** A listener that is open, for the health check. */
export interface OpenListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly implicitTls: boolean;
  listening(): boolean;
}

/** Counted since the process began, as Mailpit's RuntimeStats are. */
export interface Statistics {
  accepted: number;
  acceptedBytes: number;
  rejected: number;
  deleted: number;
}

/** Everything one mail server owns: rows, and what is worked out from them. */
export interface MailState extends MailStore {
  readonly listeners: Set<OpenListener>;
  readonly reader: Reader;
  readonly searcher: Searcher;
  readonly feed: Feed;
  readonly statistics: Statistics;
}

export function openState(db: Database, holder?: RowHolding): MailState {
  const store = openMail(db, holder);
  const reader = createReader(store);
  const searcher = createSearcher(store, reader);
  const feed = createFeed();
  store.onReplaced(() => {
    searcher.replaced();
    queueMicrotask(() => feed.publish({ tag: "emptied" })); // the database is in the middle of a statement
  });
  return {
    ...store,
    get lastArrival() {
      return store.lastArrival;
    },
    listeners: new Set(),
    reader,
    searcher,
    feed,
    statistics: { accepted: 0, acceptedBytes: 0, rejected: 0, deleted: 0 },
  };
}
