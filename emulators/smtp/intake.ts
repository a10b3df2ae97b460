import type { Instant } from "../kernel/clock.ts";
import type { Runtime } from "../kernel/emulator.ts";
import { emitEach, scheduleLives, wanted } from "./delivery.ts";
import { headerSection, headerValue } from "./domain/headers.ts";
import type { Content, Draft, Envelope } from "./domain/message.ts";
import { tagsOfMessage } from "./domain/tags.ts";
import type { Dialogue } from "./domain/transcript.ts";
import { prune } from "./mailbox.ts";
import type { MailState } from "./state.ts";

const idLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export interface Incoming {
  readonly envelope: Envelope;
  readonly content: Content;
  readonly receivedAt: Instant;
  readonly truncated: boolean;
  /** A report that comes from outside: it has no life of its own to tell about. */
  readonly silent?: boolean;
  readonly remote: string;
  /** The dialogue; the last reply holds the id, so it is asked for once the id is known. */
  transcript(id: string): Dialogue;
}

/** What its header says about where a message belongs. */
interface Marks {
  readonly inbox: string | undefined;
  readonly tags: readonly string[];
}

/** Names an incoming message by its content: sender, recipients and bytes. */
export function draftOf(runtime: Runtime<MailState>, incoming: Incoming, marks = marksOf(incoming)): Draft {
  const { envelope, content } = incoming;
  const recipients = envelope.recipients.map(({ address }) => address);
  const id = runtime.ids.derive("smtp.message", [envelope.mailFrom, ...recipients, content.sha256]).text(22, idLetters);
  return {
    id,
    mailFrom: envelope.mailFrom,
    parameters: envelope.parameters,
    recipients: envelope.recipients,
    helo: envelope.helo,
    mechanism: envelope.mechanism,
    username: envelope.username,
    secure: envelope.secure,
    receivedAt: incoming.receivedAt,
    truncated: incoming.truncated,
    remote: incoming.remote,
    transcript: incoming.transcript(id),
    content,
    inbox: marks.inbox,
    tags: marks.tags,
  };
}

function marksOf({ content, envelope }: Incoming): Marks {
  const section = headerSection(content.raw);
  const recipients = envelope.recipients.map(({ address }) => address);
  return { inbox: inboxOf(section), tags: tagsOfMessage(section, recipients) };
}

const inboxHeader = /^x-backlot-inbox[ \t]*:/im;

/** The inbox a message asks for in its header; one of a test's own keeps its mail apart from its neighbours'. */
function inboxOf(section: string): string | undefined {
  if (!inboxHeader.test(section)) return undefined;
  const name = headerValue(section, "x-backlot-inbox") ?? "";
  return name === "" ? undefined : Buffer.from(name, "latin1").toString("utf8").slice(0, 200);
}

/**
 * Keeps a message with its events and its next step in one write; nothing is parsed. A truncated one is kept as
 * evidence only: it was never accepted, so it has no events and is in no mailbox list.
 */
export function keep(runtime: Runtime<MailState>, incoming: Incoming): Draft {
  const { store, state } = runtime;
  const marks = marksOf(incoming);
  const told = !incoming.truncated && !incoming.silent;
  const wantedNow = told && wanted(runtime, "email.accepted");
  const work = () => {
    const draft = draftOf(runtime, incoming, marks);
    state.add(draft);
    runtime.journal.append("change", draft.id, {
      state: draft.truncated ? "truncated" : "accepted",
      from: draft.mailFrom,
      recipients: draft.recipients.length,
      size: draft.content.size,
    });
    if (wantedNow) emitEach(runtime, "email.accepted", { ...draft, raw: draft.content.raw }, draft.receivedAt);
    if (told) scheduleLives(runtime, draft);
    if (draft.truncated) return draft;
    prune(runtime);
    const { id, content } = draft;
    store.afterCommit(() => announce(state, id, content.size));
    return draft;
  };
  // Nearly every mail changes one row: a savepoint around it would cost a third of what the row does.
  const one = !wantedNow && marks.tags.length === 0 && !state.profile()?.retention;
  return one ? store.writeOne(work) : store.write(work);
}

/** Tells whoever waits for mail; what has to be read from the rows is read only if somebody does. */
function announce(state: MailState, id: string, size: number): void {
  state.statistics.accepted += 1;
  state.statistics.acceptedBytes += size;
  state.searcher.came();
  if (!state.feed.watched) return;
  const message = state.summary(id);
  if (message !== undefined) state.feed.publish({ tag: "new", message });
}
