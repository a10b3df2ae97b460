/** Events in both schemas, and the resources of Event Grid as Azure Resource Manager shows them. */
import { type EventSubscription, endpointOf, isCloudEvents, type StateEvent } from "../domain/event-subscription.ts";
import { type Json, member, record, text } from "../domain/json.ts";

const stateType = (what: StateEvent["what"]) => `Microsoft.PolicyInsights.PolicyState${what}`;
const iso = (at: number) => new Date(at).toISOString();

export interface Rendered {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly body: { readonly [name: string]: Json };
}

export function renderStateEvent(subscription: EventSubscription, event: StateEvent, id: string): Rendered {
  const type = stateType(event.what);
  const { subject, data, at } = event;
  const body = isCloudEvents(subscription)
    ? { id, source: subscription.topic, subject, data, type, time: iso(at), specversion: "1.0" }
    : {
        id,
        topic: subscription.topic,
        subject,
        data,
        eventType: type,
        eventTime: iso(at),
        dataVersion: "1",
        metadataVersion: "1",
      };
  return { id, type, subject, body };
}

/** What one request carries: an array in Event Grid's own schema, one event or a batch in CloudEvents. */
export function renderRequest(
  subscription: EventSubscription,
  events: readonly Rendered[],
  several: boolean,
): { readonly contentType: string; readonly body: string } {
  const bodies = events.map(({ body }) => body);
  if (!isCloudEvents(subscription))
    return { contentType: "application/json; charset=utf-8", body: JSON.stringify(bodies) };
  return several
    ? { contentType: "application/cloudevents-batch+json; charset=utf-8", body: JSON.stringify(bodies) }
    : { contentType: "application/cloudevents+json; charset=utf-8", body: JSON.stringify(bodies[0]) };
}

export const validationType = "Microsoft.EventGrid.SubscriptionValidationEvent";
export const deletionType = "Microsoft.EventGrid.SubscriptionDeletedEvent";

export function renderValidation({ topic, validationCode, validationUrl }: EventSubscription, id: string, at: number) {
  return [
    {
      id,
      topic,
      subject: "",
      data: { validationCode, validationUrl },
      eventType: validationType,
      eventTime: iso(at),
      metadataVersion: "1",
      dataVersion: "1",
    },
  ];
}

export function renderDeletion({ id: eventSubscriptionId, topic }: EventSubscription, id: string, at: number) {
  return [
    {
      id,
      topic,
      subject: "",
      data: { eventSubscriptionId },
      eventType: deletionType,
      eventTime: iso(at),
      metadataVersion: "1",
      dataVersion: "1",
    },
  ];
}

/** The address is shown without its query, which may hold a secret; `getFullUrl` tells it. */
export function renderEventSubscription(subscription: EventSubscription) {
  const { id, name, type, topic, properties, provisioningState } = subscription;
  const destination = record(member(properties, "destination"));
  const { endpointUrl: _, deliveryAttributeMappings: __, ...rest } = record(member(destination, "properties"));
  return {
    id,
    name,
    type,
    properties: {
      ...properties,
      topic,
      provisioningState,
      destination: {
        ...destination,
        properties: { ...rest, endpointBaseUrl: endpointOf(subscription).split("?")[0] ?? "" },
      },
    },
  };
}

export function renderSystemTopic(id: string, given: Json) {
  const properties = record(member(given, "properties"));
  return {
    id,
    name: id.slice(id.lastIndexOf("/") + 1),
    type: "Microsoft.EventGrid/systemTopics",
    location: text(given, "location") || "global",
    tags: record(member(given, "tags")),
    ...(member(given, "identity") === undefined ? {} : { identity: member(given, "identity") }),
    properties: {
      provisioningState: "Succeeded",
      source: text(properties, "source"),
      topicType: text(properties, "topicType"),
    },
  };
}

export interface DeadLetterFacts {
  readonly reason: string;
  readonly attempts: number;
  readonly lastOutcome: string;
  readonly publishedAt: number;
  readonly lastAt: number;
}

/** The event with why it was not delivered; CloudEvents writes the names of its extensions in lower case. */
export function renderDeadLetter(event: { readonly [name: string]: Json }, facts: DeadLetterFacts) {
  const more: { readonly [name: string]: Json } = {
    deadLetterReason: facts.reason,
    deliveryAttempts: facts.attempts,
    lastDeliveryOutcome: facts.lastOutcome,
    publishTime: iso(facts.publishedAt),
    lastDeliveryAttemptTime: iso(facts.lastAt),
  };
  if (event.specversion === undefined) return { ...event, ...more };
  return { ...event, ...Object.fromEntries(Object.entries(more).map(([name, value]) => [name.toLowerCase(), value])) };
}
