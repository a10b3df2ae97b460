/** Ids of seeded resources, from their types and hashes. */
import { groupType, resourceTypes } from "./resource-types.ts";

/** What follows the group in the id of a seeded resource, up to the digits of its hash or of its parent's. */
export function idOfType(typeCode: number): string {
  const { type = "", abbreviation = "", parent } = resourceTypes[typeCode] ?? {};
  const [namespace = "", kind = ""] = type.toLowerCase().split("/");
  return `/providers/${namespace}/${kind}/${parent ?? abbreviation}`;
}

/** What stands between the digits of a nested resource's parent and its own; undefined for other types. */
export const idMiddle = (typeCode: number): string | undefined => middles[typeCode];

const middles = resourceTypes.map(({ type, abbreviation, parent }) =>
  parent === undefined ? undefined : `/${(type.split("/")[2] ?? "").toLowerCase()}/${abbreviation}`,
);

/** The number whose digits name a nested resource's parent. */
export const parentOf = (hash: number) => hash & 0xffff;

export function idTail(typeCode: number, hash: number): string {
  const middle = idMiddle(typeCode);
  const own = hash.toString(36);
  return middle === undefined ? own : parentOf(hash).toString(36) + middle + own;
}

/** The id of a seeded resource in a group, whose id is in lower case; the group's own for itself. */
export function resourceIdFrom(group: string, typeCode: number, hash: number): string {
  return typeCode === groupType ? group : group + idOfType(typeCode) + idTail(typeCode, hash);
}
