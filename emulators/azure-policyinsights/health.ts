import type { HealthCheck } from "../kernel/emulator.ts";
import type { AzureState } from "./store.ts";

export const health: readonly HealthCheck<AzureState>[] = [
  {
    name: "azure-directory",
    check(runtime) {
      runtime.state.tenant();
      if (!runtime.state.anyApplication()) throw new Error("no application is registered, so nobody can sign in");
    },
    hint: "See that fixtures/seeds/azure-policyinsights.yaml lists at least one application",
  },
  {
    name: "azure-estate",
    check(runtime) {
      if (runtime.state.subscriptions().length === 0) throw new Error("there is no subscription");
    },
    hint: "See the size in fixtures/seeds/azure-policyinsights.yaml",
  },
];
