/**
 * What Azure refuses of definitions, initiatives and assignments. Codes and, where somebody reported one, texts are the
 * service's own: github.com/MicrosoftDocs/azure-docs/issues/13435, github.com/Azure/azure-policy/issues/880,
 * github.com/Azure/terraform-azurerm-caf-enterprise-scale/pull/282, github.com/Azure/azure-powershell/issues/11996.
 */
import type { BuiltIn, Initiative } from "../domain/built-ins.ts";
import { isRecord, type Json, list, member, record, text } from "../domain/json.ts";
import { declaredBy, effectWith, overriddenEffect, parameterNamed, valuesOf } from "../domain/parameters.ts";
import { membersGiven } from "../domain/policies.ts";
import { operators } from "../domain/rules.ts";
import type { Catalogue } from "../domain/structure.ts";
import { reject } from "../errors.ts";

const effects = [
  "addtonetworkgroup",
  "append",
  "audit",
  "auditifnotexists",
  "deny",
  "denyaction",
  "deployifnotexists",
  "disabled",
  "manual",
  "modify",
  "mutate",
];
/** Effects that change resources, for which an assignment needs an identity. */
const changing = ["deployifnotexists", "modify"];

/** @throws ArmError 400 */
export function checkDefinition(name: string, properties: Json): void {
  const rule = member(properties, "policyRule");
  if (rule === undefined || rule === null) reject("InvalidRequestContent", "'properties.policyRule' is missing");
  if (!isRecord(rule)) unreadable("An object is expected. Path ''.");
  for (const key of Object.keys(rule))
    if (!["if", "then"].includes(key.toLowerCase()))
      unreadable(`Could not find member '${key}' on object of type 'PolicyRuleDefinition'. Path '${key}'.`);
  for (const key of ["if", "then"])
    if (!isRecord(member(rule, key))) unreadable(`Required property '${key}' not found in JSON. Path ''.`);
  checkCondition(member(rule, "if"), "if");
  checkEffect(name, properties, member(rule, "then"));
  checkUse(name, properties, JSON.stringify(rule));
}

function unreadable(why: string): never {
  return reject("InvalidPolicyRule", why);
}

function checkCondition(condition: Json, path: string): void {
  if (!isRecord(condition)) unreadable(`An object is expected. Path '${path}'.`);
  const keys = Object.keys(condition);
  const name = (wanted: string) => keys.find((key) => key.toLowerCase() === wanted.toLowerCase());
  for (const joined of ["allOf", "anyOf"]) {
    const key = name(joined);
    if (key === undefined) continue;
    const parts = condition[key];
    if (!Array.isArray(parts)) unreadable(`An array is expected. Path '${path}.${key}'.`);
    for (const [at, part] of parts.entries()) checkCondition(part, `${path}.${key}[${at}]`);
    return;
  }
  const not = name("not");
  if (not !== undefined) {
    checkCondition(condition[not], `${path}.${not}`);
    return;
  }
  const known = ["field", "value", "count", ...operators];
  const unknown = keys.find((key) => !known.some((each) => each.toLowerCase() === key.toLowerCase()));
  if (unknown !== undefined)
    unreadable(
      `Could not find member '${unknown}' on object of type 'LeafExpressionDefinition'. Path '${path}.${unknown}'.`,
    );
  if (!["field", "value", "count"].some((each) => name(each) !== undefined))
    unreadable(`One of 'field', 'value' and 'count' is expected. Path '${path}'.`);
  if (operators.filter((operator) => name(operator) !== undefined).length !== 1)
    unreadable(`One comparison is expected, such as 'equals' or 'exists'. Path '${path}'.`);
}

function checkEffect(name: string, properties: Json, then: Json): void {
  const given = text(then, "effect");
  if (given === "") unreadable("Required property 'effect' not found in JSON. Path 'then'.");
  const parameter = parameterNamed(given);
  const effect = parameter === undefined ? given : member(valuesOf(member(properties, "parameters"), {}), parameter);
  // Without a default, the assignment says it.
  if (typeof effect !== "string") return;
  const lower = effect.toLowerCase();
  if (!effects.includes(lower)) reject("InvalidPolicyRuleEffect", name, effect);
  const details = member(then, "details");
  const missing =
    (lower === "append" && details === undefined) ||
    (lower.endsWith("ifnotexists") && text(details, "type") === "") ||
    (lower === "modify" && list(member(details, "operations")).length === 0) ||
    (changing.includes(lower) && list(member(details, "roleDefinitionIds")).length === 0);
  if (missing) reject("InvalidPolicyRuleEffectDetails", name);
}

