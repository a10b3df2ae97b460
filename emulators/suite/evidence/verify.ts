/** Whether a pack is what was recorded: signature, hashes, missing and extra files, secrets, and whether its parts agree. */
import { createHash, createPublicKey } from "node:crypto";
import * as z from "zod";
import type { Finding, Verdict } from "./answers.ts";
import { checkAttestation, derivedKey, keyId, sha256 } from "./attestation.ts";
import { compareText } from "./canonical.ts";
import { agreement } from "./consistency.ts";
import type { Files } from "./files.ts";
import { isVolatile, names, packFingerprint } from "./pack.ts";
import { secretsIn } from "./redact.ts";
import { tarEnd, tarEntry } from "./tar.ts";
import { readTree, type Tree } from "./tree.ts";

export interface VerifyOptions {
  /** PEM of the public key that the pack must be signed with. */
  readonly key?: string | undefined;
  /** The fingerprint the pack must have. */
  readonly sha256?: string | undefined;
}

const Manifest = z.strictObject({
  format: z.literal("backlot-evidence/1"),
  signature: z.enum(["signed", "integrity only"]),
  files: z.array(
    z.strictObject({
      path: z.string(),
      class: z.enum(["det", "norm"]),
      mediaType: z.string(),
      about: z.string(),
      bytes: z.int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

export function verifyPack(path: string, options: VerifyOptions = {}): Verdict {
  return verifyTree(readTree(path), options);
}

export function verifyTree(tree: Tree, options: VerifyOptions = {}): Verdict {
  const { files } = tree;
  const { hashes, sizes, secrets, fingerprint } = readOnce(files);
  const findings: Finding[] = tree.problems.map((detail) => ({
    check: "entry",
    path: /^([^:]+): /.exec(detail)?.[1] ?? "",
    detail,
  }));
  const signed = checkSignatures(files, options.key);
  findings.push(...signed.findings);
  const lasting = [...files.keys()].filter((path) => !isVolatile(path));
  const passing = [...files.keys()].filter(isVolatile);
  findings.push(...checkList(files, hashes, { present: lasting, list: names.sums, base: "" }));
  if (tree.kind === "folder" || passing.length > 0)
    findings.push(...checkList(files, hashes, { present: passing, list: names.volatileSums, base: names.volatile }));
  findings.push(...checkManifest(files, hashes, sizes), ...secrets);
  if (findings.length === 0) findings.push(...agreement(files));

  if (tree.archive && passing.length === 0 && fingerprint !== undefined && sha256(tree.archive) !== fingerprint)
    findings.push({
      check: "entry",
      path: "",
      detail: "the archive is not written as Backlot writes it (times, owners, modes or order)",
    });
  if (options.sha256 !== undefined && options.sha256.toLowerCase() !== fingerprint)
    findings.push({
      check: "fingerprint",
      path: "",
      detail: `the fingerprint is ${fingerprint ?? "none"}, not ${options.sha256}`,
    });
  return {
    code: findings.some(({ check }) => check === "signature") ? 2 : findings.length > 0 ? 1 : 0,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    signature: signed.signature,
    ...(signed.keyId === undefined ? {} : { keyId: signed.keyId }),
    files: files.size,
    findings,
  };
}

/** SHA-256 of the archive that these files make. */
export function fingerprintOf(files: Files): string | undefined {
  const start = startOf(files);
  return start === undefined ? undefined : packFingerprint(files, start);
}

function startOf(files: Files): number | undefined {
  const start = z.object({ clock: z.object({ start: z.iso.datetime() }) }).safeParse(json(files.get("mode.json"))).data
    ?.clock.start;
  if (start === undefined || [...files.keys()].some((path) => Buffer.byteLength(path) > 255)) return undefined;
  return Date.parse(start);
}

/** Every file is read once: hashed by itself and as part of the archive, and searched for credentials. */
function readOnce(files: Files) {
  const [hashes, sizes] = [new Map<string, string>(), new Map<string, number>()];
  const secrets: Finding[] = [];
  const start = startOf(files);
  const archive = createHash("sha256");
  for (const path of [...files.keys()].sort(compareText)) {
    const bytes = files.borrow(path);
    hashes.set(path, sha256(bytes));
    sizes.set(path, bytes.length);
    for (const { kind, line } of secretsIn(path, bytes))
      secrets.push({ check: "secret", path, detail: `line ${line} holds what looks like a credential (${kind})` });
    if (start === undefined || isVolatile(path)) continue;
    for (const part of tarEntry(path, { bytes: bytes.length, pieces: [bytes] }, Math.floor(start / 1000)))
      archive.update(part);
  }
  for (const part of tarEnd) archive.update(part);
  return { hashes, sizes, secrets, fingerprint: start === undefined ? undefined : archive.digest("hex") };
}

function checkSignatures(
  files: Files,
  trusted: string | undefined,
): { signature: Verdict["signature"]; keyId?: string; findings: Finding[] } {
  const findings: Finding[] = [];
  const invalid = (path: string, detail: string) => findings.push({ check: "signature", path, detail });
  const seed = z.object({ seed: z.string() }).safeParse(json(files.get("mode.json"))).data?.seed;
  const own = trusted ?? (seed === undefined ? undefined : derivedPem(seed));
  if (own === undefined) {
    invalid(
      names.attestation,
      "mode.json does not say the seed from which the key is derived; give the key: --key FILE",
    );
    return { signature: "invalid", findings };
  }
  const key = createPublicKey(own);
  const packed = files.get(names.publicKey)?.toString("utf8");
  if (packed !== undefined && trusted === undefined && packed !== own)
    invalid(
      names.publicKey,
      "the pack names a key that is not derived from its seed, and no key was given: --key FILE",
    );
  else if (packed !== undefined && packed !== publicText(own))
    invalid(names.publicKey, "the pack names another key than the one given");
  const lists =
    files.has(names.volatileSums) || files.has(names.volatileAttestation)
      ? ([
          [names.attestation, names.sums],
          [names.volatileAttestation, names.volatileSums],
        ] as const)
      : ([[names.attestation, names.sums]] as const);
  for (const [attestation, list] of lists) {
    const text = files.get(attestation);
    if (!text) {
      invalid(attestation, "is missing");
      continue;
    }
    const attested = checkAttestation(list, text.toString("utf8"), key);
    if (attested.tag === "invalid") invalid(attestation, attested.reason);
    else if (attested.sums !== sha256(files.get(list) ?? Buffer.alloc(0)))
      invalid(list, "is not the list that was signed");
    else if (seed !== undefined && attested.predicate.seed !== seed)
      invalid(attestation, "was signed for another seed than mode.json names");
  }
  const good: Verdict["signature"] = trusted === undefined ? "integrity only" : "valid";
  return { signature: findings.length > 0 ? "invalid" : good, keyId: keyId(key), findings };
}

const derivedPem = (seed: string) =>
  publicText(createPublicKey(derivedKey(seed).key).export({ format: "pem", type: "spki" }).toString());
const publicText = (pem: string) => createPublicKey(pem).export({ format: "pem", type: "spki" }).toString();

/** Every file in the list with its hash, nothing else in the tree, lines as this writes them. */
function checkList(
  files: Files,
  hashes: ReadonlyMap<string, string>,
  { present, list, base }: { readonly present: readonly string[]; readonly list: string; readonly base: string },
): Finding[] {
  const text = files.get(list)?.toString("utf8");
  if (text === undefined) return [{ check: "missing", path: list, detail: "is missing" }];
  const findings: Finding[] = [];
  const listed = new Map<string, string>();
  let last = "";
  for (const line of text.split("\n").slice(0, -1)) {
    const [, hash, name] = /^([0-9a-f]{64}) {2}([A-Za-z0-9._/-]+)$/.exec(line) ?? [];
    if (hash === undefined || name === undefined) {
      findings.push({ check: "list", path: list, detail: `${JSON.stringify(line)} is no line of a hash list` });
      continue;
    }
    if (listed.has(name)) findings.push({ check: "list", path: list, detail: `${name} is listed twice` });
    else if (compareText(last, name) >= 0)
      findings.push({ check: "list", path: list, detail: `${name} is out of order` });
    last = name;
    listed.set(name, hash);
  }
  if (text !== "" && !text.endsWith("\n"))
    findings.push({ check: "list", path: list, detail: "the last line is cut off" });
  for (const [name, hash] of listed) {
    const path = base + name;
    const found = hashes.get(path);
    if (found === undefined) findings.push({ check: "missing", path, detail: `is listed in ${list} and is not there` });
    else if (found !== hash) findings.push({ check: "changed", path, detail: `is not the file that ${list} lists` });
  }
  const unlisted = new Set<string>([list, base === "" ? names.attestation : names.volatileAttestation]);
  for (const path of present)
    if (!listed.has(path.slice(base.length)) && !unlisted.has(path))
      findings.push({ check: "extra", path, detail: `is not listed in ${list}` });
  return findings;
}

function checkManifest(
  files: Files,
  hashes: ReadonlyMap<string, string>,
  sizes: ReadonlyMap<string, number>,
): Finding[] {
  const path = names.manifest;
  if (!files.has(path)) return []; // missing is said by the list already
  const manifest = Manifest.safeParse(json(files.get(path)));
  if (!manifest.success)
    return [{ check: "manifest", path, detail: `is no manifest: ${z.prettifyError(manifest.error).split("\n")[0]}` }];
  const findings: Finding[] = [];
  const say = (detail: string) => findings.push({ check: "manifest", path, detail });
  const described = new Map(manifest.data.files.map((file) => [file.path, file]));
  if (described.size !== manifest.data.files.length) say("describes a file twice");
  const paths = manifest.data.files.map((file) => file.path);
  if (paths.some((name, n) => n > 0 && compareText(paths[n - 1] ?? "", name) >= 0)) say("is out of order");
  for (const [name, file] of described) {
    if (!files.has(name)) say(`describes ${name}, which is not there`);
    else if (sizes.get(name) !== file.bytes || hashes.get(name) !== file.sha256)
      say(`describes ${name} with another hash or size`);
  }
  const self = new Set<string>([names.manifest, names.sums, names.attestation]);
  for (const name of files.keys())
    if (!isVolatile(name) && !self.has(name) && !described.has(name)) say(`does not describe ${name}`);
  return findings;
}

function json(bytes: Buffer | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined; // the schema that reads it says what is wrong
  }
}
