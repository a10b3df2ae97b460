/** Evaluates rows again after a change, and tells what became of them. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { StoredEvaluation } from "../documents.ts";
import { complianceStates, exempt, isExempt, nothing } from "../domain/compliance.ts";
import { currentOf } from "../domain/current.ts";
import type { StateEvent } from "../domain/event-subscription.ts";
import { definitionId, resourceId } from "../domain/fields.ts";
import { mix } from "../domain/hash.ts";
import { member, text } from "../domain/json.ts";
import { judge } from "../domain/judge.ts";
import { policyKey, rowOf } from "../domain/placing.ts";
import type { Policy } from "../domain/policies.ts";
import type { Readings } from "../domain/readings.ts";
import { subjectOf } from "../domain/resource-body.ts";
import { publish } from "../event-grid.ts";
import type { AzureState } from "../store.ts";
import { writtenOf } from "./written.ts";

/**
 * Runs inside a write. Keeps an evaluation of each row whose state changed, or of every row when all are wanted: then
 * their timestamps move too. Returns how many changed.
 */
export function evaluateRows(runtime: Runtime<AzureState>, rows: Iterable<number>, all = false): number {
  const { state, clock } = runtime;
  const readings = state.readings();
  const at = clock.now();
  const decide = decider(state, readings, at);
  const found: StoredEvaluation[] = [];
  const told: StateEvent[] = [];
  for (const row of rows) {
    const before = currentOf(readings, row, at).compliance;
    const compliance = decide(row);
    const changed = compliance !== before;
    if (!changed && !all) continue;
    found.push(evaluationOf(readings, row, compliance, changed, at));
    if (changed) told.push(eventOf(readings, row, before === nothing ? "Created" : "Changed", compliance, at));
  }
  state.documents.evaluate(found);
  announce(runtime, told);
  return told.length;
}

/** The same for a state that is known: an attestation's. */
export function setState(runtime: Runtime<AzureState>, row: number, compliance: number): void {
  const { state, clock } = runtime;
  const readings = state.readings();
  const at = clock.now();
  const changed = currentOf(readings, row, at).compliance !== compliance;
  state.documents.evaluate([evaluationOf(readings, row, compliance, changed, at)]);
  if (changed) announce(runtime, [eventOf(readings, row, "Changed", compliance, at)]);
}

/**
 * Runs inside a write that took something out of the estate: tells of the states among `rows`, codes of the estate
 * `before`, that are no more.
 */
export function announceGone(runtime: Runtime<AzureState>, before: Readings, rows: Iterable<number>): void {
  const after = runtime.state.readings();
  const at = runtime.clock.now();
  const policies = new Map(after.estate.policies.map((policy, code) => [policyKey(after.estate, policy), code]));
  const told: StateEvent[] = [];
  let last: { readonly resource: number; readonly code: number | undefined } | undefined;
  for (const row of rows) {
    const resource = before.estate.rows.resource[row] ?? 0;
    if (last?.resource !== resource) last = { resource, code: after.resourceCode(resourceId(before.estate, resource)) };
    const policy = before.estate.policies[before.estate.rows.policy[row] ?? 0];
    if (!policy || rowOf(after.estate, last.code, policies.get(policyKey(before.estate, policy))) !== undefined)
      continue;
    const { compliance } = currentOf(before, row, at);
    if (compliance !== nothing) told.push(eventOf(before, row, "Deleted", compliance, at));
  }
  announce(runtime, told);
}

function evaluationOf(
  { estate }: Readings,
  row: number,
  compliance: number,
  changed: boolean,
  at: number,
): StoredEvaluation {
  const policy = estate.policies[estate.rows.policy[row] ?? 0];
  return {
    resource: resourceId(estate, estate.rows.resource[row] ?? 0),
    policy: policy ? policyKey(estate, policy) : "",
    compliance,
    changed,
    at,
  };
}

function eventOf(
  { estate }: Readings,
  row: number,
  what: StateEvent["what"],
  compliance: number,
  at: number,
): StateEvent {
  const code = estate.rows.resource[row] ?? 0;
  const policy = estate.policies[estate.rows.policy[row] ?? 0];
  const { id = "", managementGroups = [] } = estate.subscriptions[estate.resources.subscription[code] ?? 0] ?? {};
  const data = {
    timestamp: new Date(at).toISOString(),
    policyAssignmentId: estate.assignments[policy?.assignment ?? -1]?.id ?? "",
    policyDefinitionId: policy ? definitionId(policy.definition) : "",
    policyDefinitionReferenceId: policy?.reference ?? "",
    complianceState: complianceStates[compliance] ?? "",
    subscriptionId: id,
    complianceReasonCode: "",
  };
  return { what, subject: resourceId(estate, code), subscription: id, managementGroups, data, at };
}

