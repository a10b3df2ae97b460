/** Signature Version 4: reading a signature from a header or a presigned query, and checking it. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Exchange } from "../kernel/exchange.ts";

export interface Credential {
  readonly accessKeyId: string;
  /** `20261121` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export interface Signature {
  readonly credential: Credential;
  readonly signedHeaders: readonly string[];
  readonly hex: string;
  /** `20261121T061334Z` */
  readonly signedAt: string;
  readonly sessionToken: string | undefined;
  /** Seconds for which a presigned query holds. */
  readonly expires: number | undefined;
}

const algorithm = "AWS4-HMAC-SHA256";

/** The credential scope, if there is a well-formed one; enough to tell service, region and account. */
export function credentialOf(exchange: Exchange): Credential | undefined {
  const authorization = exchange.header("authorization");
  if (authorization !== undefined) return parseCredential(/Credential=([^,\s]+)/.exec(authorization)?.[1]);
  if (!exchange.target.includes("X-Amz-Credential=")) return undefined;
  const presigned = /[?&]X-Amz-Credential=([^&]+)/.exec(exchange.target)?.[1];
  return parseCredential(presigned?.replace(/%2F/gi, "/"));
}

function parseCredential(text: string | undefined): Credential | undefined {
  const [accessKeyId, date, region, service, end, more] = (text ?? "").split("/");
  if (!accessKeyId || !date || !region || !service || end !== "aws4_request" || more !== undefined) return undefined;
  return { accessKeyId, date, region, service };
}

/** The whole signature; undefined when the request has none; a text that says what is wrong with a malformed one. */
export function signatureOf(exchange: Exchange): Signature | string | undefined {
  const authorization = exchange.header("authorization");
  if (authorization === undefined) return presignatureOf(exchange);
  if (!authorization.startsWith(`${algorithm} `)) return `'${authorization.split(" ")[0]}' is not ${algorithm}`;
  const credential = credentialOf(exchange);
  const signedHeaders = /SignedHeaders=([^,\s]+)/.exec(authorization)?.[1];
  const hex = /Signature=([0-9a-f]{64})\b/.exec(authorization)?.[1];
  const signedAt = exchange.header("x-amz-date");
  if (!credential) return "Authorization header requires a 'Credential' parameter of five parts.";
  if (!signedHeaders) return "Authorization header requires 'SignedHeaders' parameter.";
  if (!hex) return "Authorization header requires 'Signature' parameter.";
  if (signedAt === undefined || parseSignedAt(signedAt) === undefined)
    return "Authorization header requires existence of a 'X-Amz-Date' header.";
  return {
    credential,
    signedHeaders: signedHeaders.split(";"),
    hex,
    signedAt,
    sessionToken: exchange.header("x-amz-security-token"),
    expires: undefined,
  };
}

function presignatureOf(exchange: Exchange): Signature | string | undefined {
  const question = exchange.target.indexOf("?");
  if (question < 0 || !exchange.target.includes("X-Amz-Signature=", question)) return undefined;
  const query = new URLSearchParams(exchange.target.slice(question + 1));
  const credential = credentialOf(exchange);
  const signedAt = query.get("X-Amz-Date") ?? "";
  const expires = Number(query.get("X-Amz-Expires") ?? Number.NaN);
  if (query.get("X-Amz-Algorithm") !== algorithm) return `X-Amz-Algorithm must be ${algorithm}`;
  if (!credential) return "X-Amz-Credential must have five parts.";
  if (parseSignedAt(signedAt) === undefined) return "X-Amz-Date must be in the form yyyymmddThhmmssZ.";
  if (!Number.isInteger(expires) || expires < 0 || expires > 604_800)
    return "X-Amz-Expires must be a number from 0 to 604800.";
  const sessionToken = query.get("X-Amz-Security-Token") ?? undefined;
  const signedHeaders = (query.get("X-Amz-SignedHeaders") ?? "host").split(";");
  return { credential, signedHeaders, hex: query.get("X-Amz-Signature") ?? "", signedAt, sessionToken, expires };
}

/** Epoch milliseconds of `20261121T061334Z`. */
export function parseSignedAt(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? undefined : at;
}

/** Whether the request was signed with this secret. */
export function isSignedWith(secret: string, signature: Signature, exchange: Exchange): boolean {
  const { credential, signedAt } = signature;
  if (!signature.signedHeaders.includes("host") || !signedAt.startsWith(credential.date)) return false;
  const payload = payloadHash(signature, exchange);
  if (payload === undefined) return false;
  const scope = `${credential.date}/${credential.region}/${credential.service}/aws4_request`;
  const toSign = `${algorithm}\n${signedAt}\n${scope}\n${sha256(canonicalRequest(signature, exchange, payload))}`;
  const key = [credential.date, credential.region, credential.service, "aws4_request"].reduce<Buffer>(
    (chained, part) => hmac(chained, part),
    Buffer.from(`AWS4${secret}`),
  );
  const expected = hmac(key, toSign);
  const given = Buffer.from(signature.hex, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The declared hash when it is the body's own; undefined when it lies. */
function payloadHash(signature: Signature, exchange: Exchange): string | undefined {
  const actual = sha256(exchange.body);
  const declared = exchange.header("x-amz-content-sha256");
  if (declared === undefined || signature.expires !== undefined) return actual;
  return declared === actual || declared === "UNSIGNED-PAYLOAD" ? declared : undefined;
}

function canonicalRequest(signature: Signature, exchange: Exchange, payload: string): string {
  const question = exchange.target.indexOf("?");
  const path = question < 0 ? exchange.target : exchange.target.slice(0, question);
  const headers = signature.signedHeaders.map((name) => {
    const value = name === "host" ? (exchange.header("host") ?? exchange.host) : (exchange.header(name) ?? "");
    return `${name}:${value.trim().replace(/ +/g, " ")}\n`;
  });
  return [
    exchange.method,
    // Every service but S3 encodes the path it received once more.
    path.split("/").map(encode).join("/"),
    canonicalQuery(question < 0 ? "" : exchange.target.slice(question + 1)),
    headers.join(""),
    signature.signedHeaders.join(";"),
    payload,
  ].join("\n");
}

function canonicalQuery(query: string): string {
  return query
    .split("&")
    .filter((pair) => pair !== "" && !pair.startsWith("X-Amz-Signature="))
    .map((pair): readonly [string, string] => {
      const equals = pair.indexOf("=");
      return equals < 0
        ? [encodeAgain(pair), ""]
        : [encodeAgain(pair.slice(0, equals)), encodeAgain(pair.slice(equals + 1))];
    })
    .sort(([leftName, left], [rightName, right]) => compare(leftName, rightName) || compare(left, right))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function encodeAgain(text: string): string {
  try {
    return encode(decodeURIComponent(text));
  } catch {
    // Not valid percent-encoding, so it cannot have been signed as such; any text that differs from the signer's will do.
    return encode(text);
  }
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
