/** Evaluates rows again after a change, and tells what became of them. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { StoredEvaluation } from "../documents.ts";
import { complianceStates, exempt, isExempt, nothing } from "../domain/compliance.ts";
import { currentOf } from "../domain/current.ts";
import { definitionId, resourceId } from "../domain/fields.ts";
import { mix } from "../domain/hash.ts";
import { member, text } from "../domain/json.ts";
import { judge } from "../domain/judge.ts";
import { policyKey } from "../domain/placing.ts";
import type { Readings } from "../domain/readings.ts";
import { subjectOf } from "../domain/resource-body.ts";
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
  let changes = 0;
  for (const row of rows) {
    const before = currentOf(readings, row, at).compliance;
    const compliance = decide(row);
    const changed = compliance !== before;
    if (!changed && !all) continue;
    found.push(evaluationOf(readings, row, compliance, changed, at));
    if (!changed) continue;
    changes += 1;
    announce(runtime, readings, row, before === nothing ? "created" : "changed", compliance, at);
  }
  state.documents.evaluate(found);
  return changes;
}

/** The same for a state that is known: an attestation's. */
export function setState(runtime: Runtime<AzureState>, row: number, compliance: number): void {
  const { state, clock } = runtime;
  const readings = state.readings();
  const at = clock.now();
  const changed = currentOf(readings, row, at).compliance !== compliance;
  state.documents.evaluate([evaluationOf(readings, row, compliance, changed, at)]);
  if (changed) announce(runtime, readings, row, "changed", compliance, at);
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

function announce(
  { outbox, journal, clock }: Runtime<AzureState>,
  { estate }: Readings,
  row: number,
  what: "created" | "changed" | "deleted",
  compliance: number,
  at: number,
): void {
  const code = estate.rows.resource[row] ?? 0;
  const policy = estate.policies[estate.rows.policy[row] ?? 0];
  const subject = resourceId(estate, code);
  const data = {
    timestamp: new Date(at).toISOString(),
    policyAssignmentId: estate.assignments[policy?.assignment ?? -1]?.id ?? "",
    policyDefinitionId: policy ? definitionId(policy.definition) : "",
    policyDefinitionReferenceId: policy?.reference ?? "",
    complianceState: complianceStates[compliance] ?? "",
    subscriptionId: estate.subscriptions[estate.resources.subscription[code] ?? 0]?.id ?? "",
    complianceReasonCode: "",
  };
  journal.append("change", subject, data);
  outbox.emit({ type: `policystate.${what}`, subject, occurredAt: clock.now(), data });
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
    const covered = exemptions.some(
      (each) =>
        each.assignment === assignment.id &&
        (id === each.scope || id.startsWith(`${each.scope}/`) || each.scope.startsWith("/providers/")) &&
        (each.references.length === 0 || each.references.includes(policy.reference)),
    );
    if (covered) return exempt;
    const attestation = attested.get(`${id} ${policyKey(estate, policy)}`);
    if (attestation !== undefined) return attestation;
    return judge(estate, policyCode, subjectOf(estate, code, now, writtenOf(state, estate, code))).compliance;
  };
}

export function seededExemptionId(resource: string, assignmentHash: number): string {
  return `${resource}/providers/microsoft.authorization/policyexemptions/exempt-${assignmentHash.toString(36)}`;
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
