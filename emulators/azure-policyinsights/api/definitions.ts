/** Policy definitions and initiatives: what is built in and what clients write. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import { list, member, text } from "../domain/json.ts";
import { reject } from "../errors.ts";
import { readListFilter } from "../odata/list-filter.ts";
import { readTop } from "../odata/options.ts";
import type { AzureState } from "../store.ts";
import { bodyOf } from "./body.ts";
import {
  asked,
  type CatalogueKind,
  catalogueAt,
  checked,
  collections,
  provider,
  putInCatalogue,
  reassign,
  scopeOf,
} from "./catalogue.ts";
import { authorOf } from "./request.ts";
import { idOf } from "./scopes.ts";

const subscription = "/subscriptions/:subscription";
const managementGroup = "/providers/microsoft.management/managementgroups/:managementGroup";

export function definitions(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  for (const kind of ["definition", "set"] as const) {
    const { path } = collections[kind];
    for (const scope of ["", subscription, managementGroup]) {
      app.get(`${scope}/${provider}/${path}`, (c) => listCatalogue(c, runtime, kind));
      app.get(`${scope}/${provider}/${path}/:name`, (c) => readCatalogue(c, runtime, kind));
      if (scope === "") continue;
      app.put(`${scope}/${provider}/${path}/:name`, (c) => writeCatalogue(c, runtime, kind));
      app.delete(`${scope}/${provider}/${path}/:name`, (c) => removeCatalogue(c, runtime, kind));
    }
  }
}

function listCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const request = asked(c, runtime);
  const filter = readListFilter(request.query, { functions: ["atExactScope"], names: ["policyType", "category"] });
  const [type, category] = [filter.valueOf("policyType"), filter.valueOf("category")];
  const value = catalogueAt(runtime.state, kind, scopeOf(request.segments, 3)).flatMap(({ body, custom }) => {
    const properties = member(body, "properties");
    const wanted =
      (type === undefined || text(properties, "policyType").toLowerCase() === type) &&
      (category === undefined || text(member(properties, "metadata"), "category").toLowerCase() === category) &&
      (custom || !filter.calls("atExactScope"));
    return wanted ? [body] : [];
  });
  return answerArm(c.env.exchange, { value: value.slice(0, readTop(request.query)) });
}

function readCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const request = asked(c, runtime);
  const scope = scopeOf(request.segments, 4);
  const id = idOf(request.segments).toLowerCase();
  const found = catalogueAt(runtime.state, kind, scope).find((each) => each.id === id);
  if (!found) return reject(collections[kind].missing, request.segments.at(-1) ?? "");
  return answerArm(c.env.exchange, found.body);
}

function writeCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const { exchange } = c.env;
  const request = asked(c, runtime);
  const name = request.segments.at(-1) ?? "";
  const id = `${scopeOf(request.segments, 4)}/providers/Microsoft.Authorization/${collections[kind].name}/${name}`;
  const given = checked(runtime, kind, id, bodyOf(exchange).properties);
  const known = runtime.state.documents.find(kind, id)?.body;
  runtime.store.write(() => putInCatalogue(runtime, kind, id, given, authorOf(exchange)));
  const made = catalogueAt(runtime.state, kind, scopeOf(request.segments, 4)).find(
    (each) => each.id === id.toLowerCase(),
  );
  const isNew = known === undefined || known === null;
  // A definition that was there answers 201 too: the specification has no 200 for it, and clients refuse one.
  return answerArm(exchange, made?.body, isNew || kind === "definition" ? 201 : 200);
}

function removeCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const { exchange } = c.env;
  const request = asked(c, runtime);
  const id = idOf(request.segments).toLowerCase();
  const { documents } = runtime.state;
  const known = documents.find(kind, id)?.body;
  if (known === undefined || known === null) return answerArm(exchange, undefined, 204);
  refuseInUse(runtime.state, kind, id, request.segments.at(-1) ?? "");
  const gone = { body: null, made: true, at: runtime.clock.now() };
  runtime.store.write(() =>
    reassign(runtime, () => {
      documents.put(kind, { id, ...gone });
      for (const version of documents.list(collections[kind].versions))
        if (version.body !== null && version.id.startsWith(`${id}/versions/`))
          documents.put(collections[kind].versions, { id: version.id, ...gone });
    }),
  );
  return answerArm(exchange, JSON.parse(known));
}

/** @throws ArmError 400 when an assignment or an initiative refers to it */
function refuseInUse({ documents }: AzureState, kind: CatalogueKind, id: string, name: string): void {
  const refusal =
    kind === "definition" ? "InvalidDeletePolicyDefinitionRequest" : "InvalidDeletePolicySetDefinitionRequest";
  for (const assignment of documents.list("assignment")) {
    const properties = member(assignment.body === null ? null : JSON.parse(assignment.body), "properties");
    if (text(properties, "policyDefinitionId").toLowerCase() === id)
      reject(refusal, name, "policy assignment", assignment.id);
  }
  for (const set of kind === "definition" ? documents.list("set") : []) {
    const properties = member(set.body === null ? null : JSON.parse(set.body), "properties");
    if (
      list(member(properties, "policyDefinitions")).some(
        (each) => text(each, "policyDefinitionId").toLowerCase() === id,
      )
    )
      reject(refusal, name, "policy set definition", set.id);
  }
}
