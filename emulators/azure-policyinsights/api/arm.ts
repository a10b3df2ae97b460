/** Everything that clients ask of Azure Resource Manager and Entra ID, as one application. */
import { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import type { AzureState } from "../store.ts";
import { assignments } from "./assignments.ts";
import { attestations } from "./attestations.ts";
import { costs } from "./costs.ts";
import { definitionVersions } from "./definition-versions.ts";
import { definitions } from "./definitions.ts";
import { evaluationJobs } from "./evaluation-jobs.ts";
import { eventGrid } from "./event-grid.ts";
import { exemptions } from "./exemptions.ts";
import { insights } from "./insights.ts";
import { managedIdentity } from "./managed-identity.ts";
import { policyEvents } from "./policy-events.ts";
import { policyStates } from "./policy-states.ts";
import { providers } from "./providers.ts";
import { remediations } from "./remediations.ts";
import { resourceGraph } from "./resource-graph.ts";
import { resourceGroups } from "./resource-groups.ts";
import { resources, singleResources } from "./resources.ts";
import { signIn } from "./sign-in.ts";
import { subscriptions } from "./subscriptions.ts";

export function arm(runtime: Runtime<AzureState>): Hono<KernelEnv> {
  // Azure's paths are case-insensitive; handlers take names from the target as it came.
  const app = new Hono<KernelEnv>({ getPath: routedPath });
  signIn(app, runtime);
  managedIdentity(app, runtime);
  subscriptions(app, runtime);
  resourceGroups(app, runtime);
  resources(app, runtime);
  definitions(app, runtime);
  definitionVersions(app, runtime);
  assignments(app, runtime);
  exemptions(app, runtime);
  insights(app, runtime);
  evaluationJobs(app, runtime);
  remediations(app, runtime);
  attestations(app, runtime);
  policyStates(app, runtime);
  policyEvents(app, runtime);
  providers(app, runtime);
  eventGrid(app, runtime);
  costs(app, runtime);
  resourceGraph(app, runtime);
  singleResources(app, runtime);
  return app;
}

/** Lower-cased, without a slash at the end, and one where clients that were given a scope with its slash send two. */
function routedPath(request: Request): string {
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const mark = url.indexOf("?", start);
  const asked = url.slice(start, mark < 0 ? undefined : mark).toLowerCase();
  const path = asked.includes("//") ? asked.replaceAll(/\/{2,}/g, "/") : asked;
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