/** To the journal, to endpoints that were registered by the control API, and to Event Grid's subscriptions. */
function announce(runtime: Runtime<AzureState>, events: readonly StateEvent[]): void {
  const { outbox, journal, clock } = runtime;
  for (const { what, subject, data } of events) {
    journal.append("change", subject, data);
    outbox.emit({ type: `policystate.${what.toLowerCase()}`, subject, occurredAt: clock.now(), data });
  }
  publish(runtime, events);
}

/** What a row's state is to be: exempted, attested, or what the rule finds. */
function decider(state: AzureState, readings: Readings, now: number): (row: number) => number {
  const { estate } = readings;
  const exemptions = liveExemptions(state, now);
  const deleted = new Set(
    state.documents.list("exemption").flatMap(({ id, body, made }) => (body === null && !made ? [id] : [])),
  );
  const attested = new Map<string, number>();
  for (const { body } of state.documents.list("attestation")) {
    if (body === null) continue;
    const { row, compliance, expires } = attestationTarget(JSON.parse(body));
    if (expires > now) attested.set(row, compliance);
  }
  return (row) => {
    const code = estate.rows.resource[row] ?? 0;
    const policyCode = estate.rows.policy[row] ?? 0;
    const policy = estate.policies[policyCode];
    const assignment = estate.assignments[policy?.assignment ?? -1];
    if (!policy || !assignment) return nothing;
    const id = resourceId(estate, code);
    const hash = estate.resources.hash[code] ?? 0;
    const seededExemption =
      assignment.seeded &&
      hash !== 0 &&
      policy.definition.effect !== "Manual" &&
      isExempt(mix(assignment.hash, hash)) &&
      !deleted.has(seededExemptionId(id, assignment.hash));
    if (seededExemption) return exempt;
    if (exemptions.some((each) => covers(each, id, assignment.id, policy.reference))) return exempt;
    const attestation = attested.get(`${id} ${policyKey(estate, policy)}`);
    if (attestation !== undefined) return attestation;
    return judge(estate, policyCode, subjectOf(estate, code, now, writtenOf(state, estate, code))).compliance;
  };
}

export function seededExemptionId(resource: string, assignmentHash: number): string {
  return `${resource}/providers/microsoft.authorization/policyexemptions/exempt-${assignmentHash.toString(36)}`;
}

/** Whether a client's exemption takes a resource out from under a policy. `id` in lower case. */
export function exemptionsOf(state: AzureState, now: number): (id: string, policy: Policy) => boolean {
  const exemptions = liveExemptions(state, now);
  const { assignments } = state.readings().estate;
  return (id, { assignment, reference }) =>
    exemptions.some((each) => covers(each, id, assignments[assignment]?.id ?? "", reference));
}

function covers(
  { scope, assignment, references }: Exemption,
  id: string,
  ofPolicy: string,
  reference: string,
): boolean {
  return (
    assignment === ofPolicy &&
    (id === scope || id.startsWith(`${scope}/`) || scope.startsWith("/providers/")) &&
    (references.length === 0 || references.includes(reference))
  );
}

interface Exemption {
  readonly scope: string;
  readonly assignment: string;
  readonly references: readonly string[];
}

function liveExemptions(state: AzureState, now: number): readonly Exemption[] {
  return state.documents.list("exemption").flatMap(({ id, body }) => {
    if (body === null) return [];
    const properties = member(JSON.parse(body), "properties");
    const expires = Date.parse(text(properties, "expiresOn"));
    if (!Number.isNaN(expires) && expires <= now) return [];
    const named = member(properties, "policyDefinitionReferenceIds");
    const references = Array.isArray(named) ? named.map((each) => String(each).toLowerCase()) : [];
    const scope = id.slice(0, id.lastIndexOf("/providers/"));
    return [{ scope, assignment: text(properties, "policyAssignmentId").toLowerCase(), references }];
  });
}

/** `row` names a resource and a policy as the decider asks. */
function attestationTarget(body: Record<string, string>): { row: string; compliance: number; expires: number } {
  const expires = Date.parse(body.expiresOn ?? "");
  return {
    row: body.target ?? "",
    compliance: Number(body.compliance),
    expires: Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires,
  };
}
