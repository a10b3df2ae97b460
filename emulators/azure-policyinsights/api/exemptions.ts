/** Policy exemptions: the seeded ones behind every state `Exempt`, and those that clients make. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import { isExempt } from "../domain/compliance.ts";
import { resourceId } from "../domain/fields.ts";
import { mix } from "../domain/hash.ts";
import { type Json, member, record, text } from "../domain/json.ts";
import { armId } from "../domain/resource-body.ts";
import { reject } from "../errors.ts";
import { type ListFilter, readListFilter } from "../odata/list-filter.ts";
import { readTop } from "../odata/options.ts";
import type { AzureState } from "../store.ts";
import { systemData } from "../wire/system-data.ts";
import { bodyOf } from "./body.ts";
import { evaluateRows, seededExemptionId } from "./evaluating.ts";
import { authorizationVersions, authorOf, readRequest } from "./request.ts";
import { idOf, type Placed, placeOf, rowsOf, type ScopePath, scopePaths } from "./scopes.ts";

export function exemptions(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  for (const scope of scopePaths("managementGroup", "subscription", "group", "resource")) {
    const path = `${scope.path}/providers/microsoft.authorization/policyexemptions`;
    app.get(path, (c) => {
      const request = readRequest(c.env.exchange, runtime, authorizationVersions);
      const place = placeOf(request, runtime.state, scope, 3);
      const filter = readListFilter(request.query, {
        functions: ["atScope", "atExactScope", "excludeExpired"],
        names: ["policyAssignmentId"],
      });
      const test = listed(filter, idOf(place.segments).toLowerCase(), runtime.clock.now());
      const value = exemptionsAt(runtime.state, place).flatMap((each) => (test(each) ? [each.body] : []));
      return answerArm(c.env.exchange, { value: value.slice(0, readTop(request.query)) });
    });
    app.get(`${path}/:name`, (c) => {
      const { found, name } = asked(c, runtime, scope);
      return found ? answerArm(c.env.exchange, found.body) : reject("PolicyExemptionNotFound", name);
    });
    app.put(`${path}/:name`, (c) => write(c, runtime, scope));
    app.delete(`${path}/:name`, (c) => remove(c, runtime, scope));
  }
}

interface Found {
  /** In lower case. */
  readonly id: string;
  readonly body: Json;
  readonly seeded: boolean;
}

function asked(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath) {
  const request = readRequest(c.env.exchange, runtime, authorizationVersions);
  const place = placeOf(request, runtime.state, scope, 4);
  const name = request.segments.at(-1) ?? "";
  const id = `${idOf(place.segments)}/providers/Microsoft.Authorization/policyExemptions/${name}`;
  const found = exemptionsAt(runtime.state, place).find((each) => each.id === id.toLowerCase());
  return { place, name, id, found };
}

/** Those of the scope itself where a filter asks for no others; `atScope()` leaves out what is below it, too. */
function listed(filter: ListFilter, scope: string, now: number): (found: Found) => boolean {
  const own = filter.calls("atExactScope") || filter.calls("atScope");
  const assignment = filter.valueOf("policyAssignmentId");
  return ({ id, body }) => {
    const properties = member(body, "properties");
    const expires = Date.parse(text(properties, "expiresOn"));
    return (
      (!own || id.startsWith(`${scope}/providers/microsoft.authorization/policyexemptions/`)) &&
      (assignment === undefined || text(properties, "policyAssignmentId").toLowerCase() === assignment) &&
      !(filter.calls("excludeExpired") && expires <= now)
    );
  };
}

