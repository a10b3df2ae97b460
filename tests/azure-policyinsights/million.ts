/** An estate of a million states, the questions that its bars are about, and how long they take. */
import { sizes } from "../../emulators/azure-policyinsights/domain/estate.ts";
import type { AzureState } from "../../emulators/azure-policyinsights/store.ts";
import type { RunningEmulator } from "../../emulators/kernel/start.ts";

/** Room for a machine that is slower than the one of the bars. */
export const tolerance = 1.5;

export function makeMillion({ runtime: { store, state, ids } }: RunningEmulator<AzureState>): void {
  const { subscriptions, groups, resources } = sizes.million;
  store.write(() => {
    for (let position = state.subscriptions().length; position < subscriptions; position += 1)
      state.addSubscription({ id: ids.fixed("azure.subscription", [position]).uuid(), name: `S${position}` }, position);
    state.setEstate({ seed: "million", groupsPerSubscription: groups, resourcesPerGroup: resources, strict: false });
  });
}

/** `queryResults` over everything. */
export function statesPath({ runtime: { state } }: RunningEmulator<AzureState>, query: string): string {
  const root = `/providers/Microsoft.Management/managementGroups/${state.tenant().tenantId}`;
  return `${root}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults?api-version=2024-10-01${query}`;
}

export interface Question {
  readonly query: string;
  readonly verb: "queryResults" | "summarize";
  /** Milliseconds. */
  readonly bar: number;
}

const query = (text: string, bar: number): Question => ({ query: text, verb: "queryResults", bar });

export const questions: Readonly<Record<string, Question>> = {
  "a filtered page": query("&$top=1000&$filter=complianceState eq 'NonCompliant'", 8),
  "an ad-hoc filter over ids": query("&$top=1000&$filter=contains(resourceId,'kv-1') and isCompliant eq false", 40),
  "an ad-hoc filter that little passes": query("&$top=1000&$filter=endswith(resourceId,'zz')", 40),
  "an ad-hoc filter over types, effects and times": query(
    "&$top=1000&$filter=resourceType eq 'Microsoft.Cache/redis' and policyDefinitionAction eq 'audit' and timestamp gt 2025-01-15T00:00:00Z",
    40,
  ),
  "an ad-hoc filter over ids or policies": query(
    "&$top=1000&$filter=(contains(resourceId,'kv-1') and isCompliant eq false) or policyDefinitionName eq '318b2bd9-9c39-9f8b-46a7-048401f33476'",
    40,
  ),
  "groups of an ad-hoc filter over types or effects": query(
    "&$filter=resourceType eq 'Microsoft.Cache/redis' or policyDefinitionAction eq 'deny'&$apply=groupby((policyAssignmentId,policyDefinitionId),aggregate($count as n))",
    40,
  ),
  "a page of half a day ago": query("&$top=1000&$filter=timestamp lt 2025-01-14T18:00:00Z", 40),
  "groupby and aggregate": query(
    "&$filter=isCompliant eq false&$apply=groupby((policyAssignmentId,policyDefinitionId),aggregate($count as n))",
    15,
  ),
  summarize: { query: "", verb: "summarize", bar: 15 },
};

export function pathOf(emulator: RunningEmulator<AzureState>, { query: text, verb }: Question): string {
  return statesPath(emulator, text).replace("queryResults", verb);
}

/** Wall milliseconds since some instant. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Times of a question once the code is warm, shortest first. */
export async function times(ask: () => Promise<unknown>, rounds = 61, warm = 60): Promise<readonly number[]> {
  const found: number[] = [];
  for (let round = 0; round < rounds + warm; round += 1) {
    const start = now();
    await ask();
    if (round >= warm) found.push(now() - start);
  }
  return found.sort((left, right) => left - right);
}

export const medianOf = (sorted: readonly number[]) => sorted[sorted.length >> 1] ?? Number.NaN;

/** The median of what a busy neighbour disturbed least: of the faster half. */
export const quietOf = (sorted: readonly number[]) => sorted[sorted.length >> 2] ?? Number.NaN;
