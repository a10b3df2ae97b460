/** Definitions and initiatives as the scopes have them: what is built in and what clients wrote, with their versions. */
import type { Context } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { builtIns, cisFoundations, cloudSecurityBenchmark } from "../domain/built-ins.ts";
import { type Json, list, member, record, text } from "../domain/json.ts";
import { catalogueOf } from "../domain/structure.ts";
import { compareVersions, versionIn } from "../domain/versions.ts";
import type { AzureState } from "../store.ts";
import { renderDefinition, renderInitiative } from "../wire/authorization.ts";
import { systemData } from "../wire/system-data.ts";
import { checkDefinition, checkSet } from "./checks.ts";
import { announceGone, evaluateRows } from "./evaluating.ts";
import { type ArmRequest, authorizationVersions, readRequest, subscriptionOf } from "./request.ts";
import { idOf } from "./scopes.ts";

export const provider = "providers/microsoft.authorization";

export type CatalogueKind = "definition" | "set";
export const collections = {
  definition: {
    path: "policydefinitions",
    name: "policyDefinitions",
    missing: "PolicyDefinitionNotFound",
    versions: "definitionVersion",
  },
  set: {
    path: "policysetdefinitions",
    name: "policySetDefinitions",
    missing: "PolicySetDefinitionNotFound",
    versions: "setVersion",
  },
} as const;

/** One definition or initiative, as its newest version. */
export interface Entry {
  /** In lower case. */
  readonly id: string;
  readonly body: Json;
  readonly custom: boolean;
}

export function asked(c: Context<KernelEnv>, runtime: Runtime<AzureState>): ArmRequest {
  const request = readRequest(c.env.exchange, runtime, authorizationVersions);
  if (request.segments[0]?.toLowerCase() === "subscriptions") subscriptionOf(request, runtime.state);
  return request;
}

/** Everything a scope lists: its own and what is built in. */
export function catalogueAt(state: AzureState, kind: CatalogueKind, scope: string): readonly Entry[] {
  const builtIn =
    kind === "definition"
      ? builtIns.map(renderDefinition)
      : [cloudSecurityBenchmark, cisFoundations].map(renderInitiative);
  const own = state.documents.list(kind).flatMap(({ id, body }): Entry[] => {
    if (body === null || !id.startsWith(`${scope.toLowerCase()}/${provider}/`)) return [];
    const entry = { id, body: JSON.parse(body) as Json, custom: true };
    const versions = versionsOf(state, kind, entry).map(({ version }) => version);
    const properties = { ...record(member(entry.body, "properties")), version: versions[0], versions };
    return [{ ...entry, body: { ...record(entry.body), properties } as Json }];
  });
  return [...own, ...builtIn.map((body) => ({ id: body.id.toLowerCase(), body: body as Json, custom: false }))];
}

export interface Version {
  readonly version: string;
  readonly properties: Json;
}

/** Newest first. */
export function versionsOf(
  { documents }: AzureState,
  kind: CatalogueKind,
  { id, body, custom }: Entry,
): readonly Version[] {
  const properties = member(body, "properties");
  const own: Version = { version: versionIn(properties), properties };
  if (!custom) return [own];
  const others = documents.list(collections[kind].versions).flatMap((each): Version[] => {
    if (each.body === null || !each.id.startsWith(`${id}/versions/`)) return [];
    const stored: Json = JSON.parse(each.body);
    return [{ version: versionIn(stored), properties: stored }];
  });
  return [own, ...others.filter(({ version }) => version !== own.version)].sort((left, right) =>
    compareVersions(right.version, left.version),
  );
}

/** Properties of a definition or an initiative as a client may write them. @throws ArmError 400 or 404 */
export function checked(
  { state, ids }: Runtime<AzureState>,
  kind: CatalogueKind,
  id: string,
  properties: Json,
): Readonly<Record<string, Json>> {
  const given = record(properties);
  const name = id.slice(id.lastIndexOf("/") + 1);
  if (kind === "definition") {
    checkDefinition(name, given);
    return given;
  }
  checkSet(name, given, catalogueOf(state.documents.structure(Number.MAX_SAFE_INTEGER)));
  // Azure numbers what a client gives no reference to.
  const policyDefinitions = list(given.policyDefinitions).map((each, position) => {
    const number = () => BigInt(`0x${ids.fixed("azure.reference", [id.toLowerCase(), position]).hex(15)}`).toString();
    return { ...record(each), policyDefinitionReferenceId: text(each, "policyDefinitionReferenceId") || number() };
  });
  return { ...given, policyDefinitions };
}

/** Writes the newest version, keeps the one before when it has another number, and evaluates what is assigned. */
export function putInCatalogue(
  runtime: Runtime<AzureState>,
  kind: CatalogueKind,
  id: string,
  given: Readonly<Record<string, Json>>,
  author: string,
): void {
  const { state, clock } = runtime;
  const { name, versions } = collections[kind];
  const properties = { mode: kind === "definition" ? "All" : undefined, ...given, policyType: "Custom" };
  const known = state.documents.body(kind, id);
  const at = clock.now();
  const body = {
    properties,
    id,
    type: `Microsoft.Authorization/${name}`,
    name: id.slice(id.lastIndexOf("/") + 1),
    systemData: systemData(author, at, known),
  };
  const old = member(known, "properties");
  const version = versionIn(old);
  reassign(runtime, () => {
    if (old !== undefined && version !== versionIn(properties))
      state.documents.put(versions, {
        id: `${id.toLowerCase()}/versions/${version}`,
        body: JSON.stringify({ ...record(old), version }),
        made: true,
        at,
      });
    state.documents.put(kind, { id: id.toLowerCase(), body: JSON.stringify(body), made: true, at });
  });
}

/** Runs inside a write: changes what clients defined, tells of the states that are no more and evaluates the others. */
export function reassign(runtime: Runtime<AzureState>, change: () => void): void {
  const before = runtime.state.readings();
  const own = rowsOfCustom(runtime);
  change();
  announceGone(runtime, before, own);
  evaluateRows(runtime, rowsOfCustom(runtime));
}

/** Rows of what clients define themselves. */
export function rowsOfCustom({ state }: Runtime<AzureState>): readonly number[] {
  const { policies, assignments } = state.readings().estate;
  return rowsOfPolicies(state, (code) => {
    const policy = policies[code];
    return (
      policy?.definition.scope !== undefined || assignments[policy?.assignment ?? -1]?.initiative?.scope !== undefined
    );
  });
}

export function rowsOfPolicies(state: AzureState, test: (policy: number) => boolean): readonly number[] {
  const { policies, rows } = state.readings().estate;
  const bits = policies.map((_, code) => test(code));
  const found: number[] = [];
  if (!bits.includes(true)) return found;
  for (let row = 0; row < rows.count; row += 1) if (bits[rows.policy[row] ?? 0]) found.push(row);
  return found;
}

export function scopeOf(segments: readonly string[], tail: number): string {
  const scope = segments.slice(0, -tail);
  return scope.length === 0 ? "" : idOf(scope);
}
