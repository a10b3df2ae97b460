/** CreateTags, DeleteTags, DescribeTags. */
import type { Resource, Tag } from "../domain/resources.ts";
import { isSystemTag } from "../domain/system-tags.ts";
import { reject } from "../errors.ts";
import { networkOf } from "../network.ts";
import { treeOf } from "../query-tree.ts";
import type { Kind } from "../resources.ts";
import { describedTagsXml } from "../wire/instances.ts";
import { element } from "../wire/xml.ts";
import { answerPage, type Facts, pageOf, sift } from "./describe.ts";
import { ownerOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { checkTag, mostTags, readTags } from "./tag-specifications.ts";

const types: readonly (readonly [prefix: string, type: string])[] = [
  ["i-", "instance"],
  ["sir-", "spot-instances-request"],
  ["ami-", "image"],
  ["snap-", "snapshot"],
  ["vol-", "volume"],
  ["key-", "key-pair"],
  ["sg-", "security-group"],
  ["subnet-", "subnet"],
  ["vpc-", "vpc"],
  ["lt-", "launch-template"],
  ["fleet-", "fleet"],
  ["sfr-", "spot-fleet-request"],
];

export function resourceTypeOf(id: string): string | undefined {
  return types.find(([prefix]) => id.startsWith(prefix))?.[1];
}

interface Found {
  readonly kind: Kind;
  readonly resource: Resource;
}

function findAll(call: Call, ids: readonly string[]): readonly Found[] {
  if (ids.length === 0) reject("missingParameter", "ResourceId");
  const owner = ownerOf(call);
  const network = networkOf(call.runtime.ids, owner, call.region);
  return ids.map((id): Found => {
    const stored = call.runtime.state.resources.find(owner, id);
    if (stored) return stored;
    const own = { id, ...owner, tags: [] };
    if (id === network.vpc || network.subnets.some((subnet) => subnet.id === id))
      return { kind: "network", resource: own };
    if (id === network.defaultGroup) {
      const group = {
        ...own,
        name: "default",
        description: "default VPC security group",
        vpc: network.vpc,
        ingress: [],
      };
      return { kind: "group", resource: group };
    }
    if (id.startsWith("i-")) reject("instanceNotFound", id);
    if (id.startsWith("ami-")) reject("imageNotFound", id);
    if (id.startsWith("sir-")) reject("requestNotFound", id);
    if (id.startsWith("vol-")) reject("volumeNotFound", id);
    if (id.startsWith("snap-")) reject("snapshotNotFound", id);
    return reject("resourceNotFound", id);
  });
}

export const createTags: Operation = {
  service: "ec2",
  action: "CreateTags",
  parameters: parameterNames("ResourceId Tag.* DryRun"),
  run(call) {
    const node = treeOf(call.parameters);
    const found = findAll(call, call.parameters.list("ResourceId"));
    const given = readTags(node.items("Tag"));
    if (given.length === 0) reject("missingParameter", "Tag");
    const changed = found.map(({ kind, resource }) => {
      const tags = new Map([...resource.tags, ...given].map((tag) => [tag.key, tag]));
      if ([...tags.values()].filter((tag) => !isSystemTag(tag)).length > mostTags) reject("tagLimit", resource.id);
      return { kind, resource: { ...resource, tags: [...tags.values()] } };
    });
    stopDryRun(call);
    call.runtime.store.write(() => {
      for (const { kind, resource } of changed) call.runtime.state.resources.replace(kind, resource);
    });
    return answerEc2(call, "CreateTags", element("return", true));
  },
};

export const deleteTags: Operation = {
  service: "ec2",
  action: "DeleteTags",
  parameters: parameterNames("ResourceId Tag.* DryRun"),
  run(call) {
    const node = treeOf(call.parameters);
    const found = findAll(call, call.parameters.list("ResourceId"));
    const given = node.items("Tag").map((tag) => ({
      key: checkTag(tag.text("Key") ?? reject("missingParameter", "Tag.Key"), "").key,
      value: tag.text("Value"),
    }));
    stopDryRun(call);
    // Without any tag all of them go; with a key and no value, whatever its value.
    const goes = (tag: Tag) =>
      !isSystemTag(tag) &&
      (given.length === 0 ||
        given.some(({ key, value }) => key === tag.key && (value === undefined || value === tag.value)));
    call.runtime.store.write(() => {
      for (const { kind, resource } of found)
        call.runtime.state.resources.replace(kind, { ...resource, tags: resource.tags.filter((tag) => !goes(tag)) });
    });
    return answerEc2(call, "DeleteTags", element("return", true));
  },
};

interface Described {
  readonly id: string;
  readonly resource: string;
  readonly type: string;
  readonly tag: Tag;
  readonly tags: readonly Tag[];
}

const facts: Facts<Described> = {
  key: ({ tag }) => [tag.key],
  "resource-id": ({ resource }) => [resource],
  "resource-type": ({ type }) => [type],
  value: ({ tag }) => [tag.value],
};

export const describeTags: Operation = {
  service: "ec2",
  action: "DescribeTags",
  parameters: parameterNames("DryRun Filter MaxResults NextToken"),
  run(call) {
    const all = call.runtime.state.resources.all(ownerOf(call)).flatMap(({ resource }) => {
      const type = resourceTypeOf(resource.id);
      if (type === undefined) return [];
      return resource.tags.map(
        (tag): Described => ({
          id: `${resource.id}/${encodeURIComponent(tag.key)}`,
          resource: resource.id,
          type,
          tag,
          tags: [tag],
        }),
      );
    });
    const found = sift(all, call.parameters.filters(), facts);
    stopDryRun(call);
    const page = pageOf(call, found, { purpose: "tags" });
    const set = describedTagsXml(page.items);
    return answerPage(call, "DescribeTags", set, page);
  },
};
