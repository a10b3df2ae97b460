/**
 * What policies make of a write before it is one: first members are added and replaced, then whoever finds fault refuses.
 * https://learn.microsoft.com/azure/governance/policy/concepts/effect-basics#order-of-evaluation
 */
import type { Estate } from "./estate.ts";
import { type Json, list, member, record, text } from "./json.ts";
import type { Policy } from "./policies.ts";
import { evaluateRule, resolved, ruleOf, type Subject, type Verdict } from "./rules.ts";

/** Where something is written: codes. */
export interface Spot {
  readonly subscription: number;
  readonly group: number | undefined;
  /** Of a resource type, or the type in lower case where the estate has none of it. */
  readonly key: string;
}

/** A policy that refuses a write, and what it found. */
export interface Refusal {
  readonly policy: number;
  readonly verdict: Verdict;
}

/** Codes of the policies that look at a kind of resource in a place. */
export function policiesAt(estate: Estate, { subscription, group, key }: Spot): readonly number[] {
  return estate.policies.flatMap((policy, code) => {
    const reaches =
      policy.subscriptions.includes(subscription) &&
      (policy.group === undefined || policy.group === group) &&
      (group === undefined || !policy.without.includes(group));
    return reaches && looksAt(estate, policy, key) ? [code] : [];
  });
}

export function looksAt({ types }: Estate, { definition: { on } }: Policy, key: string): boolean {
  if (typeof on !== "string") return on.includes(key);
  const kind = types.find((each) => each.key === key);
  return on === "all" || (kind?.indexed ?? true);
}

/** Of those that are enforced, by effect in lower case. `spared` are the policies that a resource is exempt from. */
function enforced(estate: Estate, spot: Spot, effects: readonly string[], spared: (policy: Policy) => boolean) {
  return policiesAt(estate, spot).flatMap((code) => {
    const policy = estate.policies[code];
    const works =
      policy !== undefined &&
      effects.includes(policy.definition.effect.toLowerCase()) &&
      estate.assignments[policy.assignment]?.enforced === true &&
      !spared(policy);
    return works ? [{ code, policy }] : [];
  });
}

/** The body as `append` and `modify` leave it. */
export function amended(estate: Estate, spot: Spot, subject: Subject, spared: (policy: Policy) => boolean): Json {
  let body = subject.body;
  for (const { policy } of enforced(estate, spot, ["append", "modify"], spared)) {
    const now = { ...subject, body };
    if (evaluateRule(ruleOf(policy.definition), policy.parameters, now).matches) body = changed(policy, now);
  }
  return body;
}

export function refusals(
  estate: Estate,
  spot: Spot,
  subject: Subject,
  { effect, spared }: { readonly effect: "deny" | "denyaction"; readonly spared: (policy: Policy) => boolean },
): readonly Refusal[] {
  return enforced(estate, spot, [effect], spared).flatMap(({ code, policy }) => {
    const verdict = evaluateRule(ruleOf(policy.definition), policy.parameters, subject);
    return verdict.matches ? [{ policy: code, verdict }] : [];
  });
}

/** The body with what a policy's `details` set or remove: `operations` of modify, a list of fields of append. */
export function changed({ definition, parameters }: Policy, subject: Subject): Json {
  const details = member(member(definition.rule, "then"), "details");
  const operations = Array.isArray(details) ? details : list(member(details, "operations"));
  let body = subject.body;
  for (const operation of operations) {
    const now = { ...subject, body };
    const field = String(resolved(member(operation, "field"), parameters, now) ?? "");
    const what = text(operation, "operation").toLowerCase();
    const path = pathOf(field, subject.type);
    if (path.length === 0 || (what === "add" && at(body, path) !== undefined)) continue;
    const value = what === "remove" ? undefined : resolved(member(operation, "value"), parameters, now);
    body = withMember(body, path, value);
  }
  return body;
}

/** Where a field stands in a body: tags and members at the top by their names, an alias below `properties`. */
function pathOf(field: string, type: string): readonly string[] {
  const tag = /^tags(?:\.|\['?)(.+?)'?\]?$/i.exec(field)?.[1];
  if (tag !== undefined) return ["tags", tag];
  const prefix = `${type}/`.toLowerCase();
  if (field.toLowerCase().startsWith(prefix)) return ["properties", ...field.slice(prefix.length).split(".")];
  return field.includes("/") || field === "" || field.includes("[*]") ? [] : field.split(".");
}

function at(body: Json, path: readonly string[]): Json {
  return path.reduce<Json>((value, name) => member(value, name), body);
}

/** The body with a member set, or taken out where there is no value. */
export function withMember(body: Json, [head, ...rest]: readonly string[], value: Json): Json {
  if (head === undefined) return value;
  const own = record(body);
  const name = Object.keys(own).find((each) => each.toLowerCase() === head.toLowerCase()) ?? head;
  const below = withMember(own[name], rest, value);
  if (below !== undefined) return { ...own, [name]: below };
  const { [name]: _, ...others } = own;
  return others;
}
