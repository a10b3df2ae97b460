/** `triggerEvaluation`: a long-running operation that evaluates every row of a subscription or resource group again. */
import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer } from "../../kernel/exchange.ts";
import type { Timer } from "../../kernel/timers.ts";
import { answerArm, armHeaders } from "../arm.ts";
import { reject } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { evaluateRows } from "./evaluating.ts";
import { armVersions, policyStateVersions, readRequest, subscriptionOf } from "./request.ts";
import { idOf, placeOf, rowsOf, scopePaths } from "./scopes.ts";

/** Real scans take minutes; nobody waits for those in a test. */
const scanMs = 10_000;
export const evaluationTimer = "azure.evaluation";

interface Job {
  readonly segments: readonly string[];
  readonly done: boolean;
}

export function evaluationJobs(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  const { state, store, clock, ids, timers } = runtime;
  for (const scope of scopePaths("subscription", "group"))
    app.post(`${scope.path}/providers/microsoft.policyinsights/policystates/latest/triggerevaluation`, (c) => {
      const { exchange } = c.env;
      const request = readRequest(exchange, runtime, policyStateVersions);
      const place = placeOf(request, state, scope, 5);
      exchange.note("operation", "policyStates.triggerEvaluation");
      // One scan a scope at a time: a second trigger meanwhile is told of the first.
      const scopeId = idOf(place.segments).toLowerCase();
      const running = timers.get(evaluationTimer, scopeId);
      const subject = String(running?.data ?? "") || jobId(ids.derive("azure.evaluation", [scopeId]).hex(24));
      if (!running)
        store.write(() => {
          const job: Job = { segments: place.segments, done: false };
          state.documents.put("evaluationJob", {
            id: subject.toLowerCase(),
            body: JSON.stringify(job),
            made: true,
            at: clock.now(),
          });
          const due = (clock.now() + clock.paced(scanMs)) as ReturnType<typeof clock.now>;
          timers.schedule({ kind: evaluationTimer, subject: scopeId, due, data: subject });
        });
      return answer(exchange, 202, null, {
        ...armHeaders(exchange),
        ...waiting(state),
        "x-ms-ratelimit-remaining-subscription-resource-requests": "9",
        location: `${exchange.base}/subscriptions/${request.segments[1]}/providers/Microsoft.PolicyInsights/asyncOperationResults/${subject}?api-version=${request.apiVersion}`,
      });
    });
  app.get("/subscriptions/:subscription/providers/microsoft.policyinsights/asyncoperationresults/:id", (c) => {
    const { exchange } = c.env;
    const request = readRequest(exchange, runtime, armVersions);
    subscriptionOf(request, state);
    const id = request.segments.at(-1) ?? "";
    const body = state.documents.find("evaluationJob", id)?.body;
    if (body === undefined || body === null) return reject("ResourceNotFound", id);
    if ((JSON.parse(body) as Job).done) return answerArm(exchange, { status: "Succeeded" });
    return answer(exchange, 202, null, {
      ...armHeaders(exchange),
      ...waiting(state),
      location: `${exchange.base}${exchange.target}`,
    });
  });
}

/** As in Azure: base64 of a small document that names the job. */
function jobId(hex: string): string {
  return Buffer.from(JSON.stringify({ id: `PSRAJob:${hex.toUpperCase()}.1.0` })).toString("base64url");
}

/** Azure says nothing about when to ask again; then the Python client waits for half a minute. */
function waiting(state: AzureState): Record<string, string> {
  return state.strict() ? {} : { "retry-after": "1" };
}

/** The scan itself. Runs inside one write. */
export function finishEvaluation(runtime: Runtime<AzureState>, { subject, data, due }: Timer): void {
  const { state } = runtime;
  const id = String(data ?? "").toLowerCase();
  const body = state.documents.find("evaluationJob", id)?.body;
  if (body === undefined || body === null) return;
  const job = JSON.parse(body) as Job;
  state.documents.put("evaluationJob", { id, body: JSON.stringify({ ...job, done: true }), made: true, at: due });
  const readings = state.readings();
  const [, , subscriptionId, , group] = subject.split("/");
  const subscription = readings.estate.subscriptions.findIndex((each) => each.id === subscriptionId);
  const name = group === undefined ? ({ tag: "subscription" } as const) : ({ tag: "group", name: group } as const);
  const rows: number[] = [];
  for (const { first, end } of rowsOf(readings, { segments: job.segments, name, subscription }, false).ranges)
    for (let row = first; row < end; row += 1) rows.push(row);
  evaluateRows(runtime, rows, true);
}
