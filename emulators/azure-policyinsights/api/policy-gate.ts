/** Every write and deletion of a resource passes the policies that look at it. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { Json } from "../domain/json.ts";
import { amended, type Refusal, refusals, type Spot } from "../domain/on-write.ts";
import type { Policy } from "../domain/policies.ts";
import type { Subject } from "../domain/rules.ts";
import { disallow } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { renderViolations } from "../wire/policy-violation.ts";
import { exemptionsOf } from "./evaluating.ts";

/** The body that is written, with what policies add to it. @throws ArmError 403 when one refuses it */
export function admit(runtime: Runtime<AzureState>, spot: Spot, subject: Subject): Json {
  const { state } = runtime;
  const { estate } = state.readings();
  const spared = exemptFrom(runtime, subject);
  const { body, refused } = amended(estate, spot, subject, spared);
  const denied = refusals(estate, spot, { ...subject, body }, { effect: "deny", spared });
  refuse(state, `Resource '${subject.name}'`, subject.name, [...refused, ...denied]);
  return body;
}

/** @throws ArmError 403 when a policy of `denyAction` keeps the resource */
export function admitDeletion(runtime: Runtime<AzureState>, spot: Spot, subject: Subject): void {
  const { state } = runtime;
  const spared = exemptFrom(runtime, subject);
  const found = refusals(state.readings().estate, spot, subject, { effect: "denyaction", spared });
  refuse(state, `Deletion of resource '${subject.name}'`, subject.name, found);
}

/** The policies that an exemption takes the resource out from under. */
function exemptFrom({ state, clock }: Runtime<AzureState>, { id }: Subject): (policy: Policy) => boolean {
  const exempt = exemptionsOf(state, clock.now());
  return (policy) => exempt(id.toLowerCase(), policy);
}

function refuse(state: AzureState, what: string, target: string, found: readonly Refusal[]): void {
  if (found.length === 0) return;
  const { why, additionalInfo } = renderViolations(state.readings().estate, found, (id) =>
    state.documents.body("assignment", id),
  );
  disallow(what, why, { target, additionalInfo });
}
