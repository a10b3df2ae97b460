import * as z from "zod";
import { afterReal } from "../kernel/clock.ts";
import { inInbox } from "./domain/inbox.ts";
import type { MessageSummary } from "./domain/message.ts";
import type { Term } from "./domain/search-index.ts";
import type { FieldName } from "./domain/search-text.ts";
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

const pageSize = 200;

/** The first `most` messages that are wanted, oldest first. */
export async function find(state: MailState, wanted: Wanted, most = Infinity): Promise<readonly MessageSummary[]> {
  const accepts = acceptor(state, wanted);
  const found: MessageSummary[] = [];
  for await (const message of candidates(state, wanted)) {
    if (await accepts(message)) found.push(message);
    if (found.length >= most) break;
  }
  return found;
}

/** Messages that may be wanted, oldest first: what a word, an address or a subject can be looked up for is. */
async function* candidates(state: MailState, wanted: Wanted): AsyncGenerator<MessageSummary> {
  const { query, to, from, subject, since } = wanted;
  const terms = [...fieldTerms("subject", [subject ?? ""]), ...globTerms("sentTo", to), ...globTerms("sentFrom", from)];
  if (query !== undefined || terms.length > 0) {
    const newer: Term[] = since === 0 ? [] : [{ tag: "entry", test: ({ arrival }) => arrival > since }];
    const found = await state.searcher.search(query ?? "", undefined, ...newer, ...terms);
    for (const { id } of found.oldestFirst()) {
      const message = state.summary(id);
      if (message !== undefined) yield message;
    }
    return;
  }
  let page = state.arrivedAfter(since, pageSize);
  while (page.length > 0) {
    yield* page;
    page = state.arrivedAfter(page.at(-1)?.arrival ?? since, pageSize);
  }
}

/** What the index knows of a pattern: its runs of ASCII, where upper and lower case are beyond doubt. */
function globTerms(name: FieldName, pattern = ""): readonly Term[] {
  return fieldTerms(name, pattern.match(/[!-)+-~]+/g) ?? []);
}

function fieldTerms(name: FieldName, texts: readonly string[]): readonly Term[] {
  return texts
    .filter((text) => text !== "")
    .map((text) => ({ tag: "fields", names: [name], wanted: text.toLowerCase() }));
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
 * Waits until as many wanted messages are there, at most `timeoutMs` of real time. Answers with the first `most` of them,
 * oldest first: fewer than `count` when the time is up or the server closes.
 */
export async function waitFor(
  state: MailState,
  wanted: Wanted,
  limits: { readonly count: number; readonly most: number; readonly timeoutMs: number },
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
    let found = [...(await find(state, wanted, limits.most))];
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
