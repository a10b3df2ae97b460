import { createHash } from "node:crypto";
import type { Instant } from "../kernel/clock.ts";
import type { Runtime } from "../kernel/emulator.ts";
import type { Timer } from "../kernel/timers.ts";
import { headerSection, headerValue, subjectOf } from "./domain/headers.ts";
import { type Draft, defaultProfile, type Message } from "./domain/message.ts";
import { type EventType, type Step, stepsOf } from "./domain/outcome.ts";
import { abuseReport, autoReply, type ReportedMail, statusNotification } from "./domain/reports.ts";
import type { MailState } from "./state.ts";
import { submit } from "./submit.ts";

type MailRuntime = Runtime<MailState>;

export const deliveryTimer = "smtp.delivery";
export const stepTimer = "smtp.step";

/** From acceptance to delivery, before BACKLOT_PACE. */
export const deliveryDelayMs = 1000;

/** Schedules what becomes of an accepted message: one timer for all ordinary recipients, one for each step of the others. */
export function scheduleLives(runtime: MailRuntime, draft: Draft): void {
  const { clock, timers } = runtime;
  const ordinary = draft.recipients.filter(({ outcome }) => outcome === undefined);
  if (ordinary.length > 0) {
    // Nearly every message: no recipient asks for a notification, so the step need not read the rows again.
    const data: Plain | undefined = ordinary.some(({ parameters }) => parameters !== undefined)
      ? undefined
      : ordinary.length === 1
        ? plainOne
        : { plain: ordinary.length };
    timers.schedule({
      kind: deliveryTimer,
      subject: draft.id,
      due: draft.receivedAt + clock.paced(deliveryDelayMs),
      data,
    });
  }
  draft.recipients.forEach(({ outcome }, position) => {
    if (outcome === undefined) return;
    stepsOf(outcome).forEach((step, n) => {
      const due = draft.receivedAt + clock.paced(step.afterMs);
      timers.schedule({ kind: stepTimer, subject: `${draft.id}/${position}/${n}`, due, data: step });
    });
  });
}

/** What the delivery timer carries when its recipients ask for nothing: how many they are. */
interface Plain {
  readonly plain: number;
}

/** That of nearly every message. */
const plainOne: Plain = { plain: 1 };

/** The message reaches its recipients' mailboxes: one `email.delivered` each. */
export function deliver(runtime: MailRuntime, timer: Timer): void {
  const plain = (timer.data as Plain | undefined)?.plain;
  if (plain !== undefined && !wanted(runtime, "email.delivered")) {
    if (runtime.state.stillHas(timer.subject))
      runtime.journal.append("change", timer.subject, { state: "delivered", recipients: plain });
    return;
  }
  const message = runtime.state.summary(timer.subject);
  if (message === undefined) return; // deleted meanwhile
  const ordinary = message.recipients.filter(({ outcome }) => outcome === undefined);
  const raw = wanted(runtime, "email.delivered")
    ? (runtime.state.beginning(message.id) ?? Buffer.alloc(0))
    : Buffer.alloc(0);
  emitEach(runtime, "email.delivered", { ...message, recipients: ordinary, raw }, timer.due);
  for (const recipient of ordinary)
    if (notifies(recipient.parameters, "SUCCESS"))
      notify(runtime, message.id, recipient, timer.due, { type: "email.delivered", afterMs: 0 });
  runtime.journal.append("change", message.id, { state: "delivered", recipients: ordinary.length });
}

/** One step in the life of a message at one recipient. */
export function takeStep(runtime: MailRuntime, timer: Timer): void {
  const [id = "", position = ""] = timer.subject.split("/");
  const message = runtime.state.summary(id);
  const recipient = message?.recipients[Number(position)];
  if (message === undefined || recipient === undefined) return; // deleted meanwhile
  record(runtime, { id, recipient: recipient.address, step: timer.data as Step, at: timer.due });
  notify(runtime, id, recipient, timer.due, timer.data as Step);
}

