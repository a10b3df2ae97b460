/** Attestations: what people say of policies that no rule can judge. 4 verbs at 3 scopes. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import { compliant, nonCompliant, unknown } from "../domain/compliance.ts";
import { type Json, member, record, text } from "../domain/json.ts";
import { policyKey, rowOf } from "../domain/placing.ts";
import { reject } from "../errors.ts";
import { readListFilter } from "../odata/list-filter.ts";
import { readTop } from "../odata/options.ts";
import type { AzureState } from "../store.ts";
import { systemData } from "../wire/system-data.ts";
import { bodyOf } from "./body.ts";
import { evaluateRows, setState } from "./evaluating.ts";
import { attestationVersions, authorOf, readRequest } from "./request.ts";
import { idOf, type Placed, placeOf, type ScopePath, scopePaths } from "./scopes.ts";

const states = { Compliant: compliant, NonCompliant: nonCompliant, Unknown: unknown } as const;

/** As it is kept: what is shown, and what the evaluation looks for. */
interface Kept {
  readonly shown: Json;
  readonly target: string;
  readonly compliance: string;
  readonly expiresOn: string;
}

export function attestations(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  for (const scope of scopePaths("subscription", "group", "resource")) {
    const path = `${scope.path}/providers/microsoft.policyinsights/attestations`;
    app.get(path, (c) => listAll(c, runtime, scope));
    app.put(`${path}/:name`, (c) => create(c, runtime, scope));
    app.get(`${path}/:name`, (c) => {
      const { kept, id } = asked(c, runtime, scope);
      return kept ? answerArm(c.env.exchange, kept.shown) : reject("ResourceNotFound", id);
    });
    app.delete(`${path}/:name`, (c) => remove(c, runtime, scope));
  }
}

function asked(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath) {
  const request = readRequest(c.env.exchange, runtime, attestationVersions);
  c.env.exchange.note("operation", "attestations");
  const place = placeOf(request, runtime.state, scope, 4);
  const name = request.segments.at(-1) ?? "";
  const id = attestationId(place, name);
  const body = runtime.state.documents.find("attestation", id)?.body;
  const kept = body === undefined || body === null ? undefined : (JSON.parse(body) as Kept);
  return { place, name, id, kept };
}

function attestationId({ segments }: Placed, name: string): string {
  return `${idOf(segments)}/providers/Microsoft.PolicyInsights/attestations/${name}`;
}

function listAll(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const request = readRequest(c.env.exchange, runtime, attestationVersions);
  const place = placeOf(request, runtime.state, scope, 3);
  const within = idOf(place.segments).toLowerCase();
  const filter = readListFilter(request.query, { names: ["policyAssignmentId", "policyDefinitionReferenceId"] });
  const wanted = (shown: Json, name: string) => {
    const value = filter.valueOf(name);
    return value === undefined || text(member(shown, "properties"), name).toLowerCase() === value;
  };
  const value = runtime.state.documents
    .list("attestation")
    .flatMap(({ id, body }) => (body !== null && id.startsWith(`${within}/`) ? [(JSON.parse(body) as Kept).shown] : []))
    .filter((shown) => wanted(shown, "policyAssignmentId") && wanted(shown, "policyDefinitionReferenceId"));
  return answerArm(c.env.exchange, { value: value.slice(0, readTop(request.query)) });
}

function create(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { exchange } = c.env;
  const { store, clock, state } = runtime;
  const { place, name, id, kept } = asked(c, runtime, scope);
  const given = record(bodyOf(exchange).properties);
  const row = targetRow(state, place, given);
  const complianceState = text(given, "complianceState") || "Unknown";
  const compliance =
    complianceState === "Compliant" || complianceState === "NonCompliant" || complianceState === "Unknown"
      ? states[complianceState]
      : reject("InvalidCreateAttestationRequest", `'${complianceState}' is not a compliance state`);
  const expiresOn = text(given, "expiresOn");
  if (expiresOn !== "" && Number.isNaN(Date.parse(expiresOn)))
    reject("InvalidCreateAttestationRequest", `'expiresOn' is no date and time: '${expiresOn}'`);
  const now = new Date(clock.now()).toISOString();
  const shown: Json = {
    properties: {
      ...given,
      policyAssignmentId: text(given, "policyAssignmentId").toLowerCase(),
      complianceState,
      provisioningState: "Succeeded",
      lastComplianceStateChangeAt: now,
    },
    id,
    name,
    type: "Microsoft.PolicyInsights/attestations",
    systemData: systemData(authorOf(exchange), clock.now(), kept?.shown),
  };
  const document: Kept = {
    shown,
    target: row.target,
    compliance: String(compliance),
    expiresOn,
  };
  store.write(() => {
    const body = JSON.stringify(document);
    state.documents.put("attestation", { id: id.toLowerCase(), body, made: true, at: clock.now() });
    setState(runtime, row.row, compliance);
  });
  return answerArm(exchange, shown, kept ? 200 : 201);
}

/** The row that an attestation at a scope is about: the scope itself, under a manual policy. */
function targetRow(state: AzureState, place: Placed, given: Json): { row: number; target: string } {
  const readings = state.readings();
  const { estate } = readings;
  const assignmentId = text(given, "policyAssignmentId").toLowerCase();
  const reference = text(given, "policyDefinitionReferenceId").toLowerCase();
  if (assignmentId === "") return reject("InvalidCreateAttestationRequest", "'policyAssignmentId' is missing");
  const assignment = estate.assignments.find((each) => each.id === assignmentId);
  if (!assignment) return reject("PolicyAssignmentNotFound", assignmentId);
  const code = estate.policies.findIndex(
    (policy, at) =>
      at >= assignment.first && at < assignment.end && (reference === "" || policy.reference === reference),
  );
  const policy = estate.policies[code];
  if (policy?.definition.effect.toLowerCase() !== "manual")
    return reject("InvalidCreateAttestationRequest", "only policies with the effect 'manual' are attested");
  const id = idOf(place.segments).toLowerCase();
  const row = rowOf(estate, readings.resourceCode(id), code);
  if (row === undefined) return reject("InvalidCreateAttestationRequest", `the policy does not look at '${id}'`);
  return { row, target: `${id} ${policyKey(estate, policy)}` };
}

function remove(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { place, id, kept } = asked(c, runtime, scope);
  if (!kept) return answerArm(c.env.exchange, undefined, 204);
  const { state, store, clock } = runtime;
  store.write(() => {
    state.documents.put("attestation", { id: id.toLowerCase(), body: null, made: true, at: clock.now() });
    const readings = state.readings();
    const code = readings.resourceCode(idOf(place.segments));
    const { firstRow } = readings.estate.resources;
    const first = firstRow[code ?? 0] ?? 0;
    if (code !== undefined)
      evaluateRows(
        runtime,
        Array.from({ length: (firstRow[code + 1] ?? 0) - first }, (_, at) => first + at),
      );
  });
  return answerArm(c.env.exchange, undefined, 200);
}
