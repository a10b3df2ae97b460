/** Every write and deletion of a resource passes the policies that look at it. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { Json } from "../domain/json.ts";
import { amended, type Refusal, refusals, type Spot } from "../domain/on-write.ts";
import type { Subject } from "../domain/rules.ts";
import { disallow } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { renderViolations } from "../wire/policy-violation.ts";
import { exemptionsOf } from "./evaluating.ts";

/** The body that is written, with what policies add to it. @throws ArmError 403 when one refuses it */
export function admit({ state, clock }: Runtime<AzureState>, spot: Spot, subject: Subject): Json {
  const { estate } = state.readings();
  const exempt = exemptionsOf(state, clock.now());
  const spared = (policy: Parameters<typeof exempt>[1]) => exempt(subject.id.toLowerCase(), policy);
  const body = amended(estate, spot, subject, spared);
  refuse(
    state,
    `Resource '${subject.name}'`,
    subject.name,
    refusals(estate, spot, { ...subject, body }, { effect: "deny", spared }),
  );
  return body;
}

/** @throws ArmError 403 when a policy of `denyAction` keeps the resource */
export function admitDeletion({ state, clock }: Runtime<AzureState>, spot: Spot, subject: Subject): void {
  const { estate } = state.readings();
  const exempt = exemptionsOf(state, clock.now());
  const spared = (policy: Parameters<typeof exempt>[1]) => exempt(subject.id.toLowerCase(), policy);
  const found = refusals(estate, spot, subject, { effect: "denyaction", spared });
  refuse(state, `Deletion of resource '${subject.name}'`, subject.name, found);
}

function refuse(state: AzureState, what: string, target: string, found: readonly Refusal[]): void {
  if (found.length === 0) return;
  const stored = (id: string): Json => {
    const body = state.documents.find("assignment", id)?.body;
    return body === undefined || body === null ? undefined : JSON.parse(body);
  };
  const { why, additionalInfo } = renderViolations(state.readings().estate, found, stored);
  disallow(what, why, { target, additionalInfo });
}
