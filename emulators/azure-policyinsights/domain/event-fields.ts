/** The members of a policy event: those of a state without versions, reasons and groups, and who caused it. */
import { type Field, fieldNamed, fields } from "./fields.ts";

const withoutThese = new Set([
  "complianceReasonCode",
  "policyDefinitionGroupNames",
  "policyDefinitionVersion",
  "policySetDefinitionVersion",
  "policyAssignmentVersion",
]);

export const eventFields: readonly Field[] = [
  ...fields.filter(({ name }) => !withoutThese.has(name)),
  { name: "tenantId", kind: "string", level: "subscription", text: ({ tenantId }) => tenantId },
  { name: "principalOid", kind: "string", level: "subscription", text: ({ principalOid }) => principalOid },
];

const byName: ReadonlyMap<string, Field> = new Map(eventFields.map((field) => [field.name.toLowerCase(), field]));

export function eventFieldNamed(name: string): Field | undefined {
  return byName.get(name.toLowerCase());
}

/** A member of any record, state or event: which of them may be named is up to whoever reads the query. */
export function recordFieldNamed(name: string): Field | undefined {
  return fieldNamed(name) ?? eventFieldNamed(name);
}
