/** Definitions, initiatives and assignments as Azure Resource Manager shows them. */
import { type BuiltIn, type Initiative, membersOf } from "../domain/built-ins.ts";
import { setId } from "../domain/fields.ts";
import { type Json, record } from "../domain/json.ts";
import { declaredBy } from "../domain/parameters.ts";
import type { Assignment } from "../domain/policies.ts";
import { ruleOf } from "../domain/rules.ts";

export function renderDefinition(definition: BuiltIn) {
  const { if: condition, related } = ruleOf(definition);
  const parameters = record(declaredBy(definition));
  const then = {
    effect: parameters.effect === undefined ? definition.effect : "[parameters('effect')]",
    ...(related === undefined ? {} : { details: { type: related } }),
  };
  return {
    properties: {
      displayName: definition.name,
      policyType: "BuiltIn",
      mode:
        definition.id === "95edb821-ddaf-4404-9732-666045e056b4"
          ? "Microsoft.Kubernetes.Data"
          : definition.on === "indexed"
            ? "Indexed"
            : "All",
      description: definition.name,
      metadata: { version: definition.version, category: definition.category },
      version: definition.version,
      parameters,
      policyRule: { if: condition, then },
      versions: [definition.version],
    },
    id: `/providers/Microsoft.Authorization/policyDefinitions/${definition.id}`,
    type: "Microsoft.Authorization/policyDefinitions",
    name: definition.id,
  };
}

export function renderInitiative(initiative: Initiative) {
  const members = membersOf(initiative);
  const groups = [...new Set(members.flatMap((each) => each.groups))];
  return {
    properties: {
      displayName: initiative.name,
      policyType: "BuiltIn",
      description: initiative.name,
      metadata: { version: initiative.version, category: initiative.category },
      version: initiative.version,
      parameters: {},
      policyDefinitions: members.map(({ definition, reference, groups: groupNames }) => ({
        policyDefinitionReferenceId: reference,
        policyDefinitionId: `/providers/Microsoft.Authorization/policyDefinitions/${definition.id}`,
        definitionVersion: `${definition.version.split(".")[0]}.*.*`,
        parameters: {},
        groupNames,
      })),
      policyDefinitionGroups: groups.map((name) => ({
        name,
        additionalMetadataId: `/providers/Microsoft.PolicyInsights/policyMetadata/${name}`,
      })),
      versions: [initiative.version],
    },
    id: setId(initiative),
    type: "Microsoft.Authorization/policySetDefinitions",
    name: initiative.id,
  };
}

/** `stored` is what a client wrote, if it did. */
export function renderAssignment(assignment: Assignment, stored: Json) {
  const given = record(stored);
  const properties = record(given.properties);
  const definition = assignment.initiative ? setId(assignment.initiative) : assignment.target;
  return {
    ...(given.identity === undefined ? {} : { identity: given.identity }),
    ...(given.location === undefined ? {} : { location: given.location }),
    properties: {
      displayName: properties.displayName ?? assignment.name,
      policyDefinitionId: properties.policyDefinitionId ?? definition,
      ...(properties.definitionVersion === undefined ? {} : { definitionVersion: properties.definitionVersion }),
      scope: assignment.scope,
      notScopes: assignment.notScopes,
      parameters: assignment.parameters === "" ? {} : JSON.parse(assignment.parameters),
      ...(properties.description === undefined ? {} : { description: properties.description }),
      metadata: properties.metadata ?? { assignedBy: "Backlot" },
      enforcementMode: properties.enforcementMode ?? (assignment.enforced ? "Default" : "DoNotEnforce"),
      nonComplianceMessages: properties.nonComplianceMessages ?? [],
      resourceSelectors: properties.resourceSelectors ?? [],
      overrides: properties.overrides ?? [],
    },
    id: `${assignment.scope}/providers/Microsoft.Authorization/policyAssignments/${assignment.name}`,
    type: "Microsoft.Authorization/policyAssignments",
    name: assignment.name,
    ...(given.systemData === undefined ? {} : { systemData: given.systemData }),
  };
}
