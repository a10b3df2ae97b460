/** A pack as bytes: its files, the manifest over them, the hash lists and the attestation. */
import { createHash } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Artefact, volatileFolder } from "./artefact.ts";
import { attest, publicPem, type SigningKey, sha256 } from "./attestation.ts";
import { canonicalJson, compareText } from "./canonical.ts";
import { isSafePath, tarParts } from "./tar.ts";

export interface PackInput {
  readonly artefacts: readonly Artefact[];
  /** What is signed beside the hash: seed, scenario, clock, verdicts. */
  readonly predicate: Record<string, unknown>;
  readonly key: SigningKey;
}

export const names = {
  manifest: "manifest.json",
  sums: "SHA256SUMS",
  attestation: "attestation.dsse.json",
  publicKey: "signing-key.pub.pem",
  volatile: volatileFolder,
  volatileSums: "volatile/SHA256SUMS",
  volatileAttestation: "volatile/attestation.dsse.json",
} as const;

const { volatile: _, ...ownFiles } = names;
/** What makes a folder a pack; artefacts have other names. */
const own = new Set<string>(Object.values(ownFiles));

export function buildPack({ artefacts, predicate, key }: PackInput): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const hashes = new Map<string, string>();
  for (const { path, class: kind, bytes } of artefacts) {
    if (!isSafePath(path) || own.has(path)) throw new Error(`${path} is no name for a file of a pack`);
    if (files.has(path)) throw new Error(`${path} is given twice`);
    if ((kind === "vol") !== path.startsWith(names.volatile))
      throw new Error(`${path} is of class ${kind}; volatile/ and class vol go together`);
    files.set(path, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    hashes.set(path, sha256(bytes));
  }
  const listed = artefacts
    .filter(({ class: kind }) => kind !== "vol")
    .map(({ path, class: kind, mediaType, about, bytes }) => ({
      path,
      class: kind,
      mediaType,
      about,
      bytes: bytes.length,
      sha256: hashes.get(path) ?? "",
    }));
  const pem = Buffer.from(publicPem(key.key));
  files.set(names.publicKey, pem);
  listed.push({
    path: names.publicKey,
    class: "det",
    mediaType: "application/x-pem-file",
    about: key.origin === "derived" ? "Derived from the seed: integrity only" : "Public half of the signing key",
    bytes: pem.length,
    sha256: sha256(pem),
  });
  files.set(
    names.manifest,
    Buffer.from(
      canonicalJson({
        format: "backlot-evidence/1",
        signature: key.origin === "derived" ? "integrity only" : "signed",
        files: listed.sort((left, right) => compareText(left.path, right.path)),
      }),
    ),
  );
  const isVolatile = (path: string) => path.startsWith(names.volatile);
  const volatile = [...files.keys()].filter(isVolatile);
  const volatileSums = Buffer.from(sumsOf(files, hashes, volatile, names.volatile));
  files.set(names.volatileSums, volatileSums);
  files.set(names.volatileAttestation, Buffer.from(attest(names.volatileSums, volatileSums, predicate, key)));
  const sums = Buffer.from(
    sumsOf(
      files,
      hashes,
      [...files.keys()].filter((path) => !isVolatile(path)),
    ),
  );
  files.set(names.sums, sums);
  files.set(names.attestation, Buffer.from(attest(names.sums, sums, predicate, key)));
  return files;
}

/** As `sha256sum -c` reads it, in byte order of the paths. */
function sumsOf(
  files: ReadonlyMap<string, Uint8Array>,
  known: ReadonlyMap<string, string>,
  paths: readonly string[],
  base = "",
): string {
  return [...paths]
    .sort(compareText)
    .map((path) => `${known.get(path) ?? sha256(files.get(path) ?? "")}  ${path.slice(base.length)}\n`)
    .join("");
}

export const partialSuffix = ".partial";

/** Until the pack stands at `folder`, `<folder>.partial` says that it does not. */
export function beginPack(folder: string): void {
  const partial = `${folder}${partialSuffix}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  writeFileSync(
    join(partial, "PARTIAL.md"),
    "# Not a pack\n\nA recording began and has not come to its end: what is here is no evidence of anything.\n",
  );
}

/** The folder appears whole or not at all: what a crash or a full disk leaves is named `<folder>.partial`. */
export function writePack(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  const partial = `${folder}${partialSuffix}`;
  beginPack(folder);
  // The lists that make a folder a pack are written last.
  const made = new Set<string>();
  const order = [...files.keys()].sort((left, right) => Number(own.has(left)) - Number(own.has(right)));
  for (const path of order) {
    const parent = dirname(join(partial, path));
    if (!made.has(parent)) mkdirSync(parent, { recursive: true });
    made.add(parent);
    writeFileSync(join(partial, path), files.get(path) ?? "", { mode: 0o644, flush: own.has(path) });
  }
  rmSync(join(partial, "PARTIAL.md"));
  renameSync(partial, folder);
}

/** The pack without volatile/: two runs of the same seed, scenario and version give the same archive. */
export function packTar(files: ReadonlyMap<string, Uint8Array>, epochMs: number): Buffer {
  return Buffer.concat([...tarParts(lasting(files), Math.floor(epochMs / 1000))]);
}

/** SHA-256 of that archive, without making it. */
export function packFingerprint(files: ReadonlyMap<string, Uint8Array>, epochMs: number): string {
  const hash = createHash("sha256");
  for (const part of tarParts(lasting(files), Math.floor(epochMs / 1000))) hash.update(part);
  return hash.digest("hex");
}

function lasting(files: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  return new Map([...files].filter(([path]) => !path.startsWith(names.volatile)));
}
