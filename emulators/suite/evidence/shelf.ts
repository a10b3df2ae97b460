/** The packs a running suite made, in memory and newest first; a pack made twice from the same run is one pack. */
import { type Instant, isoMilliseconds } from "../../kernel/clock.ts";
import { volatileFolder } from "./artefact.ts";
import type { Recorded } from "./record.ts";

export interface ShelvedPack {
  /** The first digits of the fingerprint. */
  readonly id: string;
  readonly name: string;
  readonly title: string;
  /** Those of the archive, which leaves volatile/ out. */
  readonly files: number;
  readonly bytes: number;
  readonly fingerprint: string;
  /** Virtual time at which it was made. */
  readonly madeAt: string;
}

export interface PackShelf {
  add(recorded: Recorded, title: string, at: Instant): ShelvedPack;
  readonly packs: readonly ShelvedPack[];
  archiveOf(id: string): Buffer | undefined;
  remove(id: string): boolean;
}

const mostPacks = 10;
/** The newest stays however large it is. */
const mostBytes = 256 * 1024 * 1024;

export function createPackShelf(): PackShelf {
  let shelved: readonly { readonly pack: ShelvedPack; readonly archive: Buffer }[] = [];
  return {
    add({ name, files, fingerprint, tar }, title, at) {
      const archive = tar();
      const id = fingerprint.slice(0, 12);
      const pack = {
        id,
        name,
        title,
        files: [...files.keys()].filter((path) => !path.startsWith(volatileFolder)).length,
        bytes: archive.length,
        fingerprint,
        madeAt: isoMilliseconds(at),
      };
      let bytes = 0;
      shelved = [{ pack, archive }, ...shelved.filter((one) => one.pack.id !== id)].filter((one, index) => {
        bytes += one.archive.length;
        return index === 0 || (index < mostPacks && bytes <= mostBytes);
      });
      return pack;
    },
    get packs() {
      return shelved.map(({ pack }) => pack);
    },
    archiveOf: (id) => shelved.find(({ pack }) => pack.id === id)?.archive,
    remove(id) {
      const before = shelved.length;
      shelved = shelved.filter(({ pack }) => pack.id !== id);
      return shelved.length < before;
    },
  };
}