/** Every exemption at a scope and below it. */
export function exemptionsAt(state: AzureState, place: Placed): readonly Found[] {
  const readings = state.readings();
  const { estate } = readings;
  const written = new Map(state.documents.list("exemption").map((each) => [each.id, each]));
  const found: Found[] = [];
  const prefix = `${idOf(place.segments).toLowerCase()}/`;
  for (const { id, body } of written.values())
    if (body !== null && id.startsWith(prefix)) found.push({ id, body: JSON.parse(body), seeded: false });
  const { hash } = estate.resources;
  const last = new Set<string>();
  for (const { first, end } of rowsOf(readings, place, false).ranges)
    for (let row = first; row < end; row += 1) {
      const code = estate.rows.resource[row] ?? 0;
      const policy = estate.policies[estate.rows.policy[row] ?? 0];
      const assignment = estate.assignments[policy?.assignment ?? -1];
      if (!assignment?.seeded || policy?.definition.effect === "Manual") continue;
      if (hash[code] === 0 || !isExempt(mix(assignment.hash, hash[code] ?? 0))) continue;
      const id = seededExemptionId(resourceId(estate, code), assignment.hash);
      if (written.has(id) || last.has(id)) continue;
      last.add(id);
      const name = id.slice(id.lastIndexOf("/") + 1);
      found.push({
        id,
        seeded: true,
        body: rendered(`${armId(estate, code)}/providers/Microsoft.Authorization/policyExemptions/${name}`, name, {
          policyAssignmentId: assignment.id,
          policyDefinitionReferenceIds: [],
          exemptionCategory: "Waiver",
          displayName: "Accepted risk",
        }),
      });
    }
  return found;
}

function rendered(id: string, name: string, properties: Json) {
  return { properties, id, name, type: "Microsoft.Authorization/policyExemptions" };
}

function write(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { place, name, id, found } = asked(c, runtime, scope);
  const properties = record(bodyOf(c.env.exchange).properties);
  const assignmentId = text(properties, "policyAssignmentId").toLowerCase();
  if (assignmentId === "") return reject("InvalidRequestContent", "'properties.policyAssignmentId' is missing");
  if (!runtime.state.readings().estate.assignments.some((each) => each.id === assignmentId))
    return reject("PolicyAssignmentNotFound", assignmentId);
  const category = text(properties, "exemptionCategory");
  if (category !== "Waiver" && category !== "Mitigated")
    return reject("InvalidRequestContent", "'exemptionCategory' must be Waiver or Mitigated");
  const expiresOn = text(properties, "expiresOn");
  if (expiresOn !== "" && Number.isNaN(Date.parse(expiresOn)))
    return reject("InvalidRequestContent", `'expiresOn' is no date and time: '${expiresOn}'`);
  const { exchange } = c.env;
  const author = authorOf(exchange);
  const body = {
    ...rendered(id, name, properties),
    systemData: systemData(author, runtime.clock.now(), found?.body),
  };
  keep(runtime, place, assignmentId, id, JSON.stringify(body), true);
  return answerArm(exchange, body, found ? 200 : 201);
}

function remove(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { place, id, found } = asked(c, runtime, scope);
  if (!found) return answerArm(c.env.exchange, undefined, 204);
  const assignmentId = text(record(found.body).properties, "policyAssignmentId").toLowerCase();
  keep(runtime, place, assignmentId, id, null, !found.seeded);
  return answerArm(c.env.exchange, found.body);
}

/** Keeps the exemption and evaluates what it covers. */
function keep(
  runtime: Runtime<AzureState>,
  place: Placed,
  assignmentId: string,
  id: string,
  body: string | null,
  made: boolean,
): void {
  const { state, store, clock } = runtime;
  store.write(() => {
    state.documents.put("exemption", { id: id.toLowerCase(), body, made, at: clock.now() });
    const readings = state.readings();
    const { estate } = readings;
    const code = estate.assignments.findIndex((each) => each.id === assignmentId);
    const rows: number[] = [];
    for (const { first, end } of rowsOf(readings, place, false).ranges)
      for (let row = first; row < end; row += 1)
        if (estate.policies[estate.rows.policy[row] ?? 0]?.assignment === code) rows.push(row);
    evaluateRows(runtime, rows);
  });
}
