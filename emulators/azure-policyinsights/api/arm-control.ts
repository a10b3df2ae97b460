/**
 * `/_backlot/azure-policyinsights/arm/...`: Azure Resource Manager for whoever steers the emulator and has no token of
 * Entra's. The answer is what a client gets that asks the same path as the seeded application.
 */
import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answeredElsewhere, type Exchange, retargeted } from "../../kernel/exchange.ts";
import { passThrough } from "../../kernel/routing.ts";
import { errors } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { arm } from "./arm.ts";
import { ownToken } from "./sign-in.ts";

const base = "/_backlot/azure-policyinsights/arm";

export function armRoutes(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  const manager = arm(runtime);
  manager.onError((cause, c) => {
    const answered = errors.thrown(c.env.exchange, cause);
    if (answered) return answered;
    throw cause;
  });
  manager.notFound((c) => errors.notFound(c.env.exchange));
  for (const method of ["get", "post", "put", "patch", "delete"] as const)
    app[method]("/arm/*", async (c) => {
      const { exchange } = c.env;
      const inner = asApplication(exchange, await ownToken(runtime, exchange));
      await passThrough(manager, inner);
      exchange.answered = inner.answered;
      return answeredElsewhere;
    });
}

function asApplication(exchange: Exchange, token: string): Exchange {
  return retargeted(exchange, {
    target: exchange.target.slice(base.length),
    header: (name) => (name === "authorization" ? `Bearer ${token}` : exchange.header(name)),
  });
}
