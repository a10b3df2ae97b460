/** Subscriptions and tenants. */
import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import type { AzureState } from "../store.ts";
import { renderSubscription, renderTenant } from "../wire/directory.ts";
import { armVersions, readRequest, subscriptionOf } from "./request.ts";

export function subscriptions(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  const { state } = runtime;
  app.get("/tenants", (c) => {
    readRequest(c.env.exchange, runtime, armVersions);
    return answerArm(c.env.exchange, { value: [renderTenant(state.tenant())] });
  });
  app.get("/subscriptions", (c) => {
    const { role } = readRequest(c.env.exchange, runtime, armVersions);
    const { tenantId } = state.tenant();
    const seen = role === "None" ? [] : state.subscriptions();
    const value = seen.map((subscription) => renderSubscription(subscription, tenantId));
    return answerArm(c.env.exchange, { value, count: { type: "Total", value: value.length } });
  });
  app.get("/subscriptions/:subscription", (c) => {
    const code = subscriptionOf(readRequest(c.env.exchange, runtime, armVersions), state);
    const found = state.subscriptions()[code] ?? { id: "", name: "" };
    return answerArm(c.env.exchange, renderSubscription(found, state.tenant().tenantId));
  });
}
