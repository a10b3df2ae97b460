import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv, Runtime } from "../../../kernel/emulator.ts";
import { answerJson } from "../../../kernel/exchange.ts";
import { readBody, readQuery } from "../../../kernel/http/input.ts";
import { ControlError } from "../../../kernel/plain-errors.ts";
import { deliveryTimer, record } from "../../delivery.ts";
import { linksOf } from "../../domain/links.ts";
import type { MessageSummary } from "../../domain/message.ts";
import { type EventType, eventTypes } from "../../domain/outcome.ts";
import type { MailState } from "../../state.ts";
import { dialects, renderEvent, type ToldEvent } from "../../wire/provider-events.ts";

const Shown = z.strictObject({ as: z.enum(dialects).optional() });
const caused = [
  "email.opened",
  "email.clicked",
  "email.unsubscribed",
  "email.complained",
  "email.bounced",
  "email.deferred",
] as const;
const Caused = z.strictObject({
  type: z.enum(caused),
  /** Default: the first recipient. */
  recipient: z.string().optional(),
  status: z
    .string()
    .regex(/^[245]\.\d{1,3}\.\d{1,3}$/)
    .optional(),
  text: z.string().max(500).optional(),
  /** Of a click; default: the message's first link. */
  url: z.string().optional(),
});

/** The events of a message's life: what happened, in Backlot's or a provider's words, and what a test makes happen. */
export function eventRoutes(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  const { state, store } = runtime;
  const existing = (id: string): MessageSummary => {
    const message = state.summary(id);
    if (message === undefined) throw new ControlError(404, "not_found", `There is no message ${id}`);
    return message;
  };

  app.get("/messages/:id/events", async (c) => {
    const { as } = readQuery(c.env.exchange, Shown);
    const message = existing(c.req.param("id"));
    const events = await lifeOf(runtime, message);
    const key = signingKey(runtime);
    const shown = as === undefined ? events.map(plain) : events.flatMap((event) => renderEvent(as, event, key) ?? []);
    return answerJson(c.env.exchange, 200, { events: shown, ...(as === "mailgun" && { signingKey: key }) });
  });

  app.post("/messages/:id/events", async (c) => {
    const asked = readBody(c.env.exchange, Caused);
    const message = existing(c.req.param("id"));
    const recipient = asked.recipient ?? message.recipients[0]?.address ?? "";
    if (!message.recipients.some(({ address }) => address === recipient))
      throw new ControlError(400, "no_such_recipient", `${recipient} is no recipient of ${message.id}`);
    const mail =
      asked.type === "email.clicked" && asked.url === undefined ? await state.reader.mail(message.id) : undefined;
    const url = asked.url ?? (mail === undefined ? undefined : linksOf(mail)[0]?.url);
    const step = {
      type: asked.type,
      ...(asked.status !== undefined && { status: asked.status }),
      ...(asked.text !== undefined && { text: asked.text }),
    };
    const detail: Record<string, string> = url === undefined ? {} : { url };
    store.write(() => record(runtime, { id: message.id, recipient, step, at: runtime.clock.now(), detail }));
    return answerJson(c.env.exchange, 201, { type: asked.type, recipient, ...detail });
  });
}

/** Acceptance and delivery follow from the message and its timer; everything else was recorded. */
async function lifeOf(runtime: Runtime<MailState>, message: MessageSummary): Promise<readonly ToldEvent[]> {
  const { state, timers, clock } = runtime;
  const { subject } = await state.reader.gist(message);
  const told = (type: EventType, recipient: string, at: number, detail: ToldEvent["detail"] = {}): ToldEvent => ({
    type,
    messageId: message.id,
    recipient,
    from: message.mailFrom,
    subject,
    at,
    detail,
  });
  const delivered = timers.get(deliveryTimer, message.id) === undefined;
  const events = message.recipients.flatMap(({ address, outcome }) => [
    told("email.accepted", address, message.receivedAt),
    ...(outcome === undefined && delivered
      ? [told("email.delivered", address, message.receivedAt + clock.paced(1000))]
      : []),
  ]);
  for (const { type, recipient, at, detail } of state.eventsOf(message.id)) {
    const known = eventTypes.find((name) => name === type);
    if (known !== undefined) events.push(told(known, recipient, at, detail));
  }
  return events.sort((left, right) => left.at - right.at);
}

function plain(event: ToldEvent) {
  return { type: event.type, recipient: event.recipient, at: new Date(event.at).toISOString(), ...event.detail };
}

/** What Mailgun calls the webhook signing key. */
function signingKey(runtime: Runtime<MailState>): string {
  return runtime.ids.fixed("smtp.mailgun-key", []).hex(32);
}
