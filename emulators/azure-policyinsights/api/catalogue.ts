/** Definitions and initiatives as the scopes have them: what is built in and what clients wrote, with their versions. */
import type { Context } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { builtIns, cisFoundations, cloudSecurityBenchmark } from "../domain/built-ins.ts";
import { type Json, list, member, record, text } from "../domain/json.ts";
import { reject } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { renderDefinition, renderInitiative } from "../wire/authorization.ts";
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

/** What a client does not number is its first. */
export function versionIn(properties: Json): string {
  return text(properties, "version") || text(member(properties, "metadata"), "version") || "1.0.0";
}

export function compareVersions(left: string, right: string): number {
  const [one, other] = [left.split(/[.-]/).map(Number), right.split(/[.-]/).map(Number)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Properties of a definition or an initiative. @throws ArmError 400 */
export function checked(kind: CatalogueKind, properties: Json): Readonly<Record<string, Json>> {
  const given = record(properties);
  if (kind === "definition" && given.policyRule === undefined)
    reject("InvalidRequestContent", "'properties.policyRule' is missing");
  if (kind === "set" && list(given.policyDefinitions).length === 0)
    reject("InvalidRequestContent", "'properties.policyDefinitions' is missing or empty");
  return given;
}

/** Writes the newest version, keeps the one before when it has another number, and evaluates what is assigned. */
export function putInCatalogue(
  runtime: Runtime<AzureState>,
  kind: CatalogueKind,
  id: string,
  given: Readonly<Record<string, Json>>,
): void {
  const { state, clock } = runtime;
  const { name, versions } = collections[kind];
  const properties = { mode: kind === "definition" ? "All" : undefined, ...given, policyType: "Custom" };
  const body = { properties, id, type: `Microsoft.Authorization/${name}`, name: id.slice(id.lastIndexOf("/") + 1) };
  const known = state.documents.find(kind, id.toLowerCase())?.body;
  const at = clock.now();
  if (known !== undefined && known !== null) {
    const old = record(member(JSON.parse(known), "properties"));
    const version = versionIn(old);
    if (version !== versionIn(properties))
      state.documents.put(versions, {
        id: `${id.toLowerCase()}/versions/${version}`,
        body: JSON.stringify({ ...old, version }),
        made: true,
        at,
      });
  }
  const before = state.readings();
  const own = rowsOfCustom(runtime);
  state.documents.put(kind, { id: id.toLowerCase(), body: JSON.stringify(body), made: true, at });
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
