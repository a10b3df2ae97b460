import { mailDate } from "../../domain/compose.ts";
import { headerSection } from "../../domain/headers.ts";
import type { MessageSummary } from "../../domain/message.ts";
import type { MailState } from "../../state.ts";
import { renderSummary } from "../../wire/control.ts";

/** A message with its bytes as base64. */
export function exported(state: MailState, message: MessageSummary) {
  const raw = Buffer.concat([...(state.content(message.id) ?? [])]);
  return { ...renderSummary(message, headerSection(raw)), raw: raw.toString("base64") };
}

/** All of them in one file (RFC 4155, mboxrd quoting), one message in memory at a time. */
export function mboxOf(state: MailState, messages: readonly MessageSummary[]): ReadableStream<Uint8Array> {
  const waiting = messages.values();
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = waiting.next();
      if (next.done) return controller.close();
      const { id, mailFrom, receivedAt } = next.value;
      const raw = Buffer.concat([...(state.content(id) ?? [])])
        .toString("latin1")
        .replaceAll("\r\n", "\n");
      const sender = mailFrom === "" ? "MAILER-DAEMON" : mailFrom;
      const at = mailDate(receivedAt).replace(/^(\w+), (\d+) (\w+) (\d+) (\S+) .*$/, "$1 $3 $2 $5 $4");
      const quoted = raw.replaceAll(/^(>*From )/gm, ">$1");
      controller.enqueue(
        Buffer.from(`From ${sender} ${at}\n${quoted}${quoted.endsWith("\n") ? "" : "\n"}\n`, "latin1"),
      );
    },
  });
}
