/** Images an account can see: its own, those shared with it by nobody, and the public ones of every region. */
import type { Ids } from "../kernel/ids.ts";
import { publicImages } from "./domain/public-images.ts";
import type { Image, Owner } from "./domain/resources.ts";
import type { SpotStore } from "./store.ts";

export function publicImagesIn(ids: Ids, region: string): readonly Image[] {
  return publicImages.map((image) => {
    const id = `ami-${ids.fixed("ec2.public-image", [region, image.name]).hex(17)}`;
    return {
      id,
      account: image.owner,
      region,
      tags: [],
      name: image.name,
      description: image.description,
      state: "available" as const,
      createdAt: Date.parse(image.created),
      architecture: image.architecture,
      product: image.product,
      rootDevice: image.rootDevice,
      devices: [
        {
          name: image.rootDevice,
          gib: image.gib,
          type: "gp3",
          encrypted: false,
          deleteOnTermination: true,
          snapshot: `snap-${ids.fixed("ec2.public-snapshot", [id]).hex(17)}`,
        },
      ],
      isPublic: true,
      ownerAlias: image.alias,
    };
  });
}

export function imageFor(store: SpotStore, ids: Ids, owner: Owner, id: string): Image | undefined {
  const own = store.resources.image.get(id);
  if (own && own.region === owner.region && (own.account === owner.account || own.isPublic)) return own;
  return publicImagesIn(ids, owner.region).find((image) => image.id === id);
}
