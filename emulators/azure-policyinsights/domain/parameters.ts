/**
 * What the parameters and the effect of a policy come to: a definition declares them, an initiative hands some on, and an
 * assignment gives their values.
 * https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-parameters
 */
import type { BuiltIn } from "./built-ins.ts";
import { isRecord, type Json, list, member, record, text } from "./json.ts";

/** By name, as the declaration writes it. */
export type Values = Readonly<Record<string, Json>>;

/** Effects that one may be replaced by, where a built-in definition has a parameter for it; in lower case it is fixed. */
const effects: Readonly<Record<string, readonly string[]>> = {
  Audit: ["Audit", "Deny", "Disabled"],
  Deny: ["Audit", "Deny", "Disabled"],
  AuditIfNotExists: ["AuditIfNotExists", "Disabled"],
  DeployIfNotExists: ["DeployIfNotExists", "Disabled"],
  DenyAction: ["DenyAction", "Disabled"],
  Manual: ["Manual", "Disabled"],
};

/** Parameters without a default that the rules of built-in definitions ask for. */
const asked: Readonly<Record<string, Readonly<Record<string, "String" | "Array">>>> = {
  "e56962a6-4747-49cd-b67b-bf8b01975c4c": { listOfAllowedLocations: "Array" },
  "871b6d14-10aa-478d-b590-94f262ecfa99": { tagName: "String" },
  "96670d01-0a4d-4649-9c89-2d3abc0a5025": { tagName: "String" },
  "ea3f2387-9b95-492a-a190-fcdc54f7b070": { tagName: "String" },
  "2a0e14a6-b0a6-4fab-991a-187a4f81c498": { tagName: "String", tagValue: "String" },
  "6c112d4e-5bc7-47ae-a041-ea2d9dccd749": { listOfResourceTypesNotAllowed: "Array" },
  "78460a36-508a-49a4-b2b2-2f5ec564f4bb": { listOfResourceTypesDisallowedForDeletion: "Array" },
};

/** `parameters` of a definition, as Azure Resource Manager shows them. */
export function declaredBy({ id, scope, effect, parameters }: BuiltIn): Json {
  if (scope !== undefined) return parameters;
  const allowedValues = effects[effect];
  const metadata = { displayName: "Effect", description: "Enable or disable the execution of the policy" };
  return {
    ...Object.fromEntries(Object.entries(asked[id] ?? {}).map(([name, type]) => [name, { type }])),
    ...(allowedValues ? { effect: { type: "String", metadata, allowedValues, defaultValue: effect } } : {}),
  };
}

/** The values that `given` - `{ name: { value } }` - has for declared parameters, or their defaults. */
export function valuesOf(declared: Json, given: Json): Values {
  return Object.fromEntries(
    Object.entries(record(declared)).map(([name, declaration]) => {
      const value = member(member(given, name), "value");
      return [name, value === undefined ? member(declaration, "defaultValue") : value];
    }),
  );
}

/** What an initiative gives a definition of its own: `[parameters('x')]` stands for the value that `own` has. */
export function handedOn(given: Json, own: Values): Json {
  if (Array.isArray(given)) return given.map((each) => handedOn(each, own));
  if (isRecord(given))
    return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, handedOn(value, own)]));
  const name = typeof given === "string" ? parameterNamed(given) : undefined;
  return name === undefined ? given : member(own, name);
}

/** The name in `[parameters('name')]`. */
export function parameterNamed(expression: string): string | undefined {
  return /^\[\s*parameters\(\s*'([^']+)'\s*\)\s*\]$/i.exec(expression)?.[1];
}

/** The effect that a definition has with these values. */
export function effectWith({ scope, effect, rule }: BuiltIn, values: Values): string {
  const name = scope === undefined ? "effect" : parameterNamed(text(member(rule, "then"), "effect"));
  const given = name === undefined ? undefined : member(values, name);
  return typeof given === "string" ? given : effect;
}

/** The effect that an assignment's `overrides` put in its place, for a definition by its reference in an initiative. */
export function overriddenEffect(overrides: Json, reference: string): string | undefined {
  const found = list(overrides).findLast(
    (each) =>
      text(each, "kind").toLowerCase() === "policyeffect" &&
      list(member(each, "selectors")).every((selector) => selects(selector, reference)),
  );
  return found === undefined ? undefined : text(found, "value");
}

function selects(selector: Json, reference: string): boolean {
  if (text(selector, "kind").toLowerCase() !== "policydefinitionreferenceid") return true;
  const names = (which: string) => list(member(selector, which)).map((each) => String(each).toLowerCase());
  const wanted = reference.toLowerCase();
  const only = names("in");
  return (only.length === 0 || only.includes(wanted)) && !names("notIn").includes(wanted);
}

/** A definition under the effect that an assignment gives it. What is disabled looks at nothing. */
export function underEffect(definition: BuiltIn, effect: string): BuiltIn {
  if (effect.toLowerCase() === "disabled") return { ...definition, effect, on: [] };
  return effect === definition.effect ? definition : { ...definition, effect };
}
