/**
 * Policy rules: `allOf`, `anyOf`, `not`, comparisons of fields and values, and the template functions that built-in
 * rules use most. Built-in definitions have a compact rule of our own, made from the member they look at.
 * https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule
 */
import type { BuiltIn } from "./built-ins.ts";
import { factFor } from "./facts.ts";
import { isRecord, type Json, list, member, text } from "./json.ts";
import type { Values } from "./parameters.ts";
import { resourceTypes } from "./resource-types.ts";

/** What a rule looks at. */
export interface Subject {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly location: string;
  readonly body: Json;
  /** How many resources of a type belong to it, by type. */
  readonly related: Readonly<Record<string, number>>;
  readonly groupLocation: string;
  readonly groupName: string;
}

/** One comparison, as `policyEvaluationDetails` shows it. */
export interface Comparison {
  readonly result: boolean;
  readonly expression: string;
  readonly kind: "Field" | "Value" | "Count";
  readonly path: string;
  readonly value: Json;
  readonly target: Json;
  readonly operator: string;
}

export interface Rule {
  readonly if: Json;
  /** Of AuditIfNotExists and DeployIfNotExists: the type that must belong to the resource. */
  readonly related: string | undefined;
}

export interface Verdict {
  /** True when the rule finds fault. */
  readonly matches: boolean;
  readonly comparisons: readonly Comparison[];
}

/** The parameter that the rule of a built-in definition asks for, its type and the comparison it makes. */
const parameterised: Readonly<Record<string, Json>> = {
  "e56962a6-4747-49cd-b67b-bf8b01975c4c": { field: "location", notIn: "[parameters('listOfAllowedLocations')]" },
  "0a914e76-4921-4c19-b460-a2d36003525a": { field: "location", notEquals: "[resourceGroup().location]" },
  "871b6d14-10aa-478d-b590-94f262ecfa99": { field: "[concat('tags[', parameters('tagName'), ']')]", exists: "false" },
  "96670d01-0a4d-4649-9c89-2d3abc0a5025": { field: "[concat('tags[', parameters('tagName'), ']')]", exists: "false" },
  "ea3f2387-9b95-492a-a190-fcdc54f7b070": { field: "[concat('tags[', parameters('tagName'), ']')]", exists: "false" },
  "2a0e14a6-b0a6-4fab-991a-187a4f81c498": { field: "[concat('tags[', parameters('tagName'), ']')]", exists: "false" },
  "6c112d4e-5bc7-47ae-a041-ea2d9dccd749": { field: "type", in: "[parameters('listOfResourceTypesNotAllowed')]" },
  "78460a36-508a-49a4-b2b2-2f5ec564f4bb": {
    field: "type",
    in: "[parameters('listOfResourceTypesDisallowedForDeletion')]",
  },
};

export function ruleOf(definition: BuiltIn): Rule {
  if (definition.rule !== undefined) {
    const then = member(definition.rule, "then");
    const related = definition.effect.toLowerCase().endsWith("ifnotexists")
      ? text(member(then, "details"), "type")
      : "";
    return { if: member(definition.rule, "if"), related: related === "" ? undefined : related };
  }
  const own = parameterised[definition.id];
  if (own !== undefined) return { if: own, related: undefined };
  const types = Array.isArray(definition.on)
    ? definition.on.flatMap((key) => resourceTypes.find((type) => type.key === key)?.type ?? [])
    : [];
  const ofType: Json = { field: "type", in: types };
  const fact = factFor(definition);
  if (!fact) return { if: ofType, related: undefined };
  if (fact.path.startsWith("related.")) return { if: ofType, related: fact.alias };
  const wrong: Json =
    typeof fact.good === "object"
      ? {
          anyOf: [
            { field: fact.alias, exists: "false" },
            { field: fact.alias, equals: [] },
          ],
        }
      : { field: fact.alias, notEquals: fact.good as Json };
  return { if: { allOf: [ofType, wrong] }, related: undefined };
}

export function evaluateRule(rule: Rule, parameters: Values, subject: Subject): Verdict {
  const comparisons: Comparison[] = [];
  const context: Context = { subject, parameters, comparisons };
  const applies = condition(rule.if, context, "if");
  if (rule.related === undefined) return { matches: applies, comparisons };
  const wanted = rule.related.toLowerCase();
  const found = Object.entries(subject.related).find(([type]) => type.toLowerCase() === wanted)?.[1] ?? 0;
  return { matches: applies && found === 0, comparisons };
}

/** A value of a rule with its template expressions worked out. */
export function resolved(value: Json, parameters: Values, subject: Subject): Json {
  return resolve(value, { subject, parameters, comparisons: [] });
}

interface Context {
  readonly subject: Subject;
  readonly parameters: Values;
  readonly comparisons: Comparison[];
  /** Elements that `count` looks at, the innermost first, each by the name that its conditions use. */
  readonly counted?: readonly { readonly name: string; readonly element: Json }[];
}

