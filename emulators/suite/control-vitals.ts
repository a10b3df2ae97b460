/** Signs of life of the suite: what orchestrators ask while it starts. */
import { Hono } from "hono";
import { stopwatch } from "../kernel/clock.ts";
import type { Health } from "../kernel/control-vitals.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { answerJson } from "../kernel/exchange.ts";
import { ask, askAll, guarded, type Member } from "./member.ts";
import type { SuiteObservation } from "./observation.ts";
import type { HealthView } from "./shown-services.ts";

export function suiteVitals(members: readonly Member[], observation: SuiteObservation): Hono<KernelEnv> {
  const vitals = new Hono<KernelEnv>();
  for (const path of ["/health", "/api/v1/health", "/_backlot/health"])
    vitals.get(path, async (c) => answerJson(c.env.exchange, 200, await health(members, observation)));
  vitals.get("/_backlot/live", (c) => answerJson(c.env.exchange, 200, { status: "alive" }));
  vitals.get("/_backlot/ready", async (c) =>
    answerJson(c.env.exchange, 200, {
      status: "ready",
      services: Object.fromEntries(await guarded(askAll(members, "GET", "/_backlot/ready"))),
    }),
  );
  return vitals;
}

async function health(members: readonly Member[], observation: SuiteObservation): Promise<HealthView> {
  const views = await Promise.all(
    members.map(async (member) => {
      const elapsed = stopwatch();
      try {
        const view = await ask<Health>(member, "GET", "/_backlot/health");
        return [
          member.name,
          {
            status: view.status,
            latency_ms: Math.round(elapsed() * 1000) / 1000,
            ...firstProblem(view),
            ...observation.record(member.name, view.status !== "unhealthy", elapsed()),
            checks: view.checks,
          },
          view.configuration_hints,
          view.mode,
        ] as const;
      } catch (cause) {
        const error = cause instanceof Error ? cause.message : String(cause);
        return [
          member.name,
          {
            status: "unhealthy",
            latency_ms: Math.round(elapsed() * 1000) / 1000,
            error,
            hint: `See whether ${member.title} is running.`,
            ...observation.record(member.name, false, elapsed()),
          },
          [],
          "mock",
        ] as const;
      }
    }),
  );
  const worst =
    ["unhealthy", "degraded"].find((status) => views.some(([, view]) => view.status === status)) ?? "healthy";
  return {
    status: worst,
    mode: views.some(([, , , mode]) => mode === "real") ? "real" : "mock",
    checks: Object.fromEntries(views.map(([name, view]) => [name, view])),
    configuration_hints: [...new Set(views.flatMap(([, , hints]) => hints))],
  };
}

function firstProblem(view: Health): { error?: string; hint?: string } {
  const sick = Object.values(view.checks).find((check) => check.status === "unhealthy");
  return {
    ...(sick?.error === undefined ? {} : { error: sick.error }),
    ...(sick?.hint === undefined ? {} : { hint: sick.hint }),
  };
}
