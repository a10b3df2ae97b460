/**
 * Event Grid's part: who is told of a changed state, how deliveries look, when they are tried again, and what becomes of
 * handshakes and dead letters. The dispatcher underneath is the kernel's.
 */
import type { Runtime } from "../kernel/emulator.ts";
import { commonSchemes, explainStandard } from "../kernel/signatures.ts";
import type { Timer } from "../kernel/timers.ts";
import type { Conclusion, Outcome, Try, WebhookScheme } from "../kernel/webhook.ts";
import { nextTry, outcomeName } from "./domain/delivery-schedule.ts";
import { passes } from "./domain/event-filter.ts";
import {
  attributesOf,
  batchingOf,
  covers,
  deadLettersOf,
  type EventSubscription,
  endpointOf,
  filterOf,
  isCloudEvents,
  isExpired,
  type ProvisioningState,
  retryPolicyOf,
  type StateEvent,
} from "./domain/event-subscription.ts";
import { isRecord, type Json, text } from "./domain/json.ts";
import type { AzureState } from "./store.ts";
import {
  deletionType,
  type Rendered,
  renderDeadLetter,
  renderDeletion,
  renderRequest,
  renderStateEvent,
  renderValidation,
  validationType,
} from "./wire/event-grid.ts";

type AzureRuntime = Runtime<AzureState>;

const schemeName = "event-grid";
export const handshakeTimer = "azure.event-handshake";
export const deadLetterTimer = "azure.dead-letter";
/** How long a receiver may take to follow the validation address. */
const handshakeMs = 10 * 60_000;
/** Between the last try and the dead letter. */
const deadLetterDelayMs = 5 * 60_000;
const origin = "eventgrid.azure.net";

export function eventSubscriptionOf(state: AzureState, id: string): EventSubscription | undefined {
  const body = state.documents.find("eventSubscription", id)?.body;
  return body === undefined || body === null ? undefined : (JSON.parse(body) as EventSubscription);
}

export function eventSubscriptions(state: AzureState): readonly EventSubscription[] {
  return state.documents
    .list("eventSubscription")
    .flatMap(({ body }) => (body === null ? [] : [JSON.parse(body) as EventSubscription]));
}

/** Runs inside a write. */
export function keepEventSubscription({ state, clock }: AzureRuntime, subscription: EventSubscription): void {
  state.documents.put("eventSubscription", {
    id: subscription.id.toLowerCase(),
    body: JSON.stringify(subscription),
    made: true,
    at: clock.now(),
  });
}

/** Runs inside a write: asks the endpoint whether it wants events, which it must say before it gets any. */
export function beginHandshake(runtime: AzureRuntime, subscription: EventSubscription): void {
  const { outbox, clock, ids } = runtime;
  const at = clock.now();
  const eventId = ids.derive("azure.event", [validationType, subscription.id, at]).uuid();
  outbox.callback({
    type: validationType,
    subject: subscription.id,
    occurredAt: at,
    scheme: schemeName,
    credential: subscription.id.toLowerCase(),
    url: endpointOf(subscription),
    ...(isCloudEvents(subscription)
      ? { method: "OPTIONS", contentType: "", body: "" }
      : {
          method: "POST",
          contentType: "application/json; charset=utf-8",
          body: JSON.stringify(renderValidation(subscription, eventId, at)),
        }),
  });
}

/** Runs inside a write. Event Grid's own schema says goodbye; CloudEvents knows no such event. */
export function sayGoodbye({ outbox, clock, ids }: AzureRuntime, subscription: EventSubscription): void {
  if (isCloudEvents(subscription) || subscription.provisioningState !== "Succeeded") return;
  const at = clock.now();
  outbox.callback({
    type: deletionType,
    subject: subscription.id,
    occurredAt: at,
    scheme: schemeName,
    credential: subscription.id.toLowerCase(),
    method: "POST",
    url: endpointOf(subscription),
    contentType: "application/json; charset=utf-8",
    body: JSON.stringify(
      renderDeletion(subscription, ids.derive("azure.event", [deletionType, subscription.id, at]).uuid(), at),
    ),
  });
}

/** Runs inside a write: tells every subscription what it wants to know. */
export function publish(runtime: AzureRuntime, events: readonly StateEvent[]): void {
  const { state, clock, ids } = runtime;
  const live = eventSubscriptions(state).filter(
    (each) => each.provisioningState === "Succeeded" && !isExpired(each, clock.now()),
  );
  if (live.length === 0 || events.length === 0) return;
  const idOf = new Map(
    events.map((event) => [event, ids.derive("azure.event", keyOf(event)).hex(64).toUpperCase()] as const),
  );
  for (const subscription of live) {
    const wanted = events.flatMap((event) => {
      if (!covers(subscription, event)) return [];
      const rendered = renderStateEvent(subscription, event, idOf.get(event) ?? "");
      return passes(filterOf(subscription), rendered.body, rendered) ? [{ rendered, at: event.at }] : [];
    });
    for (const batch of batches(wanted, batchingOf(subscription))) send(runtime, subscription, batch);
  }
}

