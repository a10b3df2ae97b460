/** Images and their snapshots: pending, then there. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import type { Device, Image, Instance, Owner, Snapshot, Tag } from "../domain/resources.ts";
import type { SpotStore } from "../store.ts";
import { delayOf, imageDelay } from "./delays.ts";
import { tellImage } from "./events.ts";
import { reboot } from "./instances.ts";

export const imageTimer = "ec2.image";

export interface Capture {
  readonly owner: Owner;
  readonly instance: Instance;
  readonly name: string;
  readonly description: string;
  readonly noReboot: boolean;
  readonly devices: readonly Device[];
  readonly tags: readonly Tag[];
  readonly snapshotTags: readonly Tag[];
}

/** Inside a write. */
export function capture(runtime: Runtime<SpotStore>, wanted: Capture, at: number): Image {
  const { ids, state, timers } = runtime;
  const { owner, instance } = wanted;
  const id = `ami-${ids.derive("ec2.image", [owner.account, owner.region, instance.id, wanted.name]).hex(17)}`;
  const devices = wanted.devices.map((device): Device => {
    const volume = instance.volumes.find((one) => one.device === device.name)?.volume ?? "vol-ffffffff";
    const snapshot: Snapshot = {
      id: `snap-${ids.derive("ec2.snapshot", [id, device.name]).hex(17)}`,
      ...owner,
      tags: wanted.snapshotTags,
      volume,
      gib: device.gib,
      state: "pending",
      startedAt: at,
      description: `Created by CreateImage(${instance.id}) for ${id}`,
      encrypted: device.encrypted,
    };
    state.resources.snapshot.put(snapshot);
    return { ...device, snapshot: snapshot.id };
  });
  const image: Image = {
    id,
    ...owner,
    tags: wanted.tags,
    name: wanted.name,
    description: wanted.description,
    state: "pending",
    createdAt: at,
    architecture: instance.plan.architecture,
    product: instance.plan.product,
    rootDevice: instance.plan.rootDevice,
    devices,
    sourceInstance: instance.id,
    isPublic: false,
  };
  state.resources.image.put(image);
  const gib = devices.reduce((sum, device) => sum + device.gib, 0);
  timers.schedule({ kind: imageTimer, subject: id, due: at + imageDelay(runtime, gib) });
  runtime.journal.append("change", id, { image: "pending" });
  if (!wanted.noReboot && instance.state === "running") reboot(runtime, instance, at);
  return image;
}

/** Inside a write: the same image in this owner's region. */
export function copy(
  runtime: Runtime<SpotStore>,
  source: Image,
  wanted: {
    readonly owner: Owner;
    readonly name: string;
    readonly description: string;
    readonly encrypted: boolean;
    readonly tags: readonly Tag[];
  },
  at: number,
): Image {
  const { ids, state, timers } = runtime;
  const { owner } = wanted;
  const id = `ami-${ids.derive("ec2.image", [owner.account, owner.region, source.id, wanted.name]).hex(17)}`;
  const devices = source.devices.map((device): Device => {
    const snapshot: Snapshot = {
      id: `snap-${ids.derive("ec2.snapshot", [id, device.name]).hex(17)}`,
      ...owner,
      tags: [],
      volume: "vol-ffffffff",
      gib: device.gib,
      state: "pending",
      startedAt: at,
      description: `Copied for DestinationAmi ${id} from SourceAmi ${source.id}`,
      encrypted: wanted.encrypted || device.encrypted,
    };
    state.resources.snapshot.put(snapshot);
    return { ...device, snapshot: snapshot.id, encrypted: snapshot.encrypted };
  });
  const { sourceInstance: _from, ownerAlias: _alias, ...rest } = source;
  const image: Image = {
    ...rest,
    id,
    ...owner,
    tags: wanted.tags,
    name: wanted.name,
    description: wanted.description,
    state: "pending",
    createdAt: at,
    devices,
    isPublic: false,
    sourceImage: source.id,
  };
  state.resources.image.put(image);
  timers.schedule({ kind: imageTimer, subject: id, due: at + delayOf(runtime, "copy", id) });
  runtime.journal.append("change", id, { image: "pending" });
  return image;
}

export function imageDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  const { resources } = runtime.state;
  const image = resources.image.get(timer.subject);
  if (image?.state !== "pending") return;
  for (const { snapshot: id } of image.devices) {
    const snapshot = id === undefined ? undefined : resources.snapshot.get(id);
    if (snapshot?.state === "pending") resources.snapshot.put({ ...snapshot, state: "completed" });
  }
  const available: Image = { ...image, state: "available" };
  resources.image.put(available);
  runtime.journal.append("change", image.id, { image: "available" });
  tellImage(runtime, available, timer.due);
}
