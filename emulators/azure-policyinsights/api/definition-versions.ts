/** Versions of definitions and initiatives. The newest is the definition itself; clients keep others beside it. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import { type Json, member, record, text } from "../domain/json.ts";
import { compareVersions, versionIn } from "../domain/versions.ts";
import { reject } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { bodyOf } from "./body.ts";
import {
  asked,
  type CatalogueKind,
  catalogueAt,
  checked,
  collections,
  type Entry,
  provider,
  putInCatalogue,
  reassign,
  scopeOf,
  type Version,
  versionsOf,
} from "./catalogue.ts";
import { authorOf } from "./request.ts";
import { idOf } from "./scopes.ts";

const scopes = [
  "",
  "/subscriptions/:subscription",
  "/providers/microsoft.management/managementgroups/:managementGroup",
];

export function definitionVersions(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  for (const kind of ["definition", "set"] as const)
    for (const scope of scopes) {
      const { path } = collections[kind];
      const versions = `${scope}/${provider}/${path}/:name/versions`;
      app.post(`${scope}/${provider}/list${path.slice(0, -1)}versions`, (c) => listAll(c, runtime, kind));
      app.get(versions, (c) => list(c, runtime, kind));
      app.get(`${versions}/:version`, (c) => read(c, runtime, kind));
      if (scope === "") continue;
      app.put(`${versions}/:version`, (c) => write(c, runtime, kind));
      app.delete(`${versions}/:version`, (c) => remove(c, runtime, kind));
    }
}

function render(kind: CatalogueKind, { body }: Entry, { version, properties }: Version) {
  const { versions: _, ...own } = record(properties);
  return {
    properties: { ...own, version },
    id: `${text(body, "id")}/versions/${version}`,
    type: `Microsoft.Authorization/${collections[kind].name}/versions`,
    name: version,
  };
}

function listAll(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const { state } = runtime;
  const request = asked(c, runtime);
  const value = catalogueAt(state, kind, scopeOf(request.segments, 3)).flatMap((entry) =>
    versionsOf(state, kind, entry).map((version) => render(kind, entry, version)),
  );
  return answerArm(c.env.exchange, { value });
}

/** The definition that a path of `tail` segments after its id is about. @throws ArmError 404 */
function entryOf(
  state: AzureState,
  kind: CatalogueKind,
  segments: readonly string[],
  { tail, custom }: { readonly tail: number; readonly custom: boolean },
): Entry {
  const own = segments.slice(0, -tail);
  const id = idOf(own).toLowerCase();
  const found = catalogueAt(state, kind, scopeOf(own, 4)).find((each) => each.id === id && (!custom || each.custom));
  return found ?? reject(collections[kind].missing, own.at(-1) ?? "");
}

function list(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const { state } = runtime;
  const request = asked(c, runtime);
  const entry = entryOf(state, kind, request.segments, { tail: 1, custom: false });
  const top = Number(request.query.get("$top") ?? Number.POSITIVE_INFINITY);
  const value = versionsOf(state, kind, entry).map((version) => render(kind, entry, version));
  return answerArm(c.env.exchange, { value: value.slice(0, Number.isNaN(top) ? undefined : top) });
}

function read(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const { state } = runtime;
  const { segments } = asked(c, runtime);
  const entry = entryOf(state, kind, segments, { tail: 2, custom: false });
  const wanted = segments.at(-1) ?? "";
  const found = versionsOf(state, kind, entry).find(({ version }) => version === wanted);
  if (!found) return reject("PolicyDefinitionVersionNotFound", text(entry.body, "name"), wanted);
  return answerArm(c.env.exchange, render(kind, entry, found));
}

/** A version above all others becomes the definition: what is assigned is evaluated by it. */
function write(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const { state, store, clock } = runtime;
  const { segments } = asked(c, runtime);
  const entry = entryOf(state, kind, segments, { tail: 2, custom: true });
  const version = segments.at(-1) ?? "";
  if (!/^\d{1,6}\.\d{1,6}\.\d{1,6}(-[a-z]+)?$/.test(version))
    return reject("InvalidRequestContent", `'${version}' is not a version such as 1.2.1`);
  const properties = { ...checked(runtime, kind, text(entry.body, "id"), bodyOf(c.env.exchange).properties), version };
  const known = versionsOf(state, kind, entry);
  store.write(() => {
    if (compareVersions(version, versionIn(member(entry.body, "properties"))) >= 0)
      putInCatalogue(runtime, kind, text(entry.body, "id"), properties, authorOf(c.env.exchange));
    else
      reassign(runtime, () =>
        state.documents.put(collections[kind].versions, {
          id: `${entry.id}/versions/${version}`,
          body: JSON.stringify({
            mode: kind === "definition" ? "All" : undefined,
            ...properties,
            policyType: "Custom",
          }),
          made: true,
          at: clock.now(),
        }),
      );
  });
  const after = entryOf(state, kind, segments, { tail: 2, custom: true });
  const made = versionsOf(state, kind, after).find((each) => each.version === version);
  const isNew = !known.some((each) => each.version === version);
  return answerArm(c.env.exchange, made && render(kind, after, made), isNew ? 201 : 200);
}

/** Without its newest version a definition is what the next one says; its only version goes with the definition. */
function remove(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const { state, store, clock } = runtime;
  const { segments } = asked(c, runtime);
  const entry = entryOf(state, kind, segments, { tail: 2, custom: true });
  const wanted = segments.at(-1) ?? "";
  const known = versionsOf(state, kind, entry);
  const found = known.find(({ version }) => version === wanted);
  if (!found) return answerArm(c.env.exchange, undefined, 204);
  const [newest, next] = known;
  if (!next) return reject("InvalidRequestContent", `'${wanted}' is the only version of '${text(entry.body, "name")}'`);
  const gone: { body: null; made: true; at: number } = { body: null, made: true, at: clock.now() };
  store.write(() => {
    if (found === newest)
      putInCatalogue(
        runtime,
        kind,
        text(entry.body, "id"),
        record({ ...record(next.properties), version: next.version } as Json),
        authorOf(c.env.exchange),
      );
    reassign(runtime, () => {
      for (const version of found === newest ? [wanted, next.version] : [wanted])
        state.documents.put(collections[kind].versions, { id: `${entry.id}/versions/${version}`, ...gone });
    });
  });
  return answerArm(c.env.exchange, undefined, 200);
}
