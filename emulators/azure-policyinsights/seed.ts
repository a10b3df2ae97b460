/** From the seed to the rows of the tenant, its applications and subscriptions. */
import type { Runtime } from "../kernel/emulator.ts";
import { sizes } from "./domain/estate.ts";
import type { Seed } from "./seed-form.ts";
import type { AzureState } from "./store.ts";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export function applySeed(seed: Seed, { ids, state }: Runtime<AzureState>): void {
  const size = sizes[seed.size];
  state.addTenant({
    tenantId: seed.tenant.id ?? ids.fixed("azure.tenant", [seed.tenant.name]).uuid(),
    displayName: seed.tenant.name,
    domain: seed.tenant.domain,
  });
  seed.applications.forEach(({ name, clientId, clientSecret, role, certificates }, position) => {
    // The form of Entra's secrets: 40 characters with "8Q~" from the fourth on.
    const secret = ids.fixed("azure.secret", [name]);
    const start = ids.fixed("azure.secret-start", [name]).text(3, letters);
    const application = {
      clientId: clientId ?? ids.fixed("azure.application", [name]).uuid(),
      displayName: name,
      objectId: ids.fixed("azure.service-principal", [name]).uuid(),
      clientSecret: clientSecret ?? `${start}8Q~${secret.text(34, `${letters}._~-`)}`,
    };
    state.addApplication({ ...application, role, certificates, managed: false }, position);
  });
  seed.identities.forEach(({ name, clientId, role }, position) => {
    const identity = {
      clientId: clientId ?? ids.fixed("azure.identity", [name]).uuid(),
      displayName: name,
      objectId: ids.fixed("azure.identity-principal", [name]).uuid(),
      clientSecret: "",
    };
    state.addApplication({ ...identity, role, certificates: [], managed: true }, position);
  });
  for (let position = 0; position < size.subscriptions; position += 1) {
    const given = seed.subscriptions[position];
    const name = given?.name ?? `Subscription ${position + 1}`;
    state.addSubscription({ id: given?.id ?? ids.fixed("azure.subscription", [name]).uuid(), name }, position);
  }
  state.setEstate({
    seed: ids.seed,
    groupsPerSubscription: size.groups,
    resourcesPerGroup: size.resources,
    strict: seed.strict,
    signsEvents: seed.eventSignatures,
  });
}
