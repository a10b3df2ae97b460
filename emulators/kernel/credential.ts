/** Who sent a request, as far as its headers say; nothing is checked here. */
import { createHash } from "node:crypto";
import type { Exchange } from "./exchange.ts";

/**
 * The account a limit counts for: the user of Basic, the access key of SigV4, a digest of any other credential, or the
 * address of a client that sends none.
 */
export function accountOf(exchange: Exchange): string {
  const authorization = exchange.header("authorization");
  if (authorization === undefined) return exchange.remote;
  const basic = /^Basic\s+(\S+)$/i.exec(authorization)?.[1];
  if (basic !== undefined) return Buffer.from(basic, "base64").toString("utf8").split(":")[0] ?? "";
  return accessKey(authorization) ?? `token:${digest(authorization)}`;
}

/**
 * The whole credential as a digest, for what must not be shown to somebody else with half of it. A SigV4 header is new
 * with each request, so there the access key stands for it.
 */
export function credentialOf(exchange: Exchange): string {
  const authorization = exchange.header("authorization") ?? "";
  return accessKey(authorization) ?? digest(authorization);
}

const accessKey = (authorization: string) => /^AWS4-\S+ Credential=([^/,\s]+)\//.exec(authorization)?.[1];
const digest = (text: string) => createHash("sha256").update(text).digest("base64url").slice(0, 22);
