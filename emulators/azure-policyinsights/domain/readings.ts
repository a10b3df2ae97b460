/** What is worked out from an estate on first use and kept: time order and the compliance of a day. */
import { compliant, evaluate, nonCompliant, unknown } from "./compliance.ts";
import type { Estate } from "./estate.ts";
import { resourceId } from "./fields.ts";
import { mix } from "./hash.ts";
import { orderByTime } from "./scans.ts";

export interface Readings {
  readonly estate: Estate;
  /** Rows of each subscription, earliest in the scan first. */
  readonly byTime: Uint32Array;
  /** Compliance code of every row as evaluated in the scan of that day. */
  complianceOn(day: number): Uint8Array;
  /** Code of a resource, whatever the case of its id. */
  resourceCode(id: string): number | undefined;
}

/** "Audit resource location matches resource group location": the one built-in whose result can be seen in the record. */
const locationMatchesGroup = "0a914e76-4921-4c19-b460-a2d36003525a";
const daysKept = 9;

export function createReadings(estate: Estate): Readings {
  let byTime: Uint32Array | undefined;
  const days = new Map<number, Uint8Array>();
  return {
    estate,
    get byTime() {
      byTime ??= orderByTime(estate);
      return byTime;
    },
    complianceOn(day) {
      const known = days.get(day);
      if (known) return known;
      const codes = evaluateAll(estate, day);
      for (const oldest of days.keys()) {
        if (days.size < daysKept) break;
        days.delete(oldest);
      }
      days.set(day, codes);
      return codes;
    },
    resourceCode: (id) => findResource(estate, id.toLowerCase()),
  };
}

/** Looks only where the id says: the resources of one group lie together. */
function findResource(estate: Estate, id: string): number | undefined {
  const [, , subscriptionId = "", , groupName] = id.split("/");
  const subscription = estate.subscriptions.findIndex((each) => each.id === subscriptionId);
  const whole = estate.subscriptions[subscription];
  const rows =
    groupName === undefined
      ? whole?.rows
      : estate.groups.find((group) => group.subscription === subscription && group.name === groupName)?.rows;
  if (!rows || rows.first === rows.end) return undefined;
  const last = estate.rows.resource[rows.end - 1] ?? 0;
  for (let code = estate.rows.resource[rows.first] ?? 0; code <= last; code += 1) {
    if (resourceId(estate, code) === id) return code;
    if (groupName === undefined) return undefined; // a subscription's first resource is itself
  }
  return undefined;
}

function evaluateAll(estate: Estate, day: number): Uint8Array {
  const { rows, resources, policies, assignments } = estate;
  const manual = Uint8Array.from(policies, ({ definition }) => (definition.effect === "Manual" ? 1 : 0));
  const located = Uint8Array.from(policies, ({ definition }) => (definition.id === locationMatchesGroup ? 1 : 0));
  const policyHash = Uint32Array.from(policies, ({ hash }) => hash);
  const assignmentHash = Uint32Array.from(policies, ({ assignment }) => assignments[assignment]?.hash ?? 0);
  const home = Uint8Array.from(estate.groups, ({ location }) => location);
  const codes = new Uint8Array(rows.count);
  for (let row = 0; row < rows.count; row += 1) {
    const resource = rows.resource[row] ?? 0;
    const policy = rows.policy[row] ?? 0;
    const hash = resources.hash[resource] ?? 0;
    if (manual[policy] === 1) codes[row] = unknown;
    else if (located[policy] === 1)
      codes[row] = resources.location[resource] === home[resources.group[resource] ?? 0] ? compliant : nonCompliant;
    else codes[row] = evaluate(mix(hash, policyHash[policy] ?? 0), mix(assignmentHash[policy] ?? 0, hash), day);
  }
  return codes;
}
