/** `checkPolicyRestrictions`: what the policies at a scope would say to a resource that does not exist yet. */
import type { Estate } from "./estate.ts";
import { definitionId, setId } from "./fields.ts";
import { type Json, list, member, record, text } from "./json.ts";
import { looksAt, policiesAt } from "./on-write.ts";
import type { Readings } from "./readings.ts";
import { evaluateRule, ruleOf, type Subject } from "./rules.ts";
import type { ScopeName } from "./scope.ts";
import { typeKey } from "./structure.ts";

interface Place {
  readonly segments: readonly string[];
  readonly name: ScopeName;
  readonly subscription: number;
}

export function restrictionsFor({ estate }: Readings, place: Place, body: Json) {
  const details = member(body, "resourceDetails");
  const content = record(member(details, "resourceContent"));
  const group = estate.groups.find(
    (each) =>
      place.name.tag === "group" &&
      each.subscription === place.subscription &&
      each.name.toLowerCase() === place.name.name.toLowerCase(),
  );
  const type = text(content, "type");
  const subject: Subject = {
    id: `/${place.segments.join("/")}/providers/${type}/${text(content, "name")}`,
    name: text(content, "name"),
    type,
    location: text(content, "location"),
    body: content,
    related: {},
    groupLocation: estate.locations[group?.location ?? 0] ?? "",
    groupName: group?.name ?? "",
  };
  const audits = member(body, "includeAuditEffect") === true;
  const applicable = applicablePolicies(
    estate,
    place,
    group ? estate.groups.indexOf(group) : undefined,
    typeKey(type, content),
    audits,
  );
  const evaluations = applicable.map((policy) => evaluationOf(estate, policy, subject));
  return {
    fieldRestrictions: list(member(body, "pendingFields")).map((pending) => ({
      field: text(pending, "field"),
      restrictions: applicable.flatMap((policy) => restrictionOf(estate, policy, subject, pending) ?? []),
    })),
    contentEvaluationResult: { policyEvaluations: evaluations },
  };
}

function applicablePolicies(
  estate: Estate,
  { name, subscription }: Place,
  group: number | undefined,
  key: string,
  audits: boolean,
): readonly number[] {
  const effects = audits ? ["deny", "append", "modify", "audit"] : ["deny", "append", "modify"];
  const codes =
    name.tag === "managementGroup"
      ? estate.policies.flatMap((policy, code) =>
          policy.group === undefined &&
          policy.subscriptions.some((each) => under(estate, each, name.name)) &&
          looksAt(estate, policy, key)
            ? [code]
            : [],
        )
      : policiesAt(estate, { subscription, group, key });
  return codes.filter((code) => effects.includes(estate.policies[code]?.definition.effect.toLowerCase() ?? ""));
}

function under(estate: Estate, subscription: number, managementGroup: string): boolean {
  const groups = estate.subscriptions[subscription]?.managementGroups ?? [];
  return groups.some((each) => each.toLowerCase() === managementGroup.toLowerCase());
}

function infoOf(estate: Estate, code: number) {
  const policy = estate.policies[code];
  const assignment = estate.assignments[policy?.assignment ?? -1];
  return {
    policyDefinitionId: policy ? definitionId(policy.definition) : "",
    policySetDefinitionId: assignment?.initiative ? setId(assignment.initiative) : "",
    policyDefinitionReferenceId: policy?.reference ?? "",
    policyAssignmentId: assignment?.id ?? "",
  };
}

function judged(estate: Estate, code: number, subject: Subject) {
  const policy = estate.policies[code];
  if (!policy) return { matches: false, comparisons: [], effect: "" };
  return {
    ...evaluateRule(ruleOf(policy.definition), policy.parameters, subject),
    effect: policy.definition.effect.toLowerCase(),
  };
}

function evaluationOf(estate: Estate, code: number, subject: Subject) {
  const { matches, comparisons, effect } = judged(estate, code, subject);
  return {
    policyInfo: infoOf(estate, code),
    evaluationResult: matches ? "NonCompliant" : "Compliant",
    evaluationDetails: {
      evaluatedExpressions: comparisons.map(({ result, expression, kind, path, value, target, operator }) => ({
        result: result ? "True" : "False",
        expression,
        expressionKind: kind,
        path,
        expressionValue: value ?? null,
        targetValue: target ?? null,
        operator,
      })),
    },
    effectDetails: { policyEffect: effect },
  };
}

/** A value of the field that the policy would not take, or the field that it asks for. */
function restrictionOf(estate: Estate, code: number, subject: Subject, pending: Json) {
  const field = text(pending, "field");
  const about = judged(estate, code, subject).comparisons.some(
    ({ expression }) => tagName(expression) === tagName(field),
  );
  if (!about) return undefined;
  const policy = estate.policies[code];
  const effect = policy?.definition.effect.toLowerCase() ?? "";
  const base = { policy: infoOf(estate, code), policyEffect: effect, reason: policy?.definition.name ?? "" };
  const values = list(member(pending, "values")).map(String);
  const refused = values.filter((value) => judged(estate, code, withField(subject, field, value)).matches);
  const missing = judged(estate, code, subject).matches;
  if (values.length === 0) return missing ? { result: effect === "audit" ? "Audit" : "Required", ...base } : undefined;
  return refused.length === 0 ? undefined : { result: effect === "audit" ? "Audit" : "Deny", values: refused, ...base };
}

/** One form for `tags.x`, `tags['x']` and `tags[x]`. */
function tagName(field: string): string {
  return field
    .toLowerCase()
    .replaceAll(/[[\]']/g, ".")
    .replaceAll(/\.+/g, ".")
    .replace(/\.$/, "");
}

function withField(subject: Subject, field: string, value: string): Subject {
  const name = tagName(field);
  if (name === "location") return { ...subject, location: value };
  if (name === "type") return { ...subject, type: value };
  const body = record(subject.body);
  if (name.startsWith("tags.")) {
    const tag = field.replace(/^tags(\.|\['?)/i, "").replace(/'?\]$/, "");
    return { ...subject, body: { ...body, tags: { ...record(body.tags), [tag]: value } } };
  }
  return subject;
}
