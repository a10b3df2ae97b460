/** Control routes under /_backlot/ec2-spot: instances with their metadata ports, spot requests, interruptions on order. */
import { Hono } from "hono";
import * as z from "zod";
import { isoSeconds } from "../../kernel/clock.ts";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerJson, type Exchange } from "../../kernel/exchange.ts";
import { noticeMs } from "../life/delays.ts";
import { notify, orderLater, recommend } from "../life/interruption.ts";
import type { SpotStore } from "../store.ts";
import { marketRoutes } from "./market-control.ts";

const Interrupt = z.strictObject({
  instance: z.string().regex(/^i-[0-9a-f]{17}$/, "an instance id"),
  /** Seconds from now to the notice. */
  delaySeconds: z.number().min(0).max(86_400).default(0),
  /** Seconds from the notice to the end. */
  noticeSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(noticeMs / 1000),
  cause: z.enum(["capacity", "price"]).default("capacity"),
  /** Whether a rebalance recommendation comes at once. `only`: and nothing else. */
  rebalance: z.union([z.boolean(), z.literal("only")]).default(true),
});

export function controlRoutes(runtime: Runtime<SpotStore>): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  app.get("/instances", (c) => listInstances(runtime, c.env.exchange));
  app.get("/requests", (c) => listRequests(runtime, c.env.exchange));
  app.post("/interrupt", (c) => interrupt(runtime, c.env.exchange));
  marketRoutes(app, runtime);
  return app;
}

function listInstances(runtime: Runtime<SpotStore>, exchange: Exchange): Response {
  const { resources, metadataPorts } = runtime.state;
  const instances = resources.instance.everywhere().map((instance) => ({
    id: instance.id,
    account: instance.account,
    region: instance.region,
    zoneId: instance.zone,
    type: instance.plan.type,
    state: instance.state,
    lifecycle: instance.spotRequest === undefined ? "on-demand" : "spot",
    spotRequest: instance.spotRequest ?? null,
    metadataPort: metadataPorts.portOf(instance.id) ?? null,
    tags: instance.tags,
    launchedAt: isoSeconds(instance.launchedAt),
    endedAt: instance.endedAt === undefined ? null : isoSeconds(instance.endedAt),
    rebalanceAt: instance.rebalanceAt === undefined ? null : isoSeconds(instance.rebalanceAt),
    interruption: instance.interruption
      ? {
          action: instance.interruption.action,
          noticeAt: isoSeconds(instance.interruption.noticeAt),
          at: isoSeconds(instance.interruption.at),
          by: instance.interruption.by,
        }
      : null,
  }));
  return answerJson(exchange, 200, { instances });
}

function listRequests(runtime: Runtime<SpotStore>, exchange: Exchange): Response {
  const requests = runtime.state.resources.request.everywhere().map((request) => ({
    id: request.id,
    account: request.account,
    region: request.region,
    type: request.type,
    instanceType: request.plan.type,
    state: request.state,
    code: request.code,
    message: request.message,
    behavior: request.behavior,
    maxPrice: request.mostTicks / 10_000,
    instance: request.instance ?? null,
    fleet: request.fleet ?? null,
    tags: request.tags,
    createdAt: isoSeconds(request.createdAt),
    updatedAt: isoSeconds(request.updatedAt),
    endedAt: request.endedAt === undefined ? null : isoSeconds(request.endedAt),
  }));
  return answerJson(exchange, 200, { requests });
}

function interrupt(runtime: Runtime<SpotStore>, exchange: Exchange): Response {
  const parsed = Interrupt.safeParse(bodyOf(exchange));
  if (!parsed.success)
    return answerJson(exchange, 400, {
      error: "invalid_request",
      message: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    });
  const { instance: id, delaySeconds, noticeSeconds, cause, rebalance } = parsed.data;
  const instance = runtime.state.resources.instance.get(id);
  if (!instance) return answerJson(exchange, 404, { error: "not_found", message: `${id} does not exist.` });
  const alive = instance.state === "running" || instance.state === "pending";
  if (instance.spotRequest === undefined || !alive || instance.interruption)
    return answerJson(exchange, 409, {
      error: "conflict",
      message: `${id} cannot be interrupted: ${
        instance.spotRequest === undefined
          ? "it is no spot instance"
          : instance.interruption
            ? `it has its notice already, for ${isoSeconds(instance.interruption.at)}`
            : `it is ${instance.state}`
      }.`,
    });
  const now = runtime.clock.now();
  const noticeAt = now + delaySeconds * 1000;
  const order = { cause, deadline: noticeAt + noticeSeconds * 1000, by: "control" } as const;
  runtime.store.write(() => {
    const told = rebalance === false ? instance : recommend(runtime, instance, now);
    if (rebalance === "only") return;
    if (delaySeconds > 0) orderLater(runtime, id, order, noticeAt);
    else notify(runtime, told, order, now);
  });
  return answerJson(exchange, 202, {
    instance: id,
    noticeAt: rebalance === "only" ? null : isoSeconds(noticeAt),
    deadline: rebalance === "only" ? null : isoSeconds(order.deadline),
  });
}

function bodyOf(exchange: Exchange): unknown {
  try {
    return JSON.parse(exchange.body.toString("utf8") || "{}");
  } catch {
    // Not JSON: the schema says what was expected.
    return undefined;
  }
}
