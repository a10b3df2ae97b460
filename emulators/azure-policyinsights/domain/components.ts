/** Parts of a resource that policies of data plane modes look at: pods of a cluster, certificates of a vault. */
import { nonCompliant } from "./compliance.ts";
import type { Estate } from "./estate.ts";
import { resourceId } from "./fields.ts";
import { mix } from "./hash.ts";
import type { Policy } from "./policies.ts";

export interface Component {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly compliance: number;
}

/** Definitions with components, and what their components are. */
const kinds: Readonly<Record<string, { readonly type: string; readonly prefix: string }>> = {
  "95edb821-ddaf-4404-9732-666045e056b4": { type: "pod", prefix: "default/pod-" },
};

/** A resource that complies has only components that do; of one that does not, the first does not. */
export function componentsOf(
  estate: Estate,
  resource: number,
  policy: Policy,
  compliance: number,
): readonly Component[] {
  const kind = kinds[policy.definition.id];
  if (!kind) return [];
  const hash = mix(estate.resources.hash[resource] ?? 0, policy.hash);
  return Array.from({ length: 2 + (hash % 4) }, (_, index) => {
    const name = `${kind.prefix}${mix(hash, index).toString(36)}`;
    return {
      id: `${resourceId(estate, resource)}/${kind.type}/${name.toLowerCase()}`,
      type: kind.type,
      name,
      compliance: compliance === nonCompliant && index > 0 && mix(hash, index + 100) % 3 !== 0 ? 1 : compliance,
    };
  });
}
