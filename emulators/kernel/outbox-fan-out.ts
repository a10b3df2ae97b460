/** What is sent where: an event becomes a delivery to each endpoint that wants it, a callback one of its own. */
import type { Endpoint } from "./endpoints.ts";
import type { Ids } from "./ids.ts";
import type { Delivery } from "./outbox-store.ts";
import type { Callback, WebhookEvent } from "./webhook.ts";

/** A delivery before its first try. */
export type NewDelivery = Omit<
  Delivery,
  "state" | "reason" | "attempts" | "replayed_after" | "ended_at" | "arrival" | "trace"
>;

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** How far apart shuffled deliveries may lie. */
const shuffleMs = 5_000;

export function* eventDeliveries(
  emulator: string,
  event: WebhookEvent,
  wanting: readonly Endpoint[],
  ids: Ids,
): Generator<NewDelivery> {
  const content = [emulator, event.type, event.subject, event.occurredAt];
  const id = `msg_${ids.derive("webhook.event", content).text(27, base62)}`;
  const bodies: Partial<Record<Endpoint["payload"], Buffer>> = {};
  for (const endpoint of wanting) {
    const body = bodies[endpoint.payload] ?? bodyOf(event, endpoint.payload);
    bodies[endpoint.payload] = body;
    for (let copy = 1; copy <= endpoint.copies; copy += 1) {
      const key = `${id}_${endpoint.id.slice(3)}${copy > 1 ? `_${copy}` : ""}`;
      const shuffle =
        endpoint.ordering === "shuffled" ? Math.floor(ids.fixed("webhook.shuffle", [key]).unit() * shuffleMs) : 0;
      yield {
        id: key,
        event: id,
        endpoint: endpoint.id,
        type: event.type,
        subject: event.subject,
        occurred_at: event.occurredAt,
        method: "POST",
        url: endpoint.url,
        content_type: "application/json",
        body,
        scheme: "endpoint",
        credential: "",
        due: event.occurredAt + shuffle,
      };
    }
  }
}

export function callbackDelivery(emulator: string, callback: Callback, ids: Ids): NewDelivery {
  const content = [emulator, callback.type, callback.subject, callback.url, callback.occurredAt];
  const id = `msg_${ids.derive("webhook.callback", content).text(27, base62)}`;
  return {
    id,
    event: id,
    endpoint: null,
    type: callback.type,
    subject: callback.subject,
    occurred_at: callback.occurredAt,
    method: callback.method,
    url: callback.url,
    content_type: callback.contentType,
    body: Buffer.from(callback.body),
    scheme: callback.scheme,
    credential: callback.credential,
    due: callback.occurredAt,
  };
}

function bodyOf({ type, occurredAt, data }: WebhookEvent, payload: Endpoint["payload"]): Buffer {
  const sent = payload === "data" ? (data ?? null) : { type, timestamp: new Date(occurredAt).toISOString(), data };
  return Buffer.from(JSON.stringify(sent));
}