/** Every parameter that is declared is used, and every one that is used is declared. */
function checkUse(name: string, properties: Json, rule: string): void {
  const declared = Object.keys(record(member(properties, "parameters")));
  const used = new Set(
    Array.from(rule.matchAll(/parameters\(\s*'([^']+)'\s*\)/gi), ([, each = ""]) => each.toLowerCase()),
  );
  const unused = declared.filter((each) => !used.has(each.toLowerCase()));
  if (unused.length > 0) reject("UnusedPolicyParameters", name, unused.join(","));
  const undeclared = [...used].find((each) => !declared.some((one) => one.toLowerCase() === each));
  if (undeclared !== undefined) unreadable(`The parameter '${undeclared}' is not defined.`);
}

/** @throws ArmError 400 or 404 */
export function checkSet(name: string, properties: Json, catalogue: Catalogue): void {
  const members = list(member(properties, "policyDefinitions"));
  if (members.length === 0) reject("InvalidRequestContent", "'properties.policyDefinitions' is missing or empty");
  const own = record(member(properties, "parameters"));
  const references = new Set<string>();
  for (const each of members) {
    const id = text(each, "policyDefinitionId");
    if (/\/policySetDefinitions\//i.test(id))
      reject(
        "InvalidCreatePolicySetDefinitionRequest",
        name,
        "Referenced policy definitions must be of type 'Microsoft.Authorization/policyDefinitions'.",
      );
    const definition = catalogue.definition(id) ?? reject("PolicyDefinitionNotFound", id);
    const reference = text(each, "policyDefinitionReferenceId").toLowerCase();
    if (reference !== "" && references.has(reference))
      reject("InvalidCreatePolicySetDefinitionRequest", name, `The reference id '${reference}' is used twice.`);
    references.add(reference);
    const given = record(member(each, "parameters"));
    checkGiven(`policy set definition '${name}'`, { name: definition.id, declared: declaredBy(definition) }, given, {
      undefinedToo: definition.scope !== undefined,
      verb: "is attempting to assign",
    });
    const handed = Object.values(given).map((value) => parameterNamed(text(value, "value")));
    const unknown = handed.find((parameter) => parameter !== undefined && member(own, parameter) === undefined);
    if (unknown !== undefined)
      reject("InvalidCreatePolicySetDefinitionRequest", name, `The parameter '${unknown}' is not defined.`);
  }
}

/** @throws ArmError 400 */
export function checkAssignment(name: string, body: Json, of: BuiltIn | Initiative): void {
  const properties = member(body, "properties");
  const initiative = "groupPrefix" in of;
  const mode = member(properties, "enforcementMode") ?? "Default";
  if (mode !== "Default" && mode !== "DoNotEnforce")
    reject("InvalidRequestContent", `'enforcementMode' must be Default or DoNotEnforce, not '${String(mode)}'`);
  const declared = initiative ? of.parameters : declaredBy(of);
  const given = member(properties, "parameters");
  // What is built in declares more here than its compact rule asks for: an unknown name may be one of those.
  checkGiven(`policy assignment '${name}'`, { name: of.id, declared }, given, {
    undefinedToo: of.scope !== undefined,
    verb: "has",
  });
  const identity = text(member(body, "identity"), "type");
  const hasIdentity = identity !== "" && identity.toLowerCase() !== "none";
  if (hasIdentity && text(body, "location") === "") reject("LocationRequired");
  const effect = effectsOf(of, properties).find((each) => changing.includes(each.toLowerCase()));
  if (effect !== undefined && !hasIdentity) reject("ResourceIdentityRequired", name, effect);
}

/** Of a definition, or of each that an initiative has, as an assignment would have them. */
function effectsOf(of: BuiltIn | Initiative, properties: Json): readonly string[] {
  const given = member(properties, "parameters");
  const overrides = member(properties, "overrides");
  if (!("groupPrefix" in of))
    return [overriddenEffect(overrides, "") ?? effectWith(of, valuesOf(declaredBy(of), given))];
  return membersGiven(of, given).map(
    ({ definition, reference, parameters }) =>
      overriddenEffect(overrides, reference) ?? effectWith(definition, valuesOf(declaredBy(definition), parameters)),
  );
}

/** Parameters that are given for what is declared: all of those without a default, no others, of the allowed values. */
function checkGiven(
  who: string,
  { name, declared }: { readonly name: string; readonly declared: Json },
  given: Json,
  { undefinedToo, verb }: { readonly undefinedToo: boolean; readonly verb: string },
): void {
  const unknown = Object.keys(record(given)).filter((each) => member(declared, each) === undefined);
  if (undefinedToo && unknown.length > 0) reject("UndefinedPolicyParameter", `${who} ${verb}`, unknown.join(","), name);
  const missing: string[] = [];
  for (const [parameter, declaration] of Object.entries(record(declared))) {
    const value = member(member(given, parameter), "value");
    if (value === undefined && member(declaration, "defaultValue") === undefined) missing.push(parameter);
    const allowed = list(member(declaration, "allowedValues"));
    const handedOn = typeof value === "string" && parameterNamed(value) !== undefined;
    if (value === undefined || handedOn || allowed.length === 0) continue;
    const wrong = list(Array.isArray(value) ? value : [value]).find((each) => !allowed.includes(each));
    if (wrong !== undefined)
      reject("PolicyParameterValueNotAllowed", String(wrong), parameter, name, allowed.map(String).join(", "));
  }
  if (missing.length > 0) reject("MissingPolicyParameter", who, missing.join(","), name);
}
