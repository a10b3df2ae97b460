import type { MessageSummary } from "./domain/message.ts";

/** What happens to the mailbox, told after it is committed. */
export type MailboxEvent =
  | { readonly tag: "new"; readonly message: MessageSummary }
  | { readonly tag: "read"; readonly id: string; readonly read: boolean }
  | { readonly tag: "allRead" }
  /** A tag was renamed or is gone, on whichever messages had it. */
  | { readonly tag: "retagged" }
  | { readonly tag: "tagged"; readonly id: string; readonly tags: readonly string[] }
  /** `position` is its place in the order of arrival, from 0. */
  | { readonly tag: "deleted"; readonly id: string; readonly position: number }
  | { readonly tag: "emptied" };

export interface Feed {
  /** Somebody listens: what has to be worked out for an event is worth it. */
  readonly watched: boolean;
  publish(event: MailboxEvent): void;
  /** Answers how to stop listening. */
  listen(listener: (event: MailboxEvent) => void): () => void;
  /** Ends what listeners wait for. */
  onClose(action: () => void): () => void;
  close(): void;
}

export function createFeed(): Feed {
  const listeners = new Set<(event: MailboxEvent) => void>();
  const closers = new Set<() => void>();
  return {
    get watched() {
      return listeners.size > 0;
    },
    publish(event) {
      for (const listener of [...listeners]) listener(event);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onClose(action) {
      closers.add(action);
      return () => closers.delete(action);
    },
    close() {
      for (const action of [...closers]) action();
      closers.clear();
      listeners.clear();
    },
  };
}
