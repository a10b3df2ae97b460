/** Who is calling: from an access key, a session token or nothing, strictly or leniently. */

import { isoSeconds } from "../kernel/clock.ts";
import type { Exchange } from "../kernel/exchange.ts";
import { accountOf } from "./domain/access-key.ts";
import { type Region, regionNamed } from "./domain/regions.ts";
import { reject } from "./errors.ts";
import type { Seals } from "./seals.ts";
import type { Service } from "./service.ts";
import { credentialOf, isSignedWith, parseSignedAt, type Signature, signatureOf } from "./sigv4.ts";
import type { Account, Settings, SpotStore } from "./store.ts";

export interface Caller {
  readonly account: Account;
  readonly arn: string;
  readonly userId: string;
  readonly kind: "user" | "root" | "session";
  /** ARN of the role behind a session. */
  readonly role: string | undefined;
}

/** What a session token says. */
export interface Session {
  readonly accessKeyId: string;
  readonly account: string;
  readonly roleArn: string;
  readonly assumedRoleId: string;
  readonly arn: string;
  /** Wall clock, epoch milliseconds. */
  readonly expires: number;
}

export const sessionPurpose = "session";
/** What AWS's own session tokens begin with. */
export const sessionPrefix = "IQoJb3JpZ2luX2Vj";
const skewMs = 300_000;

interface Door {
  readonly exchange: Exchange;
  readonly service: Service;
  readonly store: SpotStore;
  readonly seals: Seals;
  readonly wall: number;
}

export function sealSession(seals: Seals, session: Session): string {
  const { accessKeyId, account, roleArn, assumedRoleId, arn, expires } = session;
  return (
    sessionPrefix + seals.seal(sessionPurpose, [accessKeyId, account, roleArn, assumedRoleId, arn, expires].join("\n"))
  );
}

function openSession(seals: Seals, token: string): Session | undefined {
  const text = token.startsWith(sessionPrefix)
    ? seals.open(sessionPurpose, token.slice(sessionPrefix.length))
    : undefined;
  const [accessKeyId, account, roleArn, assumedRoleId, arn, expires] = text?.split("\n") ?? [];
  if (!accessKeyId || !account || !roleArn || !assumedRoleId || !arn) return undefined;
  return { accessKeyId, account, roleArn, assumedRoleId, arn, expires: Number(expires) };
}

/**
 * Lenient: the signature is not looked at; an unknown key belongs to the account written in it, else to the first account.
 * Strict: as the provider does. A session of ours that has expired is refused either way, so that refreshing is tested.
 */
export function callerOf(door: Door, settings: Settings): Caller {
  const strict = settings.signatures === "strict";
  const signature = signatureOf(door.exchange);
  if (strict) return strictCaller(door, signature);
  const keyId = credentialOf(door.exchange)?.accessKeyId;
  // A header that names the algorithm and then says nothing readable is refused even where signatures are not checked.
  if (keyId === undefined && door.exchange.header("authorization")?.startsWith("AWS4-HMAC-SHA256"))
    reject("incompleteSignature", typeof signature === "string" ? signature : "Credential cannot be read.");
  const token =
    door.exchange.header("x-amz-security-token") ??
    (typeof signature === "object" ? signature.sessionToken : undefined);
  const session = token === undefined ? undefined : openSession(door.seals, token);
  if (session && session.accessKeyId === keyId) return sessionCaller(door, session);
  const known = keyId === undefined ? undefined : door.store.accessKey(keyId);
  const written = keyId === undefined ? undefined : accountOf(keyId);
  const account = door.store.account(known?.account ?? written ?? "") ?? door.store.firstAccount();
  if (!account) return reject("authFailure");
  const key = known ?? door.store.firstAccessKey(account.id);
  return key ? { account, arn: key.userArn, userId: key.userId, kind: "user", role: undefined } : root(account);
}

function root(account: Account): Caller {
  return { account, arn: `arn:aws:iam::${account.id}:root`, userId: account.id, kind: "root", role: undefined };
}

function strictCaller(door: Door, signature: Signature | string | undefined): Caller {
  const { exchange, service, store, seals } = door;
  if (signature === undefined) return reject(isQuery(service) ? "missingAuthentication" : "missingAuthenticationToken");
  if (typeof signature === "string") return reject("incompleteSignature", signature);
  refuseSkew(door, signature);
  const keyId = signature.credential.accessKeyId;
  if (signature.sessionToken !== undefined) {
    const session = openSession(seals, signature.sessionToken);
    if (session?.accessKeyId !== keyId) return unknownKey(service);
    if (!isSignedWith(seals.secretOf(keyId), signature, exchange)) return badSignature(service);
    return sessionCaller(door, session);
  }
  const key = store.accessKey(keyId);
  const account = key && store.account(key.account);
  if (!key || !account) return unknownKey(service);
  if (!isSignedWith(key.secret, signature, exchange)) return badSignature(service);
  return { account, arn: key.userArn, userId: key.userId, kind: "user", role: undefined };
}

function unknownKey(service: Service): never {
  return reject(service === "ec2" ? "authFailure" : service === "sts" ? "invalidClientToken" : "unrecognizedClient");
}

function badSignature(service: Service): never {
  return reject(service === "ec2" ? "authFailure" : service === "sts" ? "signatureMismatch" : "invalidSignature");
}

function isQuery(service: Service): boolean {
  return service === "ec2" || service === "sts";
}

/** On the wall clock: clients sign with their own. */
function refuseSkew({ service, wall }: Door, { signedAt, expires }: Signature): void {
  const at = parseSignedAt(signedAt) ?? 0;
  // A presigned query says itself how long it holds.
  const late = at + (expires === undefined ? skewMs : expires * 1000);
  const signed = compact(at);
  if (wall > late) {
    if (service === "ec2") reject("requestExpired");
    if (!isQuery(service)) reject("invalidSignature");
    reject("signatureExpired", signed, `${compact(wall - skewMs)} (${compact(wall)} - 5 min.)`);
  }
  if (wall < at - skewMs) {
    if (service === "ec2") reject("requestExpired");
    if (!isQuery(service)) reject("invalidSignature");
    reject("signatureEarly", signed, `${compact(wall + skewMs)} (${compact(wall)} + 5 min.)`);
  }
}

function compact(instant: number): string {
  return isoSeconds(instant).replace(/[-:]/g, "");
}

function sessionCaller(door: Door, session: Session): Caller {
  if (session.expires <= door.wall)
    return reject(
      door.service === "ec2" ? "requestExpired" : door.service === "sts" ? "expiredToken" : "expiredTokenException",
    );
  const account = door.store.account(session.account);
  if (!account) return unknownKey(door.service);
  return { account, arn: session.arn, userId: session.assumedRoleId, kind: "session", role: session.roleArn };
}

/** The region of the credential scope, else of the host name, else the seed's. */
export function regionOf(exchange: Exchange, caller: Caller, settings: Settings): Region {
  const host = /^(?:ec2|sts|fis)\.([a-z]+(?:-[a-z]+)+-\d)\./.exec(exchange.host)?.[1];
  const name = credentialOf(exchange)?.region ?? host ?? settings.region;
  const region = regionNamed(name);
  if (!region) return reject("authFailure");
  if (region.optIn && !caller.account.optedIn.includes(name)) return reject("optIn", name);
  return region;
}
