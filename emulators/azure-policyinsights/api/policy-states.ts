/** `policyStates`: pages of states and their summary, at every scope that queries have. */
import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import type { Estate } from "../domain/estate.ts";
import { summarize } from "../domain/summary.ts";
import { readTop } from "../odata/options.ts";
import type { AzureState } from "../store.ts";
import { type SummaryWriter, summaryWriter } from "../wire/summary.ts";
import { expansionOf } from "./expand.ts";
import { addressOf, answerPage, answerWritten, keptWriters, planQuery, refuseGet } from "./query.ts";
import { policyStateVersions, readRequest } from "./request.ts";
import { everyScope, scopePaths } from "./scopes.ts";

const provider = "providers/microsoft.policyinsights/policystates";

export function policyStates(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  const writers = keptWriters();
  const summaries = new WeakMap<Estate, SummaryWriter>();
  const { state } = runtime;
  for (const scope of scopePaths(...everyScope)) {
    for (const set of ["latest", "default"] as const)
      app.on(["GET", "POST"], `${scope.path}/${provider}/${set}/queryresults`, (c) => {
        const { exchange } = c.env;
        const request = readRequest(exchange, runtime, policyStateVersions);
        refuseGet(exchange, request, state.strict(), "Microsoft.PolicyInsights/policyStates/queryResults");
        const plan = planQuery(request, runtime, scope, { kind: "states", set });
        const extra = expansionOf(plan, state);
        return answerPage(
          exchange,
          request,
          plan,
          { kind: "states", collection: "policyStates", set },
          { writers, extra },
        );
      });
    app.post(`${scope.path}/${provider}/latest/summarize`, (c) => {
      const { exchange } = c.env;
      const request = readRequest(exchange, runtime, policyStateVersions);
      const plan = planQuery(request, runtime, scope, { kind: "states", set: "latest" });
      const { filter, token, question, readings } = plan;
      exchange.note("operation", "policyStates.summarize");
      const address = addressOf(exchange, plan.place, "policyStates");
      const write = summaries.get(readings.estate) ?? summaryWriter(readings.estate);
      summaries.set(readings.estate, write);
      const summary = summarize(readings, question);
      const about = {
        context: `${address}/$metadata#summary`,
        queryResults: `${address}/latest/queryResults`,
        apiVersion: request.apiVersion,
        window: token,
        filter,
      };
      const most = state.strict() ? undefined : readTop(request.query);
      return answerWritten(exchange, writers.memory, (out) => write(out, summary, about, most));
    });
  }
}
