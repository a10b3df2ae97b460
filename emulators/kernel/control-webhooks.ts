/** Control routes of the dispatcher: endpoints, deliveries, dead letters. */
import type { Hono } from "hono";
import * as z from "zod";
import { isoMilliseconds } from "./clock.ts";
import type { ShownAttempt, ShownDelivery, ShownEndpoint } from "./control-answers.ts";
import type { Emulator, KernelEnv, Runtime } from "./emulator.ts";
import { EndpointInput } from "./endpoint-input.ts";
import type { Endpoint } from "./endpoints.ts";
import { answer, answerJson } from "./exchange.ts";
import { readBody, readQuery } from "./http/input.ts";
import type { Attempt, Delivery } from "./outbox-store.ts";
import { ControlError } from "./plain-errors.ts";
import { checkSignatures } from "./signature-check.ts";
import { commonSchemes } from "./signatures.ts";

export const EndpointChange = z.strictObject({
  enabled: z.boolean().optional(),
  reason: z.string().optional(),
  events: EndpointInput.shape.events.unwrap().optional(),
  /** Makes a new secret; the old one signs too for this long (virtual time). */
  rotateSecret: z
    .strictObject({ overlapSeconds: z.number().min(0).default(86_400), secret: EndpointInput.shape.secret })
    .optional(),
});

