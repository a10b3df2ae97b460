/** Remediations and their deployments, in the order of members of recorded answers. */
import type { Deployment, Remediation } from "../domain/remediation.ts";

const iso = (instant: number) => new Date(instant).toISOString();

export function renderRemediation(remediation: Remediation) {
  const { deployments, createdBy } = remediation;
  const count = (status: Deployment["status"]) => deployments.filter((each) => each.status === status).length;
  return {
    properties: {
      policyAssignmentId: remediation.policyAssignmentId,
      ...(remediation.policyDefinitionReferenceId === ""
        ? {}
        : { policyDefinitionReferenceId: remediation.policyDefinitionReferenceId }),
      provisioningState: remediation.provisioningState,
      createdOn: iso(remediation.createdOn),
      lastUpdatedOn: iso(remediation.lastUpdatedOn),
      ...(remediation.filters === undefined ? {} : { filters: remediation.filters }),
      deploymentStatus: {
        totalDeployments: deployments.length,
        successfulDeployments: count("Succeeded"),
        failedDeployments: 0,
      },
      resourceDiscoveryMode: remediation.resourceDiscoveryMode,
      correlationId: remediation.correlationId,
      resourceCount: remediation.resourceCount,
      parallelDeployments: remediation.parallelDeployments,
      ...(remediation.failureThreshold === undefined ? {} : { failureThreshold: remediation.failureThreshold }),
    },
    id: remediation.id,
    name: remediation.name,
    type: "Microsoft.PolicyInsights/remediations",
    systemData: {
      createdBy,
      createdByType: "Application",
      createdAt: iso(remediation.createdOn),
      lastModifiedBy: createdBy,
      lastModifiedByType: "Application",
      lastModifiedAt: iso(remediation.lastUpdatedOn),
    },
  };
}

export function renderDeployment(deployment: Deployment, { correlationId }: Remediation) {
  const group = deployment.remediatedResourceId.split("/").slice(0, 5).join("/");
  return {
    remediatedResourceId: deployment.remediatedResourceId,
    deploymentId: `${group}/providers/Microsoft.Resources/deployments/PolicyDeployment_${correlationId.slice(0, 8)}`,
    status: deployment.status,
    resourceLocation: deployment.resourceLocation,
    createdOn: iso(deployment.createdOn),
    lastUpdatedOn: iso(deployment.lastUpdatedOn),
  };
}
