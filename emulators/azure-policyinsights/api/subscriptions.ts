/** Subscriptions, tenants and resource groups. */
import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import { reject } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { renderResourceGroup, renderSubscription, renderTenant } from "../wire/directory.ts";
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
  app.get("/subscriptions/:subscription/resourcegroups", (c) => {
    const code = subscriptionOf(readRequest(c.env.exchange, runtime, armVersions), state);
    const { estate } = state.readings();
    const subscription = estate.subscriptions[code];
    const groups = estate.groups.slice(subscription?.groups.first, subscription?.groups.end);
    return answerArm(c.env.exchange, {
      value: groups.map((group) => renderResourceGroup(group, subscription?.id ?? "")),
    });
  });
  app.get("/subscriptions/:subscription/resourcegroups/:group", (c) => {
    const request = readRequest(c.env.exchange, runtime, armVersions);
    const code = subscriptionOf(request, state);
    const { estate } = state.readings();
    const name = request.segments[3] ?? "";
    const group = estate.groups.find((each) => each.subscription === code && each.name === name.toLowerCase());
    if (!group) return reject("ResourceGroupNotFound", name);
    return answerArm(c.env.exchange, renderResourceGroup(group, estate.subscriptions[code]?.id ?? ""));
  });
}
