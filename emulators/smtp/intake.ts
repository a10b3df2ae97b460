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

/** Names an incoming message by its content: sender, recipients and bytes. */
export function draftOf(runtime: Runtime<MailState>, incoming: Incoming): Draft {
  const { envelope, content } = incoming;
  const recipients = envelope.recipients.map(({ address }) => address);
  const section = headerSection(content.raw);
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
    inbox: inboxOf(section),
    tags: tagsOfMessage(section, recipients),
  };
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
  return runtime.store.write(() => {
    const draft = draftOf(runtime, incoming);
    runtime.state.add(draft);
    runtime.journal.append("change", draft.id, {
      state: draft.truncated ? "truncated" : "accepted",
      from: draft.mailFrom,
      recipients: draft.recipients.length,
      size: draft.content.size,
    });
    if (draft.truncated) return draft;
    if (!incoming.silent) {
      if (wanted(runtime, "email.accepted"))
        emitEach(runtime, "email.accepted", { ...draft, raw: draft.content.raw }, draft.receivedAt);
      scheduleLives(runtime, draft);
    }
    prune(runtime);
    runtime.store.afterCommit(() => announce(runtime.state, draft.id, draft.content.size));
    return draft;
  });
}

/** Tells whoever waits for mail; what has to be read from the rows is read only if somebody does. */
function announce(state: MailState, id: string, size: number): void {
  state.statistics.accepted += 1;
  state.statistics.acceptedBytes += size;
  state.searcher.came(id);
  if (!state.feed.watched) return;
  const message = state.summary(id);
  if (message !== undefined) state.feed.publish({ tag: "new", message });
}
