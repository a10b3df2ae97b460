/** Reads a pack from a folder or an archive: every entry, and what an honest pack would not hold. */
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Files, filesOnDisk } from "./files.ts";
import { names, partialNote, partialSuffix } from "./pack.ts";
import { isSafePath, readTar } from "./tar.ts";

export interface Tree {
  readonly kind: "folder" | "archive";
  readonly files: Files;
  readonly problems: readonly string[];
  /** The archive as it is. */
  readonly archive?: Buffer;
}

export function readTree(path: string): Tree {
  if (!existsSync(path)) {
    const partial = existsSync(`${path}${partialSuffix}`)
      ? `; ${path}${partialSuffix} is what an interrupted recording left`
      : "";
    throw new Error(`There is no pack at ${path}${partial}.`);
  }
  if (!lstatSync(path).isDirectory()) {
    const archive = readFileSync(path);
    if (archive[0] === 0x1f && archive[1] === 0x8b)
      throw new Error(
        `${path} is compressed, and a pack's fingerprint is of the archive as it was before: gunzip it first.`,
      );
    if (archive.toString("latin1", 257, 262) !== "ustar") throw new Error(`${path} is no archive of a pack.`);
    return { kind: "archive", archive, ...readTar(archive) };
  }
  const files = new Set<string>();
  const problems: string[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(path, folder), { withFileTypes: true })) {
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (!isSafePath(name)) problems.push(`${JSON.stringify(name)}: a path that a pack does not use`);
      else if (entry.isSymbolicLink()) problems.push(`${name}: a symbolic link`);
      else if (entry.isDirectory()) {
        const before = files.size + problems.length;
        walk(name);
        if (files.size + problems.length === before) problems.push(`${name}: an empty folder`);
      } else if (entry.isFile()) files.add(name);
      else problems.push(`${name}: neither a file nor a folder`);
    }
  };
  walk("");
  if (files.has(partialNote)) throw new Error(`${path} is no pack: it is what an interrupted recording left.`);
  if (![names.sums, names.attestation, names.manifest, "mode.json"].some((name) => files.has(name))) {
    const inside = [...files].find((name) => name.endsWith(`/${names.sums}`) && !name.includes(`/${names.volatile}/`));
    const meant = inside === undefined ? "" : `; ${join(path, dirname(inside))} is one`;
    throw new Error(`${path} is no pack: there is no ${names.manifest} in it${meant}.`);
  }
  return { kind: "folder", files: filesOnDisk(path, files), problems };
}
