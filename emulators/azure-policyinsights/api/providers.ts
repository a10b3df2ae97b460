/** Resource providers, locations and management groups. */
import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import { groupTree, type TreeNode } from "../domain/management-groups.ts";
import { locations, resourceTypes } from "../domain/resource-types.ts";
import { reject } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { armVersions, readRequest, subscriptionOf } from "./request.ts";

const policyTypes: Readonly<Record<string, readonly string[]>> = {
  "Microsoft.PolicyInsights": [
    "policyStates",
    "policyEvents",
    "remediations",
    "attestations",
    "policyMetadata",
    "operations",
  ],
  "Microsoft.Authorization": ["policyDefinitions", "policySetDefinitions", "policyAssignments", "policyExemptions"],
  "Microsoft.Management": ["managementGroups"],
};

export function providers(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  const { state } = runtime;
  const path = "/subscriptions/:subscription/providers";
  app.get(path, (c) => {
    const request = readRequest(c.env.exchange, runtime, armVersions);
    subscriptionOf(request, state);
    return answerArm(c.env.exchange, { value: namespaces().map((name) => rendered(request.segments[1] ?? "", name)) });
  });
  app.get(`${path}/:namespace`, (c) => {
    const request = readRequest(c.env.exchange, runtime, armVersions);
    subscriptionOf(request, state);
    return answerArm(c.env.exchange, rendered(request.segments[1] ?? "", named(request.segments[3] ?? "")));
  });
  app.post(`${path}/:namespace/register`, (c) => {
    const request = readRequest(c.env.exchange, runtime, armVersions);
    subscriptionOf(request, state);
    return answerArm(c.env.exchange, rendered(request.segments[1] ?? "", named(request.segments[3] ?? "")));
  });
  app.get("/subscriptions/:subscription/locations", (c) => {
    const request = readRequest(c.env.exchange, runtime, armVersions);
    subscriptionOf(request, state);
    const value = locations.slice(1).map((name) => ({
      id: `/subscriptions/${request.segments[1]}/locations/${name}`,
      subscriptionId: request.segments[1],
      name,
      type: "Region",
      displayName: name,
      regionalDisplayName: name,
      metadata: { regionType: "Physical", regionCategory: "Recommended" },
    }));
    return answerArm(c.env.exchange, { value });
  });
  const groups = "/providers/microsoft.management/managementgroups";
  app.get(groups, (c) => {
    readRequest(c.env.exchange, runtime, armVersions);
    const { tenantId } = state.tenant();
    const value = groupTree(state.readings().estate).map((node) => ({
      ...renderedGroup(node),
      properties: { tenantId, displayName: node.name },
    }));
    return answerArm(c.env.exchange, { value });
  });
  app.get(`${groups}/:name`, (c) => {
    const request = readRequest(c.env.exchange, runtime, armVersions);
    const wanted = (request.segments[3] ?? "").toLowerCase();
    const tree = groupTree(state.readings().estate);
    const node = tree.find((each) => each.name.toLowerCase() === wanted);
    if (!node) return reject("ManagementGroupNotFound", request.segments[3] ?? "");
    const deep = request.query.get("$recurse")?.toLowerCase() === "true";
    const children = request.query.get("$expand")?.toLowerCase() === "children";
    return answerArm(c.env.exchange, {
      ...renderedGroup(node),
      properties: {
        tenantId: state.tenant().tenantId,
        displayName: node.name,
        details: {
          parent:
            node.parent === undefined ? {} : { ...renderedGroup({ name: node.parent }), displayName: node.parent },
        },
        ...(children ? { children: childrenOf(node, tree, deep) } : {}),
      },
    });
  });
}

function namespaces(): readonly string[] {
  return [
    ...new Set([...Object.keys(policyTypes), ...resourceTypes.map(({ type }) => type.split("/")[0] ?? "")]),
  ].sort();
}

function named(namespace: string): string {
  return (
    namespaces().find((each) => each.toLowerCase() === namespace.toLowerCase()) ??
    reject("InvalidResourceNamespace", namespace)
  );
}

function rendered(subscription: string, namespace: string) {
  const own = resourceTypes.flatMap(({ type }) =>
    type.startsWith(`${namespace}/`) ? [type.slice(namespace.length + 1)] : [],
  );
  return {
    id: `/subscriptions/${subscription}/providers/${namespace}`,
    namespace,
    registrationState: "Registered",
    registrationPolicy: "RegistrationRequired",
    resourceTypes: [...new Set([...(policyTypes[namespace] ?? []), ...own])].map((resourceType) => ({
      resourceType,
      locations: locations.slice(1),
      apiVersions: ["2024-10-01"],
      defaultApiVersion: "2024-10-01",
      capabilities: "None",
    })),
  };
}

function renderedGroup({ name }: Pick<TreeNode, "name">) {
  return {
    id: `/providers/Microsoft.Management/managementGroups/${name}`,
    type: "Microsoft.Management/managementGroups",
    name,
  };
}

function childrenOf(node: TreeNode, tree: readonly TreeNode[], deep: boolean): readonly object[] {
  const below = tree.filter(({ parent }) => parent === node.name);
  return [
    ...below.map((child) => ({
      ...renderedGroup(child),
      displayName: child.name,
      ...(deep ? { children: childrenOf(child, tree, true) } : {}),
    })),
    ...node.subscriptions.map(({ id, name }) => ({
      id: `/subscriptions/${id}`,
      type: "/subscriptions",
      name: id,
      displayName: name,
    })),
  ];
}