interface Wanted {
  readonly rendered: Rendered;
  readonly at: number;
}

function keyOf({ what, subject, data, at }: StateEvent): readonly string[] {
  const policy = text(data, "policyDefinitionReferenceId") || text(data, "policyDefinitionId");
  return [what, subject, text(data, "policyAssignmentId"), policy, String(at)];
}

/** In order, each as full as the subscription lets it be. */
function batches(wanted: readonly Wanted[], most: { readonly events: number; readonly bytes: number }): Wanted[][] {
  const result: Wanted[][] = [];
  let bytes = 0;
  for (const each of wanted) {
    const size = JSON.stringify(each.rendered.body).length;
    const last = result.at(-1);
    if (last && last.length < most.events && bytes + size <= most.bytes) last.push(each);
    else {
      result.push([each]);
      bytes = 0;
    }
    bytes += size;
  }
  return result;
}

function send({ outbox, clock }: AzureRuntime, subscription: EventSubscription, batch: readonly Wanted[]): void {
  const [first] = batch;
  if (!first) return;
  const several = batchingOf(subscription).events > 1;
  const events = batch.map(({ rendered }) => rendered);
  outbox.callback({
    type: first.rendered.type,
    subject: first.rendered.subject,
    occurredAt: clock.now(),
    scheme: schemeName,
    credential: subscription.id.toLowerCase(),
    method: "POST",
    url: endpointOf(subscription),
    ...renderRequest(subscription, events, several),
  });
}

/**
 * Event Grid signs nothing: receivers know it by a secret in the address, a header of their own, or a token. The signature
 * of Standard Webhooks comes on top unless the seed switches it off.
 */
export const eventGridScheme: WebhookScheme<AzureState> = {
  name: schemeName,
  headers: {},
  // Event Grid promises no order: receivers go by the timestamp in the data.
  ordered: false,
  secretOf: ({ state, ids }, credential) => (state.signsEvents() ? eventSecret(ids, credential) : undefined),
  sign: (request, secret) => ({ headers: commonSchemes.standard?.(request, [secret]) ?? {} }),
  explain: explainStandard,
  describe: (next, { state }) => describe(next, eventSubscriptionOf(state, next.credential)),
  accepts: (status) => status <= 204,
  retryDelay(_url, attempts, outcome, last, { state }) {
    const wait = waitAfter(state, attempts, outcome, last);
    return typeof wait === "number" ? wait : undefined;
  },
  timeouts: () => ({ totalMs: 30_000 }),
  concluded(runtime, conclusion) {
    if (conclusion.type === validationType) return handshakeAnswered(runtime, conclusion);
    if (conclusion.outcome.tag !== "delivered" && conclusion.type !== deletionType) bury(runtime, conclusion);
  },
};

export function eventSecret(ids: AzureRuntime["ids"], subscription: string): string {
  return `whsec_${ids.fixed("azure.event-secret", [subscription]).bytes().toString("base64")}`;
}

function describe(next: Try, subscription: EventSubscription | undefined): Record<string, string> {
  const name = next.credential.slice(next.credential.lastIndexOf("/") + 1).toUpperCase();
  const cloud = !next.contentType.startsWith("application/json");
  if (next.contentType === "")
    return {
      "webhook-request-origin": origin,
      "webhook-request-callback": subscription?.validationUrl ?? "",
      "webhook-request-rate": "120",
    };
  const kinds: Readonly<Record<string, string>> = {
    [validationType]: "SubscriptionValidation",
    [deletionType]: "SubscriptionDeletion",
  };
  return {
    ...(subscription ? attributesOf(subscription, firstEvent(next.body)) : {}),
    "aeg-subscription-name": name,
    "aeg-delivery-count": String(next.n - 1),
    "aeg-event-type": kinds[next.type] ?? "Notification",
    ...(cloud ? {} : { "aeg-metadata-version": "1", "aeg-data-version": "1" }),
    "aeg-output-event-id": text(firstEvent(next.body), "id"),
  };
}

function eventsIn(body: Buffer): readonly { readonly [name: string]: Json }[] {
  const parsed: Json = JSON.parse(body.toString("utf8"));
  return (Array.isArray(parsed) ? parsed : [parsed]).filter(isRecord);
}

function firstEvent(body: Buffer): Json {
  return eventsIn(body)[0];
}

