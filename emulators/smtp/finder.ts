import * as z from "zod";
import { afterReal } from "../kernel/clock.ts";
import { inInbox } from "./domain/inbox.ts";
import type { MessageSummary } from "./domain/message.ts";
import type { MailState } from "./state.ts";

const Text = z.string().min(1).max(1_000);

/** What a message has to be to be found; all that is given must hold. */
export const Wanted = z.strictObject({
  /** Search in Mailpit's syntax. */
  query: Text.optional(),
  /** `signup` or with its kind: `header:`, `user:`, `domain:`, `tag:`. */
  inbox: Text.optional(),
  /** Envelope recipient and sender, in any case; `*` stands for anything. */
  to: Text.optional(),
  from: Text.optional(),
  /** Part of the decoded subject, in any case. */
  subject: Text.optional(),
  /** Only what arrived after this cursor. */
  since: z.coerce.number().int().min(0).default(0),
});
export type Wanted = z.output<typeof Wanted>;

const mostLookedAt = 100_000;

/** Messages that are wanted, oldest first. */
export async function find(state: MailState, wanted: Wanted): Promise<readonly MessageSummary[]> {
  const accepts = acceptor(state, wanted);
  const found: MessageSummary[] = [];
  for (const message of await candidates(state, wanted)) if (await accepts(message)) found.push(message);
  return found;
}

async function candidates(state: MailState, wanted: Wanted): Promise<readonly MessageSummary[]> {
  if (wanted.query === undefined) return state.arrivedAfter(wanted.since, mostLookedAt);
  const entries = await state.searcher.search(wanted.query, undefined);
  return entries
    .filter(({ arrival }) => arrival > wanted.since)
    .sort((left, right) => left.arrival - right.arrival)
    .flatMap(({ id }) => state.summary(id) ?? []);
}

/** Everything but `query` and `since`, which the candidates already fit. */
function acceptor(state: MailState, wanted: Wanted): (message: MessageSummary) => Promise<boolean> {
  const inbox = wanted.inbox === undefined ? undefined : inInbox(wanted.inbox);
  const to = wanted.to === undefined ? undefined : glob(wanted.to);
  const from = wanted.from === undefined ? undefined : glob(wanted.from);
  const subject = wanted.subject?.toLowerCase();
  return async (message) => {
    if (inbox && !inbox(message)) return false;
    if (to && !message.recipients.some(({ address }) => to(address))) return false;
    if (from && !from(message.mailFrom)) return false;
    return subject === undefined || (await state.reader.gist(message)).subject.toLowerCase().includes(subject);
  };
}

function glob(pattern: string): (address: string) => boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const regex = new RegExp(`^${parts.join(".*")}$`, "is");
  return (address) => regex.test(address);
}

/**
 * Waits until as many wanted messages are there, at most `timeoutMs` of real time. Answers with what was found then,
 * oldest first: fewer than `count` when the time is up or the server closes.
 */
export async function waitFor(
  state: MailState,
  wanted: Wanted,
  limits: { readonly count: number; readonly timeoutMs: number },
): Promise<readonly MessageSummary[]> {
  const fresh: string[] = [];
  let wake = () => {};
  let over = false;
  const finish = () => {
    over = true;
    wake();
  };
  const ends = [
    state.feed.listen((event) => {
      if (event.tag === "new") fresh.push(event.message.id);
      if (event.tag !== "read") wake();
    }),
    state.feed.onClose(finish),
    afterReal(limits.timeoutMs, finish),
  ];
  try {
    const accepts = acceptor(state, wanted);
    let found = [...(await find(state, wanted))];
    while (found.length < limits.count && !over) {
      if (fresh.length === 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
      for (const id of fresh.splice(0)) {
        const message = state.summary(id);
        const fits = message !== undefined && !found.some((known) => known.id === id) && (await accepts(message));
        if (fits && (wanted.query === undefined || (await state.searcher.matches(id, wanted.query))))
          found.push(message);
      }
      found = found.filter(({ id }) => state.has(id)); // what was deleted meanwhile
    }
    return found;
  } finally {
    for (const end of ends) end();
  }
}
