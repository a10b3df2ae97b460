/** A pack as it is written: its files, searched and hashed on their way, then the manifest, the hash lists, the attestation. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Artefact, volatileFolder } from "./artefact.ts";
import { attest, publicPem, type SigningKey } from "./attestation.ts";
import { canonicalJson, compareText } from "./canonical.ts";
import { chunks } from "./chunks.ts";
import { type Files, filesInMemory, filesOnDisk } from "./files.ts";
import { secretsIn } from "./redact.ts";
import { writeAll } from "./scratch.ts";
import { isSafePath, tarParts } from "./tar.ts";

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

export const isVolatile = (path: string): boolean => path.startsWith(names.volatile);

export interface PackWriter {
  /** @throws when it holds what looks like a credential: then nothing of it is written */
  add(artefact: Artefact): void;
  /** A file that is written as it comes. */
  open(about: Omit<Artefact, "bytes">): PackFile;
  /** The lists that make it a pack, at last. */
  finish(signed: {
    /** What is signed beside the hash: seed, scenario, clock, verdicts. */
    readonly predicate: Record<string, unknown>;
    readonly key: SigningKey;
  }): Files;
}

export interface PackFile {
  /**
   * Lines or records, no pieces of them: what is written at once is searched for credentials at once.
   * @throws when it holds what looks like one; what came before it stays in the partial folder
   */
  write(...parts: readonly (string | Uint8Array)[]): void;
  end(): void;
}

/** Where the files go. */
export interface Place {
  /** What is written may be changed afterwards. */
  create(path: string): { write(bytes: Uint8Array): void; end(): void };
  /** All is there. */
  finish(paths: readonly string[]): Files;
}

interface Written extends Omit<Artefact, "bytes"> {
  readonly bytes: number;
  readonly sha256: string;
}

