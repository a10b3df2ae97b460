/**
 * Who vouches for a pack: an in-toto Statement v1 (https://in-toto.io/Statement/v1) about SHA256SUMS in a DSSE envelope
 * (https://github.com/secure-systems-lab/dsse), signed with ed25519.
 */
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import * as z from "zod";
import { canonicalLine } from "./canonical.ts";

const payloadType = "application/vnd.in-toto+json";
const statementType = "https://in-toto.io/Statement/v1";
export const predicateType = "https://backlot.test/evidence-pack/v1";

export interface SigningKey {
  readonly key: KeyObject;
  /** SHA-256 of the public key's DER, hex. */
  readonly id: string;
  /** `derived`: anybody can derive it too, so it shows integrity and says nothing about who made the pack. */
  readonly origin: "file" | "derived";
}

/** The header of a PKCS #8 ed25519 key; the 32 bytes of the seed follow (RFC 8410). */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");

export function derivedKey(seed: string): SigningKey {
  const bytes = createHmac("sha256", seed).update("backlot.evidence.key").digest();
  return signingKey(
    createPrivateKey({ key: Buffer.concat([pkcs8Head, bytes]), format: "der", type: "pkcs8" }),
    "derived",
  );
}

/** @param pem a PKCS #8 private key: `openssl genpkey -algorithm ed25519` */
export function keyFromPem(pem: string): SigningKey {
  return signingKey(createPrivateKey(pem), "file");
}

function signingKey(key: KeyObject, origin: SigningKey["origin"]): SigningKey {
  if (key.asymmetricKeyType !== "ed25519") throw new Error(`an ed25519 key is needed, not ${key.asymmetricKeyType}`);
  return { key, id: keyId(createPublicKey(key)), origin };
}

export function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ format: "pem", type: "spki" }).toString();
}

export function keyId(publicKey: KeyObject): string {
  return createHash("sha256")
    .update(publicKey.export({ format: "der", type: "spki" }))
    .digest("hex");
}

/** Pre-authentication encoding: the signature covers the type too, so that no other kind of document passes as this. */
export function preAuthEncoding(type: string, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body]);
}

/** @param name of the hash list that is vouched for */
export function attest(
  name: string,
  sums: Uint8Array,
  predicate: Record<string, unknown>,
  { key, id }: SigningKey,
): string {
  const statement = {
    _type: statementType,
    subject: [{ name, digest: { sha256: sha256(sums) } }],
    predicateType,
    predicate,
  };
  const payload = Buffer.from(canonicalLine(statement));
  const signature = sign(null, preAuthEncoding(payloadType, payload), key);
  return `${canonicalLine({
    payloadType,
    payload: payload.toString("base64"),
    signatures: [{ keyid: id, sig: signature.toString("base64") }],
  })}\n`;
}

const Envelope = z.strictObject({
  payloadType: z.literal(payloadType),
  payload: z.base64(),
  signatures: z.array(z.strictObject({ keyid: z.string().optional(), sig: z.base64() })).min(1),
});
const Statement = z.object({
  _type: z.literal(statementType),
  subject: z.array(z.object({ name: z.string(), digest: z.object({ sha256: z.string() }) })).min(1),
  predicateType: z.literal(predicateType),
  predicate: z.record(z.string(), z.unknown()),
});

export type Attested =
  | {
      readonly tag: "valid";
      readonly keyId: string;
      readonly sums: string;
      readonly predicate: Record<string, unknown>;
    }
  | { readonly tag: "invalid"; readonly reason: string };

/** Checks the signature first and reads only what it covers. Every signature of the envelope must be this key's. */
export function checkAttestation(name: string, text: string, publicKey: KeyObject): Attested {
  const invalid = (reason: string): Attested => ({ tag: "invalid", reason });
  const envelope = Envelope.safeParse(parsed(text));
  if (!envelope.success) return invalid("it is not a DSSE envelope of an in-toto statement");
  const payload = Buffer.from(envelope.data.payload, "base64");
  const encoded = preAuthEncoding(envelope.data.payloadType, payload);
  const id = keyId(publicKey);
  const good = envelope.data.signatures.every(
    ({ sig, keyid }) =>
      (keyid === undefined || keyid === id) && verify(null, encoded, publicKey, Buffer.from(sig, "base64")),
  );
  if (!good) return invalid(`it is not signed by the key ${id.slice(0, 16)}...`);
  const statement = Statement.safeParse(parsed(payload.toString("utf8")));
  const [subject] = statement.data?.subject ?? [];
  if (!statement.success || subject?.name !== name || statement.data.subject.length !== 1)
    return invalid(`the signed statement is not about ${name}`);
  return { tag: "valid", keyId: id, sums: subject.digest.sha256, predicate: statement.data.predicate };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON is as wrong as the wrong JSON: the caller says so
  }
}

export function sha256(bytes: Uint8Array | string): string {
  return hash("sha256", bytes, "hex");
}
