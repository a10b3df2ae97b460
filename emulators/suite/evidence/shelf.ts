/** The packs a running suite made, newest first, as archives on disk; a pack made twice from the same run is one pack. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Instant, isoMilliseconds } from "../../kernel/clock.ts";
import type { ShelvedPack } from "./answers.ts";
import { volatileFolder } from "./artefact.ts";
import type { Recorded } from "./record.ts";

export interface PackShelf {
  /** A folder to record into: what is recorded there can be added, and goes with the shelf if it is not. */
  place(): string;
  /** Keeps the archive; the folder it was recorded in is removed. */
  add(recorded: Recorded, title: string, at: Instant): ShelvedPack;
  readonly packs: readonly ShelvedPack[];
  archiveOf(id: string): string | undefined;
  remove(id: string): boolean;
  close(): void;
}

const mostPacks = 10;
/** The newest stays however large it is. */
const mostBytes = 256 * 1024 * 1024;

export function createPackShelf(): PackShelf {
  let folder: string | undefined;
  let places = 0;
  let shelved: readonly ShelvedPack[] = [];
  const at = (name: string) => {
    folder ??= mkdtempSync(join(tmpdir(), "backlot-packs-"));
    return join(folder, name);
  };
  const archive = (id: string) => at(`${id}.tar`);
  const keep = (packs: readonly ShelvedPack[]) => {
    for (const { id } of shelved) if (!packs.some((kept) => kept.id === id)) rmSync(archive(id), { force: true });
    shelved = packs;
  };
  return {
    place() {
      places += 1;
      return at(`recording-${places}`);
    },
    add({ name, files, fingerprint, writeTar, folder: recordedIn }, title, madeAt) {
      const id = fingerprint.slice(0, 12);
      writeTar(archive(id));
      const pack = {
        id,
        name,
        title,
        files: [...files.keys()].filter((path) => !path.startsWith(volatileFolder)).length,
        bytes: statSync(archive(id)).size,
        fingerprint,
        madeAt: isoMilliseconds(madeAt),
      };
      if (recordedIn !== undefined) rmSync(recordedIn, { recursive: true });
      let bytes = 0;
      keep(
        [pack, ...shelved.filter((one) => one.id !== id)].filter((one, index) => {
          bytes += one.bytes;
          return index === 0 || (index < mostPacks && bytes <= mostBytes);
        }),
      );
      return pack;
    },
    get packs() {
      return shelved;
    },
    archiveOf: (id) => (shelved.some((pack) => pack.id === id) ? archive(id) : undefined),
    remove(id) {
      const before = shelved.length;
      keep(shelved.filter((pack) => pack.id !== id));
      return shelved.length < before;
    },
    close() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
