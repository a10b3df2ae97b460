/** The Fault Injection Service: experiments on spot instances. */
import { createHash } from "node:crypto";
import type { Hono } from "hono";
import type * as z from "zod";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer, type Exchange } from "../../kernel/exchange.ts";
import type { Experiment, ExperimentTemplate } from "../domain/experiments.ts";
import type { Owner, Tag } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { callerOf, regionOf } from "../identity.ts";
import { begin, durationMs, halt, interruptAction } from "../life/experiments.ts";
import type { Seals } from "../seals.ts";
import type { SpotStore } from "../store.ts";
import { experimentJson, experimentSummaryJson, templateJson, templateSummaryJson } from "../wire/experiments.ts";
import { requestId } from "../wire/xml.ts";

interface Visit {
  readonly runtime: Runtime<SpotStore>;
  readonly exchange: Exchange;
  readonly owner: Owner;
  readonly id: string;
  readonly seals: Seals;
}
type Answer = Readonly<Record<string, unknown>>;
type Handler = (visit: Visit) => Answer | Promise<Answer>;

export function experimentRoutes(app: Hono<KernelEnv>, runtime: Runtime<SpotStore>, seals: Seals): void {
  const serve = (method: "GET" | "POST" | "DELETE", path: string, operation: string, status: number, handle: Handler) =>
    app.on(method, path, async (c) => {
      const { exchange } = c.env;
      exchange.note("operation", operation);
      const settings = runtime.state.settings();
      const door = { exchange, service: "fis", store: runtime.state, seals, wall: runtime.clock.wall() } as const;
      const caller = callerOf(door, settings);
      exchange.note("account", caller.account.id);
      const owner = { account: caller.account.id, region: regionOf(exchange, caller, settings).name };
      const body = await handle({ runtime, exchange, owner, id: c.req.param("id") ?? "", seals });
      return answer(exchange, status, JSON.stringify(body), {
        "content-type": "application/json",
        "x-amzn-requestid": requestId(exchange.id),
      });
    });
  serve("POST", "/experimentTemplates", "CreateExperimentTemplate", 200, createTemplate);
  serve("GET", "/experimentTemplates", "ListExperimentTemplates", 200, listTemplates);
  serve("GET", "/experimentTemplates/:id", "GetExperimentTemplate", 200, getTemplate);
  serve("DELETE", "/experimentTemplates/:id", "DeleteExperimentTemplate", 200, deleteTemplate);
  serve("POST", "/experiments", "StartExperiment", 200, startExperiment);
  serve("GET", "/experiments", "ListExperiments", 200, listExperiments);
  serve("GET", "/experiments/:id", "GetExperiment", 200, getExperiment);
  serve("DELETE", "/experiments/:id", "StopExperiment", 200, stopExperiment);
}

function parse<T>(schema: z.ZodType<T>, exchange: Exchange): T {
  let said: unknown;
  try {
    said = JSON.parse(exchange.body.toString("utf8"));
  } catch (cause) {
    return reject("jsonValidation", `The request body is not valid JSON: ${String(cause)}`);
  }
  const parsed = schema.safeParse(said);
  if (parsed.success) return parsed.data;
  return reject(
    "jsonValidation",
    parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
  );
}

