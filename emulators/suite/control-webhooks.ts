/** Webhooks of all emulators at once: receivers, deliveries, dead letters. Ids say which emulator is meant. */
import type { Hono } from "hono";
import { DiscardInput, EndpointChange, Selection } from "../kernel/control-webhooks.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { EndpointInput } from "../kernel/endpoint-input.ts";
import { answer, answerJson, type Exchange } from "../kernel/exchange.ts";
import { readBody } from "../kernel/http/input.ts";
import { ControlError } from "../kernel/plain-errors.ts";
import { ask, askAll, firstOf, guarded, type Member } from "./member.ts";

export function suiteWebhookRoutes(control: Hono<KernelEnv>, members: readonly Member[]): void {
  const endpoints = "/_backlot/webhooks/endpoints";
  const deliveries = "/_backlot/webhooks/deliveries";
  const letters = "/_backlot/dead-letters";
  const all = async (method: string, path: string, body?: unknown) =>
    Object.fromEntries(await guarded(askAll<Record<string, unknown>>(members, method, path, body)));
  /** From the one member that knows the id. */
  const one = async (exchange: Exchange, kind: string, path: string, body?: unknown): Promise<unknown> => {
    const found = await guarded(firstOf(members, exchange.method, path, body));
    if (!found)
      throw new ControlError(404, `no_such_${kind}`, `There is no webhook ${kind} ${path.split("/").at(-1) ?? ""}.`);
    return found.answer;
  };

  // An endpoint registered here hears of all emulators: the same secret everywhere, so that it verifies all of them.
  control.post(endpoints, async (c) => {
    const input = readBody(c.env.exchange, EndpointInput);
    const first = members[0];
    if (!first) throw new ControlError(503, "no_services", "No emulator is running.");
    const added = await guarded(ask<Record<string, unknown> & { secret: string }>(first, "POST", endpoints, input));
    const rest = await guarded(
      askAll<Record<string, unknown>>(members.slice(1), "POST", endpoints, { ...input, secret: added.secret }),
    );
    return answerJson(c.env.exchange, 201, {
      url: input.url,
      events: input.events,
      secret: added.secret,
      services: { [first.name]: added, ...Object.fromEntries(rest) },
    });
  });
  control.get(endpoints, async (c) => answerJson(c.env.exchange, 200, { services: await all("GET", endpoints) }));
  control.get(`${endpoints}/:id`, async (c) =>
    answerJson(
      c.env.exchange,
      200,
      await one(c.env.exchange, "endpoint", `${endpoints}/${encodeURIComponent(c.req.param("id"))}`),
    ),
  );
  control.patch(`${endpoints}/:id`, async (c) => {
    const change = readBody(c.env.exchange, EndpointChange);
    const changed = await one(
      c.env.exchange,
      "endpoint",
      `${endpoints}/${encodeURIComponent(c.req.param("id"))}`,
      change,
    );
    return answerJson(c.env.exchange, 200, changed);
  });
  control.delete(`${endpoints}/:id`, async (c) => {
    await one(c.env.exchange, "endpoint", `${endpoints}/${encodeURIComponent(c.req.param("id"))}`);
    return answer(c.env.exchange, 204, null, {});
  });

  control.get(deliveries, async (c) =>
    answerJson(c.env.exchange, 200, { services: await all("GET", c.env.exchange.target) }),
  );
  control.get(`${deliveries}/:id`, async (c) =>
    answerJson(
      c.env.exchange,
      200,
      await one(c.env.exchange, "delivery", `${deliveries}/${encodeURIComponent(c.req.param("id"))}`),
    ),
  );
  control.get(`${deliveries}/:id/signatures`, async (c) => {
    const id = c.req.param("id");
    const found = await guarded(firstOf(members, "GET", `${deliveries}/${encodeURIComponent(id)}/signatures`));
    if (!found) throw new ControlError(404, "no_such_delivery", `There is no webhook delivery ${id}.`);
    return answerJson(c.env.exchange, 200, found.answer);
  });

  control.get(letters, async (c) =>
    answerJson(c.env.exchange, 200, { services: await all("GET", c.env.exchange.target) }),
  );
  control.get(`${letters}/export`, async (c) => {
    const lines = await guarded(askAll<string>(members, "GET", `${letters}/export`));
    return answer(c.env.exchange, 200, lines.map(([, text]) => text).join(""), {
      "content-type": "application/x-ndjson",
    });
  });
  control.post(`${letters}/replay`, async (c) => {
    const services = await all("POST", `${letters}/replay`, readBody(c.env.exchange, Selection));
    return answerJson(c.env.exchange, 202, { replayed: sum(services, "replayed"), services });
  });
  control.post(`${letters}/discard`, async (c) => {
    const services = await all("POST", `${letters}/discard`, readBody(c.env.exchange, DiscardInput));
    return answerJson(c.env.exchange, 200, { discarded: sum(services, "discarded"), services });
  });
}

function sum(services: Readonly<Record<string, Record<string, unknown>>>, name: string): number {
  return Object.values(services).reduce((total, counts) => total + Number(counts[name]), 0);
}
