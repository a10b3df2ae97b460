import type { Instant } from "../kernel/clock.ts";
import type { Runtime } from "../kernel/emulator.ts";
import type { Timer } from "../kernel/timers.ts";
import { subjectOf } from "./domain/headers.ts";
import type { Message } from "./domain/message.ts";
import type { MailState } from "./store.ts";

export const deliveryTimer = "smtp.delivery";

/** From acceptance to delivery, before BACKLOT_PACE. */
export const deliveryDelayMs = 1000;

/** The message reaches its recipients' mailboxes: one `email.delivered` each. */
export function deliver(runtime: Runtime<MailState>, timer: Timer): void {
  const recipients = runtime.state.recipientCount(timer.subject);
  if (recipients === 0) return; // deleted meanwhile
  if (wanted(runtime, "email.delivered")) {
    const message = runtime.state.message(timer.subject);
    if (message !== undefined) emitEach(runtime, "email.delivered", message, timer.due);
  }
  runtime.journal.append("change", timer.subject, { state: "delivered", recipients });
}

type EventType = "email.accepted" | "email.delivered";

/** Whether anyone listens: an event nobody wants is not worth reading the message for. */
function wanted(runtime: Runtime<MailState>, type: EventType): boolean {
  return runtime.outbox.endpoints.wanting(type).length > 0;
}

/** One event for each recipient. `subject` is the decoded header, absent when there is none. */
export function emitEach(
  runtime: Runtime<MailState>,
  type: EventType,
  message: Pick<Message, "id" | "mailFrom" | "recipients" | "raw">,
  at: Instant,
): void {
  if (!wanted(runtime, type)) return;
  const subject = subjectOf(message.raw);
  for (const { address } of message.recipients) {
    runtime.outbox.emit({
      type,
      subject: message.id,
      occurredAt: at,
      data: {
        messageId: message.id,
        recipient: address,
        from: message.mailFrom,
        ...(subject === undefined ? {} : { subject }),
      },
    });
  }
}