function tagsFrom(tags: Readonly<Record<string, string>>): readonly Tag[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

function fingerprintOf(asked: object): string {
  return createHash("sha256").update(JSON.stringify(asked)).digest("hex");
}

/** Id of what a client token made before; with another request the token is refused. */
function knownTo(runtime: Runtime<SpotStore>, key: string, fingerprint: string): string | undefined {
  const known = runtime.state.resources.token(key);
  if (known && known.fingerprint !== fingerprint)
    reject("fisConflict", "The client token was used with another request before.");
  return known?.result;
}

const createTemplate: Handler = async ({ runtime, exchange, owner }) => {
  const { NewTemplate } = await import("./experiment-forms.ts");
  const { clientToken, tags, ...plan } = parse(NewTemplate, exchange);
  if (Object.keys(plan.actions).length === 0) reject("jsonValidation", "The template has no action.");
  for (const [name, action] of Object.entries(plan.actions)) {
    if (action.actionId !== interruptAction)
      reject(
        "jsonValidation",
        `Backlot carries out ${interruptAction} only, not ${action.actionId} of action ${name}.`,
      );
    const target = plan.targets[action.targets?.SpotInstances ?? ""];
    if (target?.resourceType !== "aws:ec2:spot-instance")
      reject("jsonValidation", `Action ${name} needs a target SpotInstances of type aws:ec2:spot-instance.`);
    const before = durationMs(action.parameters?.durationBeforeInterruption);
    if (before === undefined || before < 120_000 || before > 900_000)
      reject("jsonValidation", `Action ${name}: durationBeforeInterruption must be from PT2M to PT15M.`);
  }
  for (const [name, target] of Object.entries(plan.targets))
    if ((target.resourceArns === undefined) === (target.resourceTags === undefined))
      reject("jsonValidation", `Target ${name} needs either resourceArns or resourceTags.`);
  const key = `${owner.account}/${owner.region}/fis-template/${clientToken}`;
  const fingerprint = fingerprintOf({ tags, ...plan });
  const now = runtime.clock.now();
  const template = runtime.store.write((): ExperimentTemplate => {
    const known = knownTo(runtime, key, fingerprint);
    const first = known && runtime.state.resources.experimentTemplate.get(known);
    if (first) return first;
    const content = [owner.account, owner.region, plan.description, JSON.stringify(plan.actions)];
    const made: ExperimentTemplate = {
      id: `EXT${runtime.ids.derive("fis.template", content).text(15, idAlphabet)}`,
      ...owner,
      tags: tagsFrom(tags),
      plan,
      createdAt: now,
      updatedAt: now,
    };
    runtime.state.resources.experimentTemplate.put(made);
    if (known === undefined) runtime.state.resources.putToken(key, fingerprint, made.id);
    return made;
  });
  exchange.note("resource", template.id);
  return { experimentTemplate: templateJson(template) };
};

const idAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function templateOf({ runtime, owner }: Visit, id: string): ExperimentTemplate {
  return (
    runtime.state.resources.experimentTemplate.of(owner, id) ??
    reject("fisNotFound", `Experiment template ${id} does not exist.`)
  );
}

function experimentOf({ runtime, owner, id }: Visit): Experiment {
  return runtime.state.resources.experiment.of(owner, id) ?? reject("fisNotFound", `Experiment ${id} does not exist.`);
}

const getTemplate: Handler = (visit) => ({ experimentTemplate: templateJson(templateOf(visit, visit.id)) });

const deleteTemplate: Handler = (visit) => {
  const template = templateOf(visit, visit.id);
  visit.runtime.store.write(() => visit.runtime.state.resources.experimentTemplate.remove(template.id));
  return { experimentTemplate: templateJson(template) };
};

/** Pages by place: what the list API of this service is asked for is short. */
function pageOf<T>(
  { exchange, seals }: Visit,
  all: readonly T[],
): { readonly page: readonly T[]; readonly rest: { readonly nextToken?: string } } {
  const query = new URLSearchParams(exchange.target.split("?")[1] ?? "");
  const limit = Number(query.get("maxResults") ?? 100);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    reject("jsonValidation", "maxResults must be from 1 to 100.");
  const token = query.get("nextToken");
  const from = token ? Number(seals.open("fis", token) ?? reject("jsonValidation", "nextToken is not valid.")) : 0;
  const to = from + limit;
  return { page: all.slice(from, to), rest: to < all.length ? { nextToken: seals.seal("fis", String(to)) } : {} };
}

const listTemplates: Handler = (visit) => {
  const { page, rest } = pageOf(visit, visit.runtime.state.resources.experimentTemplate.list(visit.owner));
  return { experimentTemplates: page.map(templateSummaryJson), ...rest };
};

const listExperiments: Handler = (visit) => {
  const { page, rest } = pageOf(visit, visit.runtime.state.resources.experiment.list(visit.owner));
  return { experiments: page.map(experimentSummaryJson), ...rest };
};

const startExperiment: Handler = async (visit) => {
  const { NewExperiment } = await import("./experiment-forms.ts");
  const { runtime, exchange, owner } = visit;
  const { clientToken, experimentTemplateId, tags } = parse(NewExperiment, exchange);
  const template = templateOf(visit, experimentTemplateId);
  const key = `${owner.account}/${owner.region}/fis/${clientToken}`;
  const fingerprint = fingerprintOf({ tags, experimentTemplateId });
  const now = runtime.clock.now();
  const experiment = runtime.store.write((): Experiment => {
    const known = knownTo(runtime, key, fingerprint);
    const first = known && runtime.state.resources.experiment.get(known);
    if (first) return first;
    const made: Experiment = {
      id: `EXP${runtime.ids.derive("fis.experiment", [owner.account, owner.region, template.id]).text(15, idAlphabet)}`,
      ...owner,
      tags: tagsFrom(tags),
      template: template.id,
      plan: template.plan,
      status: "initiating",
      reason: "Experiment is initiating.",
      createdAt: now,
      startedAt: now,
      chosen: {},
    };
    runtime.state.resources.experiment.put(made);
    if (known === undefined) runtime.state.resources.putToken(key, fingerprint, made.id);
    begin(runtime, made);
    // The answer is what it was before it began, as with AWS; what became of it is read.
    return made;
  });
  exchange.note("resource", experiment.id);
  return { experiment: experimentJson(experiment) };
};

const getExperiment: Handler = (visit) => ({ experiment: experimentJson(experimentOf(visit)) });

const stopExperiment: Handler = (visit) => {
  const experiment = experimentOf(visit);
  if (experiment.status !== "running" && experiment.status !== "initiating")
    reject("fisConflict", `Experiment ${experiment.id} is ${experiment.status} and cannot be stopped.`);
  const { runtime } = visit;
  const stopped = runtime.store.write(() => halt(runtime, experiment, runtime.clock.now()));
  return { experiment: experimentJson(stopped) };
};
