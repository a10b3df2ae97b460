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

/**
 * The body as `append` and `modify` leave it. What would put another value in the place of one that was sent is no append but
 * a denial. https://learn.microsoft.com/azure/governance/policy/concepts/effect-append
 */
export function amended(
  estate: Estate,
  spot: Spot,
  subject: Subject,
  spared: (policy: Policy) => boolean,
): { readonly body: Json; readonly refused: readonly Refusal[] } {
  let body = subject.body;
  const refused: Refusal[] = [];
  for (const { code, policy } of enforced(estate, spot, ["append", "modify"], spared)) {
    const now = { ...subject, body };
    const verdict = evaluateRule(ruleOf(policy.definition), policy.parameters, now);
    if (!verdict.matches) continue;
    const appends = policy.definition.effect.toLowerCase() === "append";
    if (appends && edits(policy, now).some((edit) => replaces(body, edit))) refused.push({ policy: code, verdict });
    else body = changed(policy, now);
  }
  return { body, refused };
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

interface Edit {
  readonly path: readonly string[];
  readonly what: string;
  /** One more element of the array that stands there. */
  readonly isElement: boolean;
  /** Undefined takes the member out. */
  readonly value: Json;
}

/** What a policy's `details` set or remove: `operations` of modify, a list of fields of append. */
function edits({ definition, parameters }: Policy, subject: Subject): readonly Edit[] {
  const details = member(member(definition.rule, "then"), "details");
  const operations = Array.isArray(details) ? details : list(member(details, "operations"));
  return operations.flatMap((operation) => {
    const field = String(resolved(member(operation, "field"), parameters, subject) ?? "");
    const isElement = field.endsWith("[*]");
    const path = pathOf(isElement ? field.slice(0, -3) : field, subject.type);
    const what = text(operation, "operation").toLowerCase();
    const value = what === "remove" ? undefined : resolved(member(operation, "value"), parameters, subject);
    return path.length === 0 ? [] : [{ path, what, isElement, value }];
  });
}

function replaces(body: Json, { path, isElement, value }: Edit): boolean {
  const present = at(body, path);
  return !isElement && present !== undefined && JSON.stringify(present) !== JSON.stringify(value);
}

/** The body as the details of one policy leave it. */
export function changed(policy: Policy, subject: Subject): Json {
  return edits(policy, subject).reduce((body, { path, what, isElement, value }) => {
    const present = at(body, path);
    if (isElement && value !== undefined) return withMember(body, path, [...list(present), value]);
    return what === "add" && present !== undefined ? body : withMember(body, path, value);
  }, subject.body);
}

/** Members of a resource that stand beside its `properties`, whatever its aliases call them. */
const beside = new Set(["sku", "kind", "identity", "zones", "plan", "managedby", "extendedlocation"]);

/** Where a field stands in a body: tags and members at the top by their names, an alias mostly below `properties`. */
function pathOf(field: string, type: string): readonly string[] {
  const tag = /^tags(?:\.|\['?)(.+?)'?\]?$/i.exec(field)?.[1];
  if (tag !== undefined) return ["tags", tag];
  if (field === "" || field.includes("[*]")) return [];
  const prefix = `${type}/`.toLowerCase();
  if (!field.toLowerCase().startsWith(prefix)) return field.includes("/") ? [] : field.split(".");
  const path = field.slice(prefix.length).split(".");
  return beside.has((path[0] ?? "").toLowerCase()) ? path : ["properties", ...path];
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
