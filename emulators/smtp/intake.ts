import { hash } from "node:crypto";
import type { Instant } from "../kernel/clock.ts";
import type { Runtime } from "../kernel/emulator.ts";
import { deliveryDelayMs, deliveryTimer, emitEach } from "./delivery.ts";
import type { Draft, Envelope } from "./domain/message.ts";
import type { MailState } from "./store.ts";

const idLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export interface Incoming {
  readonly envelope: Envelope;
  readonly raw: Buffer;
  readonly receivedAt: Instant;
  readonly truncated: boolean;
  readonly remote: string;
  /** The dialogue; the last reply holds the id, so it is asked for once the id is known. */
  transcript(id: string): readonly string[];
}

/** Names an incoming message by its content: sender, recipients and bytes. */
export function draftOf(runtime: Runtime<MailState>, incoming: Incoming): Draft {
  const { envelope, raw } = incoming;
  const content = [envelope.mailFrom, ...envelope.recipients.map(({ address }) => address), hash("sha256", raw, "hex")];
  const id = runtime.ids.derive("smtp.message", content).text(22, idLetters);
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
    raw,
  };
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
      size: draft.raw.length,
    });
    if (draft.truncated) return draft;
    emitEach(runtime, "email.accepted", draft, draft.receivedAt);
    const due = draft.receivedAt + runtime.clock.paced(deliveryDelayMs);
    runtime.timers.schedule({ kind: deliveryTimer, subject: draft.id, due });
    return draft;
  });
}
