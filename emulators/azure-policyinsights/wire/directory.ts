/** Tenants, subscriptions and resource groups as Azure Resource Manager shows them. */
import { type Json, member, record, text } from "../domain/json.ts";

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

/** `body` is what is kept of the group as a resource: its location and tags. */
export function renderResourceGroup(name: string, subscriptionId: string, body: Json) {
  return {
    id: `/subscriptions/${subscriptionId}/resourceGroups/${name}`,
    name,
    type: "Microsoft.Resources/resourceGroups",
    location: text(body, "location"),
    tags: record(member(body, "tags")),
    properties: { provisioningState: "Succeeded" },
  };
}
