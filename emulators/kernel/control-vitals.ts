/** Signs of life: what orchestrators ask while an emulator starts. The rest of the control API is loaded when it is asked for. */
import { Hono } from "hono";
import type { Emulator, KernelEnv, Runtime } from "./emulator.ts";
import { answerJson, type Exchange } from "./exchange.ts";
import type { CheckHistory, CheckResult, Checks } from "./health.ts";
import { refusal } from "./mode.ts";

export function vitalRoutes<State, Seed>(
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
  checks: Checks,
): Hono<KernelEnv> {
  const vitals = new Hono<KernelEnv>();
  const { clock, mode } = runtime;
  // Tells a process from its successor on the same port: whoever leads it must lead the new one from the start.
  const instance = `${process.pid}-${clock.wall()}`;
  const health = async (c: { env: { exchange: Exchange } }) =>
    answerJson(c.env.exchange, 200, await healthOf(emulator, runtime, checks));
  for (const path of ["/health", "/api/v1/health", "/_backlot/health"]) vitals.get(path, health);
  vitals.get("/_backlot/live", (c) => answerJson(c.env.exchange, 200, { status: "alive" }));
  vitals.get("/_backlot/ready", (c) =>
    answerJson(c.env.exchange, 200, { status: "ready", mode: mode.current, instance }),
  );
  return vitals;
}

export interface Health {
  readonly status: "healthy" | "degraded" | "unhealthy";
  readonly mode: string;
  readonly checks: Readonly<
    Record<string, Pick<CheckResult, "status" | "latency_ms" | "error" | "hint"> & Partial<CheckHistory>>
  >;
  readonly configuration_hints: readonly string[];
}

async function healthOf<State, Seed>(
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
  checks: Checks,
): Promise<Health> {
  const results: Record<string, Health["checks"][string]> = { ...(await checks.run()) };
  const askedBy = runtime.mode.askedBy;
  if (askedBy !== undefined) {
    const refused = refusal(emulator.real, askedBy, process.env);
    results[emulator.name] = { status: "unhealthy", latency_ms: 0, error: refused.message, hint: refused.hint };
  }
  const sick = Object.values(results).some((check) => check.status === "unhealthy");
  return {
    status: askedBy !== undefined ? "degraded" : sick ? "unhealthy" : "healthy",
    mode: runtime.mode.current,
    checks: results,
    configuration_hints: [...new Set(Object.values(results).flatMap(({ hint }) => (hint === undefined ? [] : [hint])))],
  };
}
