/** An Event Grid subscription: what it wants, where it goes, and what became of its handshake. */
import { type Json, list, member, record, text } from "./json.ts";

export type ProvisioningState = "Creating" | "Succeeded" | "Failed" | "AwaitingManualAction";

export interface EventSubscription {
  /** As the client wrote it. */
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** As events name it: `/subscriptions/...` or `/tenants/.../managementGroups/...`. */
  readonly topic: string;
  /** As given, over the defaults. */
  readonly properties: { readonly [name: string]: Json };
  readonly provisioningState: ProvisioningState;
  /** Of the last handshake. */
  readonly validationCode: string;
  readonly validationUrl: string;
}

/** A change of one policy state, as both schemas tell it. */
export interface StateEvent {
  readonly what: "Created" | "Changed" | "Deleted";
  /** Resource id. */
  readonly subject: string;
  readonly subscription: string;
  /** Names of the management groups above. */
  readonly managementGroups: readonly string[];
  readonly data: { readonly [name: string]: Json };
  readonly at: number;
}

export const isCloudEvents = ({ properties }: EventSubscription): boolean =>
  text(properties, "eventDeliverySchema").toLowerCase() === "cloudeventschemav1_0";

export const endpointOf = ({ properties }: EventSubscription): string =>
  text(member(member(properties, "destination"), "properties"), "endpointUrl");

export interface RetryPolicy {
  readonly attempts: number;
  readonly timeToLiveMs: number;
}

export function retryPolicyOf({ properties }: EventSubscription): RetryPolicy {
  const policy = member(properties, "retryPolicy");
  return {
    attempts: bounded(member(policy, "maxDeliveryAttempts"), 1, 30, 30),
    timeToLiveMs: bounded(member(policy, "eventTimeToLiveInMinutes"), 1, 1440, 1440) * 60_000,
  };
}

export interface Batching {
  readonly events: number;
  readonly bytes: number;
}

/** One event a request unless the subscription asks for more. */
export function batchingOf({ properties }: EventSubscription): Batching {
  const destination = member(member(properties, "destination"), "properties");
  return {
    events: bounded(member(destination, "maxEventsPerBatch"), 1, 5000, 1),
    bytes: bounded(member(destination, "preferredBatchSizeInKilobytes"), 1, 1024, 64) * 1024,
  };
}

function bounded(value: Json, least: number, most: number, otherwise: number): number {
  return typeof value === "number" ? Math.min(most, Math.max(least, Math.trunc(value))) : otherwise;
}

export function isExpired({ properties }: EventSubscription, now: number): boolean {
  const until = Date.parse(text(properties, "expirationTimeUtc"));
  return !Number.isNaN(until) && until <= now;
}

/** Where dead letters go, as `container/`; undefined when they are dropped. */
export function deadLettersOf({ properties }: EventSubscription): string | undefined {
  const destination =
    member(properties, "deadLetterDestination") ??
    member(member(properties, "deadLetterWithResourceIdentity"), "deadLetterDestination");
  const container = text(member(destination, "properties"), "blobContainerName");
  return container === "" ? undefined : container;
}

/** Headers that the subscription adds: fixed texts, or members of the event. At most ten. */
export function attributesOf({ properties }: EventSubscription, event: Json): Readonly<Record<string, string>> {
  const destination = member(member(properties, "destination"), "properties");
  const headers: Record<string, string> = {};
  for (const mapping of list(member(destination, "deliveryAttributeMappings")).slice(0, 10)) {
    const name = text(mapping, "name");
    if (!/^[A-Za-z0-9-]+$/.test(name)) continue;
    const given = member(mapping, "properties");
    const value =
      text(mapping, "type").toLowerCase() === "dynamic"
        ? valueAt(event, text(given, "sourceField"))
        : text(given, "value");
    if (value !== undefined && value !== null) headers[name] = String(value).replaceAll(/[^\x20-\x7e]/g, "");
  }
  return headers;
}

/** A member by its path: `data.complianceState`, `subject`. */
export function valueAt(event: Json, path: string): Json {
  let found = event;
  for (const name of path.split(".")) found = member(found, name);
  return found;
}

/** Whether the subscription's scope covers where the event happened. */
export function covers({ topic }: EventSubscription, { subscription, managementGroups }: StateEvent): boolean {
  const wanted = topic.toLowerCase();
  if (wanted === `/subscriptions/${subscription}`) return true;
  const name = wanted.slice(wanted.lastIndexOf("/") + 1);
  return wanted.startsWith("/tenants/") && managementGroups.some((each) => each.toLowerCase() === name);
}

export function filterOf(subscription: EventSubscription): { readonly [name: string]: Json } {
  return record(member(subscription.properties, "filter"));
}
