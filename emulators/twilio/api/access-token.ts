/** The JWTs that oauth.twilio.com gives out. SDKs read `exp` and fetch a new one when it is near. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { TwilioRuntime } from "./call.ts";

export const tokenSeconds = 3_600;

/** Expiry is on the machine's clock: clients compare it with theirs. */
export function issueToken(runtime: TwilioRuntime, accountSid: string, clientId: string): string {
  const issued = Math.floor(runtime.clock.wall() / 1_000);
  const head = encoded({ alg: "HS256", typ: "JWT" });
  const claims = encoded({
    iss: "https://oauth.twilio.com",
    sub: accountSid,
    client_id: clientId,
    iat: issued,
    exp: issued + tokenSeconds,
  });
  return `${head}.${claims}.${seal(runtime, `${head}.${claims}`)}`;
}

/** The account a token was made for; undefined when it is forged, malformed or expired. */
export function accountOfToken(runtime: TwilioRuntime, token: string): string | undefined {
  const [head = "", claims = "", given = ""] = token.split(".");
  const [sent, made] = [Buffer.from(given), Buffer.from(seal(runtime, `${head}.${claims}`))];
  if (sent.length !== made.length || !timingSafeEqual(sent, made)) return undefined;
  const read: unknown = JSON.parse(Buffer.from(claims, "base64url").toString("utf8"));
  if (typeof read !== "object" || read === null || !("sub" in read) || !("exp" in read)) return undefined;
  if (typeof read.sub !== "string" || typeof read.exp !== "number") return undefined;
  return read.exp * 1_000 > runtime.clock.wall() ? read.sub : undefined;
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function seal(runtime: TwilioRuntime, text: string): string {
  return createHmac("sha256", runtime.ids.fixed("twilio.oauth-key", []).bytes()).update(text).digest("base64url");
}