function condition(json: Json, context: Context, path: string): boolean {
  const all = member(json, "allOf");
  if (all !== undefined) return list(all).every((part, at) => condition(part, context, `${path}.allOf[${at}]`));
  const any = member(json, "anyOf");
  if (any !== undefined) return list(any).some((part, at) => condition(part, context, `${path}.anyOf[${at}]`));
  const not = member(json, "not");
  if (not !== undefined) return !condition(not, context, `${path}.not`);
  return comparison(json, context, path);
}

export const operators = [
  "equals",
  "notEquals",
  "like",
  "notLike",
  "match",
  "notMatch",
  "contains",
  "notContains",
  "in",
  "notIn",
  "containsKey",
  "notContainsKey",
  "less",
  "lessOrEquals",
  "greater",
  "greaterOrEquals",
  "exists",
] as const;
type Operator = (typeof operators)[number];

function comparison(json: Json, context: Context, path: string): boolean {
  const operator = operators.find((name) => member(json, name) !== undefined);
  if (!operator || !isRecord(json)) return false;
  const target = resolve(member(json, operator), context);
  const counting = member(json, "count");
  if (counting !== undefined) {
    const value = countOf(counting, context);
    const result = compare(operator, value, target);
    const expression = text(counting, "field") || text(counting, "name") || "value";
    const shown = operator.charAt(0).toUpperCase() + operator.slice(1);
    context.comparisons.push({ result, expression, kind: "Count", path: expression, value, target, operator: shown });
    return result;
  }
  const field = member(json, "field");
  const expression = field === undefined ? member(json, "value") : resolve(field, context);
  const name = typeof expression === "string" ? expression : JSON.stringify(expression ?? null);
  const values = field === undefined ? [resolve(expression, context)] : valuesFor(name, context);
  const negative = operator.startsWith("not");
  // Of an array every element must pass; nothing at all passes only what is negative.
  const result =
    values.length === 0 ? negative || operator === "exists" : values.every((value) => compare(operator, value, target));
  const [first] = values;
  context.comparisons.push({
    result,
    expression: name,
    kind: field === undefined ? "Value" : "Field",
    path:
      field === undefined
        ? path
        : name.startsWith("Microsoft.")
          ? `properties.${name.split("/").slice(2).join(".")}`
          : name,
    value: values.length > 1 ? values : first,
    target,
    operator: operator.charAt(0).toUpperCase() + operator.slice(1),
  });
  return result;
}

/** How many elements of a field or of a value satisfy `where`. */
function countOf(counting: Json, context: Context): number {
  const field = text(counting, "field");
  const elements = field === "" ? list(resolve(member(counting, "value"), context)) : valuesFor(field, context);
  const name = field || text(counting, "name") || "default";
  const where = member(counting, "where");
  const found = elements.filter(
    (element) =>
      element !== undefined &&
      (where === undefined ||
        condition(
          where,
          { ...context, comparisons: [], counted: [{ name, element }, ...(context.counted ?? [])] },
          "where",
        )),
  );
  return found.length;
}

/** Values of a field, which inside a `count` may be of the element that is looked at. */
function valuesFor(name: string, { subject, counted = [] }: Context): readonly Json[] {
  const lower = name.toLowerCase();
  for (const { name: own, element } of counted) {
    if (lower === own.toLowerCase()) return [element];
    if (lower.startsWith(`${own.toLowerCase()}.`)) return along(element, name.slice(own.length + 1).split("."));
  }
  return fieldValues(name, subject);
}

function compare(operator: Operator, value: Json, target: Json): boolean {
  switch (operator) {
    case "equals":
      return same(value, target);
    case "notEquals":
      return !same(value, target);
    case "like":
      return like(value, target);
    case "notLike":
      return !like(value, target);
    case "match":
      return matches(value, target);
    case "notMatch":
      return !matches(value, target);
    case "contains":
      return plain(value).includes(plain(target));
    case "notContains":
      return !plain(value).includes(plain(target));
    case "in":
      return list(target).some((each) => same(value, each));
    case "notIn":
      return !list(target).some((each) => same(value, each));
    case "containsKey":
      return member(value, plain(target)) !== undefined;
    case "notContainsKey":
      return member(value, plain(target)) === undefined;
    case "less":
      return order(value, target) < 0;
    case "lessOrEquals":
      return order(value, target) <= 0;
    case "greater":
      return order(value, target) > 0;
    case "greaterOrEquals":
      return order(value, target) >= 0;
    case "exists":
      return (value !== undefined && value !== null) === (plain(target) !== "false");
  }
}

function plain(value: Json): string {
  return typeof value === "object" && value !== null
    ? JSON.stringify(value).toLowerCase()
    : String(value ?? "").toLowerCase();
}

/** Texts, numbers and booleans compare without regard to case or type, as Azure's do. */
function same(left: Json, right: Json): boolean {
  return (
    plain(left) === plain(right) && (left === undefined || left === null) === (right === undefined || right === null)
  );
}