export function createPackWriter(place: Place): PackWriter {
  const written = new Map<string, Written>();
  const begin = ({ path, class: kind, mediaType, about }: Omit<Artefact, "bytes">) => {
    if (!isSafePath(path)) throw new Error(`${path} is no name for a file of a pack`);
    if (written.has(path)) throw new Error(`${path} is given twice`);
    if ((kind === "vol") !== isVolatile(path))
      throw new Error(`${path} is of class ${kind}; volatile/ and class vol go together`);
    const [file, hash] = [place.create(path), createHash("sha256")];
    let bytes = 0;
    let lines = 0;
    const take = (part: Buffer) => {
      try {
        refuseSecrets(path, part, lines);
      } catch (cause) {
        file.end();
        throw cause;
      }
      for (let at = part.indexOf(10); at >= 0; at = part.indexOf(10, at + 1)) lines += 1;
      hash.update(part);
      file.write(part);
      bytes += part.length;
    };
    const gathered = chunks(take);
    return {
      take,
      write: gathered.write,
      end() {
        gathered.flush();
        file.end();
        written.set(path, { path, class: kind, mediaType, about, bytes, sha256: hash.digest("hex") });
      },
    };
  };
  const put = (path: string, kind: Artefact["class"], about: string, content: string) => {
    const file = begin({ path, class: kind, mediaType: "", about });
    file.take(Buffer.from(content));
    file.end();
  };
  const open = (about: Omit<Artefact, "bytes">) => {
    if (own.has(about.path)) throw new Error(`${about.path} is no name for a file of a pack`);
    return begin(about);
  };
  return {
    open,
    add({ bytes, ...about }) {
      const file = open(about);
      file.take(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      file.end();
    },
    finish({ predicate, key }) {
      const derived = key.origin === "derived";
      const of = (volatile: boolean) =>
        [...written.values()]
          .filter(({ path }) => isVolatile(path) === volatile)
          .sort((left, right) => compareText(left.path, right.path));
      const pem = begin({
        path: names.publicKey,
        class: "det",
        mediaType: "application/x-pem-file",
        about: derived ? "Derived from the seed: integrity only" : "Public half of the signing key",
      });
      pem.take(Buffer.from(publicPem(key.key)));
      pem.end();
      const manifest = {
        format: "backlot-evidence/1",
        signature: derived ? "integrity only" : "signed",
        files: of(false),
      };
      put(names.manifest, "norm", "", canonicalJson(manifest));
      for (const [list, attestation, base] of [
        [names.volatileSums, names.volatileAttestation, names.volatile],
        [names.sums, names.attestation, ""],
      ] as const) {
        // As `sha256sum -c` reads it, in byte order of the paths.
        const sums = of(base !== "")
          .map(({ path, sha256 }) => `${sha256}  ${path.slice(base.length)}\n`)
          .join("");
        const kind = base === "" ? "norm" : "vol";
        put(list, kind, "", sums);
        put(attestation, kind, "", attest(list, Buffer.from(sums), predicate, key));
      }
      return place.finish([...written.keys()]);
    },
  };
}

function refuseSecrets(path: string, part: Uint8Array, before: number): void {
  const found = secretsIn(path, part).map(({ kind, line }) => `${path}:${before + line} (${kind})`);
  if (found.length > 0)
    throw new Error(`There is no pack: what looks like a credential is left in ${found.slice(0, 10).join(", ")}.`);
}

export function inMemory(): Place {
  const files = new Map<string, Buffer>();
  return {
    create(path) {
      const parts: Buffer[] = [];
      return {
        write: (bytes) => void parts.push(Buffer.from(bytes)),
        end: () => void files.set(path, Buffer.concat(parts)),
      };
    },
    finish: () => filesInMemory(files),
  };
}

export const partialSuffix = ".partial";
/** Says in such a folder what it is. */
export const partialNote = "PARTIAL.md";

/**
 * The folder appears whole or not at all: until the pack stands there, `<folder>.partial` says that it does not, and that
 * is what a crash or a full disk leaves.
 */
export function inFolder(folder: string): Place {
  const partial = `${folder}${partialSuffix}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  writeFileSync(
    join(partial, partialNote),
    "# Not a pack\n\nA recording began and has not come to its end: what is here is no evidence of anything.\n",
  );
  const made = new Set<string>();
  return {
    create(path) {
      const parent = dirname(join(partial, path));
      if (!made.has(parent)) mkdirSync(parent, { recursive: true });
      made.add(parent);
      const descriptor = openSync(join(partial, path), "w", 0o644);
      return {
        write: (bytes) => writeAll(descriptor, bytes),
        end() {
          if (own.has(path)) fsyncSync(descriptor);
          closeSync(descriptor);
        },
      };
    },
    finish(paths) {
      rmSync(join(partial, partialNote));
      renameSync(partial, folder);
      return filesOnDisk(folder, paths);
    },
  };
}

/** The lists that make a folder a pack are written last. */
export function writePack(folder: string, files: Files): void {
  const place = inFolder(folder);
  const order = [...files.keys()].sort((left, right) => Number(own.has(left)) - Number(own.has(right)));
  for (const path of order) {
    const file = place.create(path);
    for (const piece of files.pieces(path)) file.write(piece);
    file.end();
  }
  place.finish(order);
}

/**
 * The pack without volatile/ as an archive, part by part: two runs of the same seed, scenario and version give the same.
 * Each part is good until the next is asked for.
 */
export function packArchive(files: Files, epochMs: number): Iterable<Uint8Array> {
  const lasting = [...files.keys()].filter((path) => !isVolatile(path));
  return tarParts(files, Math.floor(epochMs / 1000), lasting);
}

export function writeArchive(file: string, files: Files, epochMs: number): void {
  const descriptor = openSync(file, "w", 0o644);
  try {
    for (const part of packArchive(files, epochMs)) writeAll(descriptor, part);
  } finally {
    closeSync(descriptor);
  }
}

/** SHA-256 of that archive, without making it. */
export function packFingerprint(files: Files, epochMs: number): string {
  const hash = createHash("sha256");
  for (const part of packArchive(files, epochMs)) hash.update(part);
  return hash.digest("hex");
}
