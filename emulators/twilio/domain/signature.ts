/** X-Twilio-Signature. https://www.twilio.com/docs/usage/security#validating-requests */
import { createHash, createHmac } from "node:crypto";

/** Base64 of HMAC-SHA1 over what is signed. */
export function signature(authToken: string, url: string, parameters: Iterable<readonly [string, string]>): string {
  return createHmac("sha1", authToken).update(signedContent(url, parameters), "utf8").digest("base64");
}

/**
 * The URL followed by every form parameter, sorted by name in code-unit order, name and value without separators. A
 * repeated name contributes its distinct values in order, each with the name again.
 */
export function signedContent(url: string, parameters: Iterable<readonly [string, string]>): string {
  const byName = new Map<string, Set<string>>();
  for (const [name, value] of parameters) {
    const values = byName.get(name);
    if (values) values.add(value);
    else byName.set(name, new Set([value]));
  }
  let text = signedUrl(url);
  // The default sort compares code units, which is what every official validator does.
  for (const name of [...byName.keys()].sort())
    for (const value of [...(byName.get(name) ?? [])].sort()) text += name + value;
  return text;
}

/** Without the fragment, which only configures the connection, and the userinfo, which applications do not see. */
export function signedUrl(url: string): string {
  const hash = url.indexOf("#");
  const called = hash < 0 ? url : url.slice(0, hash);
  return called.replace(/^([a-z]+:\/\/)[^/?@]*@/i, "$1");
}

export function bodyHash(body: Buffer | string): string {
  return createHash("sha256").update(body).digest("hex");
}

/** The query parameter that carries the hash of a JSON body, added to `url` before its fragment. */
export function withBodyHash(url: string, body: Buffer | string): string {
  return withQuery(url, `bodySHA256=${bodyHash(body)}`);
}

export function withQuery(url: string, query: string): string {
  const hash = url.indexOf("#");
  const [called, fragment] = hash < 0 ? [url, ""] : [url.slice(0, hash), url.slice(hash)];
  return `${called}${called.includes("?") ? "&" : "?"}${query}${fragment}`;
}
