import { decodeWords, headerValue } from "../domain/headers.ts";
import type { Message, MessageSummary } from "../domain/message.ts";
import { warningsOf } from "../domain/warnings.ts";
import { text } from "./mailhog.ts";

/** `section` is the header, one character per byte. */
export function renderSummary(message: MessageSummary, section: string) {
  const subject = headerValue(section, "subject");
  return {
    id: message.id,
    arrival: message.arrival,
    receivedAt: new Date(message.receivedAt).toISOString(),
    truncated: message.truncated,
    from: message.mailFrom,
    to: message.recipients.map(({ address }) => address),
    subject: subject === undefined ? null : decodeWords(text(subject)),
    size: message.size,
  };
}

export function renderEnvelope(message: Message, remote: string) {
  return {
    id: message.id,
    receivedAt: new Date(message.receivedAt).toISOString(),
    truncated: message.truncated,
    mailFrom: { address: message.mailFrom, parameters: message.parameters ?? {} },
    rcptTo: message.recipients.map(({ address, parameters }) => ({ address, parameters: parameters ?? {} })),
    helo: message.helo,
    auth: message.username === undefined ? null : { mechanism: message.mechanism ?? null, username: message.username },
    secure: message.secure,
    remote,
    size: message.size,
    warnings: warningsOf(message.raw),
  };
}
