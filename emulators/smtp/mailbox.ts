/** Changes to the mailbox that every dialect makes alike: one write each, told to whoever watches once it is committed. */
import type { Runtime } from "../kernel/emulator.ts";
import type { MailState } from "./state.ts";

type MailRuntime = Runtime<MailState>;

/** Answers whether there was such a message. */
export function removeMessage(runtime: MailRuntime, id: string): boolean {
  return removeMessages(runtime, [id]) > 0;
}

/** Answers how many of them there were. */
export function removeMessages(runtime: MailRuntime, ids: readonly string[]): number {
  const { state, store, journal } = runtime;
  const places = state.feed.watched ? new Map(state.placed().map(({ id }, position) => [id, position])) : undefined;
  return store.write(() => {
    const removed = ids.filter((id) => state.remove(id));
    for (const id of removed) journal.append("change", id, { state: "deleted" });
    state.statistics.deleted += removed.length;
    store.afterCommit(() => {
      for (const id of removed) {
        state.searcher.gone(id);
        state.feed.publish({ tag: "deleted", id, position: places?.get(id) ?? -1 });
      }
    });
    return removed.length;
  });
}

export function removeAll(runtime: MailRuntime): number {
  const { state, store, journal } = runtime;
  return store.write(() => {
    const removed = state.removeAll();
    state.statistics.deleted += removed;
    journal.append("change", undefined, { state: "deleted", messages: removed });
    state.searcher.replaced();
    store.afterCommit(() => {
      state.searcher.replaced();
      state.feed.publish({ tag: "emptied" });
    });
    return removed;
  });
}

export function markRead(runtime: MailRuntime, ids: readonly string[], read: boolean): number {
  const { state, store } = runtime;
  return store.write(() => {
    const changed = ids.filter((id) => state.has(id) && state.setRead(id, read));
    if (changed.length > 0)
      store.afterCommit(() => {
        for (const id of changed) state.feed.publish({ tag: "read", id, read });
      });
    return changed.length;
  });
}

export function markAllRead(runtime: MailRuntime, read: boolean): void {
  const { state, store } = runtime;
  store.write(() => {
    state.setAllRead(read);
    store.afterCommit(() => state.feed.publish({ tag: "allRead" }));
  });
}

export function setTags(runtime: MailRuntime, ids: readonly string[], tags: readonly string[]): void {
  const { state, store } = runtime;
  store.write(() => {
    const known = ids.filter((id) => state.has(id));
    for (const id of known) state.setTags(id, tags);
    store.afterCommit(() => {
      for (const id of known) state.feed.publish({ tag: "tagged", id, tags });
    });
  });
}

/** Both answer whether the tag was in use. */
export function renameTag(runtime: MailRuntime, from: string, to: string): boolean {
  return retag(runtime, () => runtime.state.renameTag(from, to));
}

export function deleteTag(runtime: MailRuntime, tag: string): boolean {
  return retag(runtime, () => runtime.state.deleteTag(tag));
}

function retag({ state, store }: MailRuntime, change: () => boolean): boolean {
  return store.write(() => {
    const known = change();
    if (known) store.afterCommit(() => state.feed.publish({ tag: "retagged" }));
    return known;
  });
}

/** The newest beyond what the seed's `retention` allows stay; how many went is counted and shown. */
export function prune(runtime: MailRuntime): void {
  const { state } = runtime;
  const keep = state.profile()?.retention ?? 0;
  if (keep === 0) return;
  const surplus = state.count() - keep;
  if (surplus <= 0) return;
  const oldest = state.placed().slice(0, surplus);
  removeMessages(
    runtime,
    oldest.map(({ id }) => id),
  );
  state.addCount("pruned", oldest.length);
}
