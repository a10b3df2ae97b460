/** `policyEvents`: what changed, at every scope that queries have. */
import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import type { AzureState } from "../store.ts";
import { answerPage, keptWriters, planQuery, refuseGet } from "./query.ts";
import { policyEventVersions, readRequest } from "./request.ts";
import { everyScope, scopePaths } from "./scopes.ts";

export function policyEvents(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  const writers = keptWriters();
  for (const scope of scopePaths(...everyScope))
    app.on(
      ["GET", "POST"],
      `${scope.path}/providers/microsoft.policyinsights/policyevents/default/queryresults`,
      (c) => {
        const { exchange } = c.env;
        const request = readRequest(exchange, runtime, policyEventVersions);
        refuseGet(exchange, request, runtime.state.strict(), "Microsoft.PolicyInsights/policyEvents/queryResults");
        const plan = planQuery(request, runtime, scope, { kind: "events", set: "default" });
        return answerPage(
          exchange,
          request,
          plan,
          { kind: "events", collection: "policyEvents", set: "default" },
          { writers },
        );
      },
    );
}
