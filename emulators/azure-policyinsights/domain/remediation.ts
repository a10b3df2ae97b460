/** A remediation and its deployments. Recorded life: Accepted, Running, Succeeded; cancelled: Cancelling, Canceled. */
import type { Json } from "./json.ts";
import type { ScopeName } from "./scope.ts";

export type RemediationState = "Accepted" | "Running" | "Succeeded" | "Cancelling" | "Canceled";

export interface Deployment {
  readonly remediatedResourceId: string;
  /** Key of the policy whose definition is deployed: codes change with the estate while a remediation runs. */
  readonly policy: string;
  readonly status: "Running" | "Succeeded" | "Canceled";
  readonly resourceLocation: string;
  readonly createdOn: number;
  readonly lastUpdatedOn: number;
}

export interface Remediation {
  readonly id: string;
  readonly name: string;
  readonly policyAssignmentId: string;
  readonly policyDefinitionReferenceId: string;
  readonly provisioningState: RemediationState;
  readonly createdOn: number;
  readonly lastUpdatedOn: number;
  readonly createdBy: string;
  readonly filters: Json;
  readonly resourceDiscoveryMode: string;
  readonly correlationId: string;
  readonly resourceCount: number;
  readonly parallelDeployments: number;
  readonly failureThreshold: Json;
  readonly scope: { readonly segments: readonly string[]; readonly name: ScopeName; readonly subscription: number };
  readonly deployments: readonly Deployment[];
}

export function isOver(state: RemediationState): boolean {
  return state === "Succeeded" || state === "Canceled";
}