function order(left: Json, right: Json): number {
  const [one, other] = [Number(left), Number(right)];
  if (Number.isFinite(one) && Number.isFinite(other)) return one - other;
  return plain(left) < plain(right) ? -1 : plain(left) > plain(right) ? 1 : 0;
}

/** One `*` stands for anything. */
function like(value: Json, pattern: Json): boolean {
  const [head = "", ...rest] = plain(pattern).split("*");
  const tail = rest.join("*");
  const subject = plain(value);
  if (rest.length === 0) return subject === head;
  return subject.length >= head.length + tail.length && subject.startsWith(head) && subject.endsWith(tail);
}

/** `#` is a digit, `?` a letter, `.` any character. */
function matches(value: Json, pattern: Json): boolean {
  const [subject, wanted] = [String(value ?? ""), String(pattern ?? "")];
  if (subject.length !== wanted.length) return false;
  return [...wanted].every((sign, at) => {
    const own = subject.charAt(at);
    if (sign === "#") return /\d/.test(own);
    if (sign === "?") return /[a-z]/i.test(own);
    return sign === "." || sign === own;
  });
}

/** Values of a field; several for an array alias with `[*]`. */
function fieldValues(name: string, { id, name: own, type, location, body, groupName }: Subject): readonly Json[] {
  const lower = name.toLowerCase();
  switch (lower) {
    case "id":
      return [id];
    case "name":
    case "fullname":
      return [own];
    case "type":
      return [type];
    case "location":
      return [location];
    case "resourcegroup":
      return [groupName];
  }
  const tag = /^tags(?:\.|\['?)(.+?)'?\]?$/i.exec(name)?.[1];
  if (tag !== undefined) return [member(member(body, "tags"), tag)];
  const prefix = `${type.toLowerCase()}/`;
  if (!lower.startsWith("microsoft.")) return along(body, name.split("."));
  if (!lower.startsWith(prefix)) return [undefined];
  const path = name.slice(prefix.length).split(".");
  const inside = along(member(body, "properties"), path);
  return inside.length === 1 && inside[0] === undefined ? along(body, path) : inside;
}

function along(value: Json, path: readonly string[]): readonly Json[] {
  const [head, ...rest] = path;
  if (head === undefined) return [value];
  if (!head.endsWith("[*]")) return along(member(value, head), rest);
  return list(member(value, head.slice(0, -3))).flatMap((each) => along(each, rest));
}

/** Template expressions: `parameters`, `concat`, `field`, `resourceGroup().location|name`, `subscription().subscriptionId`. */
function resolve(value: Json, context: Context): Json {
  if (Array.isArray(value)) return value.map((each) => resolve(each, context));
  if (typeof value !== "string" || !value.startsWith("[") || !value.endsWith("]") || value.startsWith("[["))
    return value;
  return call(value.slice(1, -1).trim(), context, 0);
}

function call(expression: string, context: Context, depth: number): Json {
  const quoted = /^'((?:[^']|'')*)'$/.exec(expression)?.[1];
  if (quoted !== undefined) return quoted.replaceAll("''", "'");
  if (/^-?\d+$/.test(expression)) return Number(expression);
  const { subject } = context;
  switch (expression.toLowerCase().replaceAll(" ", "")) {
    case "resourcegroup().location":
      return subject.groupLocation;
    case "resourcegroup().name":
      return subject.groupName;
    case "subscription().subscriptionid":
      return subject.id.split("/")[2] ?? "";
  }
  const found = /^(\w+)\((.*)\)$/s.exec(expression);
  if (!found || depth > 20) return expression;
  const args = splitArguments(found[2] ?? "").map((each) => call(each, context, depth + 1));
  switch (found[1]?.toLowerCase()) {
    case "parameters":
      return member(context.parameters, String(args[0] ?? ""));
    case "concat":
      return args.map((each) => String(each ?? "")).join("");
    case "field":
      return valuesFor(String(args[0] ?? ""), context)[0];
    case "current":
      return args.length === 0 ? context.counted?.[0]?.element : valuesFor(String(args[0]), context)[0];
    case "tolower":
      return String(args[0] ?? "").toLowerCase();
    case "toupper":
      return String(args[0] ?? "").toUpperCase();
    case "empty":
      return plain(args[0]) === "" || plain(args[0]) === "[]" || plain(args[0]) === "{}";
    default:
      return expression;
  }
}

function splitArguments(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let part = "";
  for (const sign of text) {
    if (sign === "'") quoted = !quoted;
    if (!quoted && sign === "(") depth += 1;
    if (!quoted && sign === ")") depth -= 1;
    if (!quoted && depth === 0 && sign === ",") {
      parts.push(part.trim());
      part = "";
    } else part += sign;
  }
  if (part.trim() !== "") parts.push(part.trim());
  return parts;
}