/** Keeps and tells an event of a message. `detail` is added to what the event tells. */
export function record(
  runtime: MailRuntime,
  event: {
    readonly id: string;
    readonly recipient: string;
    readonly step: Pick<Step, "type" | "status" | "text">;
    readonly at: Instant;
    readonly detail?: Readonly<Record<string, string>>;
  },
): void {
  const { state, journal } = runtime;
  const { id, recipient, step, at } = event;
  const detail = {
    ...(step.status !== undefined && { status: step.status }),
    ...(step.text !== undefined && { response: step.text }),
    ...event.detail,
  };
  state.addEvent({ message: id, recipient, type: step.type, at, detail });
  journal.append("change", id, { state: step.type.slice("email.".length), recipient, ...detail });
  const message = state.summary(id);
  if (message === undefined || !wanted(runtime, step.type)) return;
  emitOne(runtime, step.type, { ...message, raw: state.beginning(id) ?? Buffer.alloc(0) }, recipient, at, detail);
}

/** Writes to the sender what a real server would: a notification, a complaint, an automatic reply. Never to nobody. */
function notify(
  runtime: MailRuntime,
  id: string,
  recipient: Message["recipients"][number],
  at: Instant,
  step: Step,
): void {
  const message = runtime.state.message(id);
  if (message === undefined || message.mailFrom === "") return;
  const { parameters } = message;
  const text = (value: string | true | undefined) => (typeof value === "string" ? value : undefined);
  const mail: ReportedMail = {
    id: createHash("sha256").update(`${id}\0${recipient.address}\0${step.type}`).digest("hex").slice(0, 24),
    mailFrom: message.mailFrom,
    recipient: recipient.address,
    originalRecipient: text(recipient.parameters?.ORCPT),
    envelopeId: text(parameters?.ENVID),
    returnFull: parameters?.RET === "FULL",
    arrivedAt: message.receivedAt,
    reportedAt: at,
    server: runtime.state.profile()?.name ?? defaultProfile.name,
    raw: message.raw,
  };
  const raw = reportOf(step, mail, recipient.parameters);
  if (raw === undefined) return;
  const mailFrom = step.type === "email.replied" ? recipient.address : "";
  submit(runtime, { raw, mailFrom, recipients: [message.mailFrom], remote: "backlot", at, silent: true });
}

function reportOf(step: Step, mail: ReportedMail, parameters: Message["parameters"]): Buffer | undefined {
  const status = step.status ?? "5.1.1";
  const text = step.text ?? "";
  switch (step.type) {
    case "email.bounced":
      return notifies(parameters, "FAILURE") ? statusNotification(mail, { action: "failed", status, text }) : undefined;
    case "email.deferred":
      return notifies(parameters, "DELAY")
        ? statusNotification(mail, { action: "delayed", status: step.status ?? "4.2.0", text })
        : undefined;
    case "email.delivered":
      return notifies(parameters, "SUCCESS")
        ? statusNotification(mail, { action: "delivered", status: "2.1.5", text: "Delivered" })
        : undefined;
    case "email.complained":
      return abuseReport(mail);
    case "email.replied":
      return autoReply(
        mail,
        subjectOf(mail.raw) ?? "",
        (headerValue(headerSection(mail.raw), "message-id") ?? "").replaceAll(/^<|>$/g, ""),
      );
    default:
      return undefined;
  }
}

/** RFC 3461 4.1: failures are told unless NOTIFY says otherwise; everything else only when it is asked for. */
function notifies(parameters: Message["parameters"], kind: "SUCCESS" | "FAILURE" | "DELAY"): boolean {
  const asked = parameters?.NOTIFY;
  if (typeof asked !== "string") return kind === "FAILURE";
  return asked.toUpperCase().split(",").includes(kind);
}

/** Whether anyone listens: an event nobody wants is not worth reading the message for. */
export function wanted(runtime: MailRuntime, type: EventType): boolean {
  return runtime.outbox.endpoints.wanting(type).length > 0;
}

type Told = Pick<Message, "id" | "mailFrom" | "raw">;

/** One event for each recipient. `subject` is the decoded header, absent when there is none. */
export function emitEach(
  runtime: MailRuntime,
  type: EventType,
  message: Told & Pick<Message, "recipients">,
  at: Instant,
): void {
  if (!wanted(runtime, type)) return;
  for (const { address } of message.recipients) emitOne(runtime, type, message, address, at, {});
}

function emitOne(
  runtime: MailRuntime,
  type: EventType,
  message: Told,
  recipient: string,
  at: Instant,
  detail: Readonly<Record<string, string>>,
): void {
  const subject = subjectOf(message.raw);
  runtime.outbox.emit({
    type,
    subject: message.id,
    occurredAt: at,
    data: {
      messageId: message.id,
      recipient,
      from: message.mailFrom,
      ...(subject === undefined ? {} : { subject }),
      ...detail,
    },
  });
}