function waitAfter(state: AzureState, attempts: number, outcome: Outcome, last: Try) {
  if (last.type === validationType || last.type === deletionType) return undefined;
  const subscription = eventSubscriptionOf(state, last.credential);
  // Nothing follows a subscription that was deleted.
  if (!subscription) return undefined;
  return nextTry(retryPolicyOf(subscription), {
    attempts,
    status: outcome.tag === "failed" ? undefined : outcome.status,
    publishedAt: last.occurredAt,
    at: last.at,
    spread: last.spread,
  });
}

function handshakeAnswered(runtime: AzureRuntime, { credential, outcome, headers, body }: Conclusion): void {
  const subscription = eventSubscriptionOf(runtime.state, credential);
  if (subscription?.provisioningState !== "Creating") return;
  const status = outcome.tag === "failed" ? 0 : outcome.status;
  const consents = isCloudEvents(subscription)
    ? status < 300 && [origin, "*"].includes(String(headers["webhook-allowed-origin"] ?? "").toLowerCase())
    : status === 200 && answeredCode(body) === subscription.validationCode;
  const mayFollow = isCloudEvents(subscription) ? status >= 200 && status < 300 : status === 200;
  finishHandshake(runtime, subscription, consents ? "Succeeded" : mayFollow ? "AwaitingManualAction" : "Failed");
}

function answeredCode(body: Buffer): string {
  try {
    return text(JSON.parse(body.toString("utf8")) as Json, "validationResponse");
  } catch {
    return ""; // an answer that is no JSON does not echo the code
  }
}

/** Runs inside a write. */
export function finishHandshake(
  runtime: AzureRuntime,
  subscription: EventSubscription,
  provisioningState: ProvisioningState,
): void {
  const { clock, timers, journal } = runtime;
  const subject = subscription.id.toLowerCase();
  keepEventSubscription(runtime, { ...subscription, provisioningState });
  journal.append("change", subject, { eventSubscription: subscription.name, provisioningState });
  if (provisioningState === "AwaitingManualAction") {
    const due = (clock.now() + handshakeMs) as Timer["due"];
    timers.schedule({ kind: handshakeTimer, subject, due, data: subscription.validationCode });
  } else timers.cancel(handshakeTimer, subject);
}

/** Nobody followed the address in time. */
export function handshakeExpired(runtime: AzureRuntime, { subject, data }: Timer): void {
  const subscription = eventSubscriptionOf(runtime.state, subject);
  if (subscription?.provisioningState === "AwaitingManualAction" && subscription.validationCode === data)
    finishHandshake(runtime, subscription, "Failed");
}

interface Burial {
  readonly container: string;
  readonly reason: string;
  readonly attempts: number;
  readonly lastOutcome: string;
  readonly publishedAt: number;
  readonly lastAt: number;
  readonly credential: string;
}

/** A dead letter is written five minutes after the last try; without a destination the events are dropped. */
function bury(runtime: AzureRuntime, { id, credential, attempts, outcome, occurredAt, at }: Conclusion): void {
  const { state, timers } = runtime;
  const subscription = eventSubscriptionOf(state, credential);
  const container = subscription && deadLettersOf(subscription);
  if (!subscription || container === undefined) return;
  const status = outcome.tag === "failed" ? undefined : outcome.status;
  const why = nextTry(retryPolicyOf(subscription), { attempts, status, publishedAt: occurredAt, at, spread: 0 });
  const data: Burial = {
    container,
    // A wait that would fit but for its spread ran into the end of the event's life.
    reason: typeof why === "number" ? "TimeToLiveExceeded" : why,
    attempts,
    lastOutcome: outcomeName(status, outcome.tag === "failed" ? outcome.reason : undefined),
    publishedAt: occurredAt,
    lastAt: at,
    credential,
  };
  timers.schedule({ kind: deadLetterTimer, subject: id, due: (at + deadLetterDelayMs) as Timer["due"], data });
}

export function writeDeadLetter({ state, outbox, ids }: AzureRuntime, { subject, due, data }: Timer): void {
  const delivery = outbox.get(subject);
  if (delivery?.state !== "dead") return;
  const { container, credential, ...facts } = data as Burial;
  const name = credential.slice(credential.lastIndexOf("/") + 1).toUpperCase();
  const [year, month, day, hour] = new Date(due).toISOString().split(/[-T:]/).map(Number);
  const file = ids.fixed("azure.dead-letter", [subject]).uuid();
  const id = `${container}/${name}/${year}/${month}/${day}/${hour}/${file}.json`;
  const events = eventsIn(delivery.body).map((event) => renderDeadLetter(event, facts));
  state.documents.put("deadLetter", { id, body: JSON.stringify(events), made: true, at: due });
}
