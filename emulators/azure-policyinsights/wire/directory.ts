/** Tenants, subscriptions and resource groups as Azure Resource Manager shows them. */
import type { ResourceGroup } from "../domain/estate.ts";
import { locations } from "../domain/resource-types.ts";

export function renderTenant(tenant: { tenantId: string; displayName: string; domain: string }) {
  return {
    id: `/tenants/${tenant.tenantId}`,
    tenantId: tenant.tenantId,
    countryCode: "US",
    displayName: tenant.displayName,
    domains: [tenant.domain],
    tenantCategory: "Home",
    defaultDomain: tenant.domain,
    tenantType: "AAD",
  };
}

export function renderSubscription(subscription: { id: string; name: string }, tenantId: string) {
  return {
    id: `/subscriptions/${subscription.id}`,
    authorizationSource: "RoleBased",
    managedByTenants: [],
    subscriptionId: subscription.id,
    tenantId,
    displayName: subscription.name,
    state: "Enabled",
    subscriptionPolicies: {
      locationPlacementId: "Public_2014-09-01",
      quotaId: "EnterpriseAgreement_2014-09-01",
      spendingLimit: "Off",
    },
  };
}

export function renderResourceGroup(group: Pick<ResourceGroup, "name" | "location">, subscriptionId: string) {
  return {
    id: `/subscriptions/${subscriptionId}/resourceGroups/${group.name}`,
    name: group.name,
    type: "Microsoft.Resources/resourceGroups",
    location: locations[group.location] ?? "",
    tags: {},
    properties: { provisioningState: "Succeeded" },
  };
}