export const DeliveryQuery = z.strictObject({
  state: z.enum(["waiting", "delivered", "dead", "discarded"]).optional(),
  endpoint: z.string().optional(),
  type: z.string().optional(),
  before: z.coerce.number().int().optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

export const Selection = z.strictObject({
  ids: z.array(z.string()).optional(),
  endpoint: z.string().optional(),
  type: z.string().optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});

export const DiscardInput = Selection.extend({
  reason: z.string().min(1, "say why, it is kept with the delivery"),
});

export function webhookRoutes<State, Seed>(
  control: Hono<KernelEnv>,
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
): void {
  const { outbox, store, clock, journal } = runtime;
  const base = "/_backlot/webhooks";
  const known = [...Object.keys(commonSchemes), ...(emulator.webhooks ?? []).map((scheme) => scheme.name)];
  const endpoint = (id: string): Endpoint => {
    const found = outbox.endpoints.get(id);
    if (!found)
      throw new ControlError(
        404,
        "no_such_endpoint",
        `There is no webhook endpoint ${id}; GET ${base}/endpoints lists them.`,
      );
    return found;
  };

  control.get(`${base}/endpoints`, (c) =>
    answerJson(c.env.exchange, 200, { endpoints: outbox.endpoints.list().map(showEndpoint) }),
  );
  control.post(`${base}/endpoints`, (c) => {
    const input = readBody(c.env.exchange, EndpointInput);
    const unknown = input.schemes.filter((scheme) => !known.includes(scheme));
    if (unknown.length > 0)
      throw new ControlError(
        400,
        "unknown_scheme",
        `body.schemes: ${unknown.join(", ")} is not a scheme of ${emulator.name}; it has ${known.join(", ")}.`,
      );
    const added = store.write(() => outbox.endpoints.add(input, clock.now()));
    journal.append("control", added.id, { endpoint: "added", url: added.url, events: added.events });
    return answerJson(c.env.exchange, 201, showEndpoint(added));
  });
  control.get(`${base}/endpoints/:id`, (c) =>
    answerJson(c.env.exchange, 200, showEndpoint(endpoint(c.req.param("id")))),
  );
  control.patch(`${base}/endpoints/:id`, (c) => {
    const present = endpoint(c.req.param("id"));
    const change = readBody(c.env.exchange, EndpointChange);
    const changed = store.write(() => {
      const next = changeEndpoint(present, change, runtime);
      outbox.endpoints.replace(next);
      return next;
    });
    journal.append("control", changed.id, {
      endpoint: "changed",
      enabled: changed.enabled,
      rotated: change.rotateSecret !== undefined,
    });
    return answerJson(c.env.exchange, 200, showEndpoint(changed));
  });
  control.delete(`${base}/endpoints/:id`, (c) => {
    const { id } = endpoint(c.req.param("id"));
    store.write(() => outbox.endpoints.remove(id));
    journal.append("control", id, { endpoint: "removed" });
    return answer(c.env.exchange, 204, null, {});
  });

  control.get(`${base}/deliveries`, (c) => {
    const found = outbox.list(readQuery(c.env.exchange, DeliveryQuery) as Parameters<typeof outbox.list>[0]);
    return answerJson(c.env.exchange, 200, { counts: outbox.counts(), deliveries: found.map(showDelivery) });
  });
  control.get(`${base}/deliveries/:id`, (c) => {
    const id = c.req.param("id");
    const found = outbox.get(id);
    if (!found) throw new ControlError(404, "no_such_delivery", `There is no webhook delivery ${id}.`);
    return answerJson(c.env.exchange, 200, {
      ...showDelivery(found),
      body: found.body.toString("utf8"),
      attempts: outbox.history(id).map(showAttempt),
    });
  });
  control.get(`${base}/deliveries/:id/signatures`, (c) => {
    const id = c.req.param("id");
    const found = outbox.get(id);
    if (!found) throw new ControlError(404, "no_such_delivery", `There is no webhook delivery ${id}.`);
    return answerJson(c.env.exchange, 200, {
      attempts: outbox.history(id).map((attempt) => ({
        n: attempt.n,
        checks: checkSignatures(found, attempt, emulator.webhooks ?? [], runtime),
      })),
    });
  });

  const selected = (input: z.output<typeof Selection>): string[] => {
    if (input.ids) return input.ids;
    return outbox
      .list({
        state: "dead",
        limit: 100_000,
        ...(input.endpoint === undefined ? {} : { endpoint: input.endpoint }),
        ...(input.type === undefined ? {} : { type: input.type }),
        ...(input.from === undefined ? {} : { from: Date.parse(input.from) }),
        ...(input.to === undefined ? {} : { to: Date.parse(input.to) }),
      })
      .map((delivery) => delivery.id)
      .reverse();
  };
  control.get("/_backlot/dead-letters", (c) => {
    const { limit, before } = readQuery(c.env.exchange, DeliveryQuery.pick({ limit: true, before: true }));
    const dead = outbox.list({ state: "dead", limit, ...(before === undefined ? {} : { before }) });
    return answerJson(c.env.exchange, 200, {
      total: outbox.counts().dead,
      deadLetters: dead.map((delivery) => ({
        ...showDelivery(delivery),
        attempts: outbox.history(delivery.id).map(showAttempt),
      })),
    });
  });
  control.get("/_backlot/dead-letters/export", (c) => {
    const lines = outbox
      .list({ state: "dead", limit: 100_000 })
      .map((delivery) =>
        JSON.stringify({
          ...showDelivery(delivery),
          body: delivery.body.toString("utf8"),
          attempts: outbox.history(delivery.id).map(showAttempt),
        }),
      )
      .reverse();
    return answer(c.env.exchange, 200, lines.map((line) => `${line}\n`).join(""), {
      "content-type": "application/x-ndjson",
    });
  });
  control.post("/_backlot/dead-letters/replay", (c) => {
    const replayed = outbox.replay(selected(readBody(c.env.exchange, Selection)));
    journal.append("control", undefined, { replayed });
    return answerJson(c.env.exchange, 202, { replayed });
  });
  control.post("/_backlot/dead-letters/discard", (c) => {
    const { reason, ...selection } = readBody(c.env.exchange, DiscardInput);
    const discarded = outbox.discard(selected(selection), reason);
    journal.append("control", undefined, { discarded, reason });
    return answerJson(c.env.exchange, 200, { discarded });
  });
}

function changeEndpoint(
  present: Endpoint,
  change: z.output<typeof EndpointChange>,
  runtime: Runtime<unknown>,
): Endpoint {
  const { disabledReason: _, ...rest } = present;
  const enabled = change.enabled ?? present.enabled;
  const reason = enabled ? undefined : (change.reason ?? present.disabledReason ?? "disabled by the control API");
  const rotated = change.rotateSecret && {
    secret:
      change.rotateSecret.secret ??
      `whsec_${runtime.ids.derive("webhook.secret.rotated", [present.id]).bytes().toString("base64")}`,
    previous: { secret: present.secret, until: runtime.clock.now() + change.rotateSecret.overlapSeconds * 1000 },
  };
  return {
    ...rest,
    ...(change.events === undefined ? {} : { events: change.events }),
    ...rotated,
    enabled,
    ...(reason === undefined ? {} : { disabledReason: reason }),
  };
}

function showEndpoint({ createdAt, previous, ...endpoint }: Endpoint): ShownEndpoint {
  return {
    ...endpoint,
    createdAt: isoMilliseconds(createdAt),
    ...(previous === undefined
      ? {}
      : { previous: { secret: previous.secret, until: isoMilliseconds(previous.until) } }),
  };
}

function showDelivery(delivery: Delivery): ShownDelivery {
  return {
    id: delivery.id,
    cursor: delivery.arrival,
    webhookId: delivery.event,
    endpoint: delivery.endpoint,
    type: delivery.type,
    subject: delivery.subject,
    occurredAt: isoMilliseconds(delivery.occurred_at),
    method: delivery.method,
    url: delivery.url,
    scheme: delivery.scheme,
    state: delivery.state,
    reason: delivery.reason,
    tries: delivery.attempts,
    replayedAfter: delivery.replayed_after,
    nextDue: delivery.state === "waiting" ? isoMilliseconds(delivery.due) : null,
    endedAt: delivery.ended_at === null ? null : isoMilliseconds(delivery.ended_at),
  };
}

function showAttempt(attempt: Attempt): ShownAttempt {
  return {
    n: attempt.n,
    at: isoMilliseconds(attempt.at),
    request: attempt.request,
    outcome: attempt.outcome ?? "unknown: the process ended before the answer",
    status: attempt.status,
    detail: attempt.detail,
    response: attempt.response,
    wallMs: attempt.wall_ms,
    nextDue: attempt.next_due === null ? null : isoMilliseconds(attempt.next_due),
  };
}
