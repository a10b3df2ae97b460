/** Client assertions: an application that signs with its certificate instead of telling a secret (RFC 7523). */
import { constants, verify, X509Certificate } from "node:crypto";

export type Refusal = "malformed" | "otherClient" | "notNow" | "unknownCertificate";

/**
 * Why an assertion is refused; undefined when it holds. An application with no certificate in the seed takes any: then
 * there is nothing to hold the signature against.
 */
export function refusalOf(
  assertion: string,
  {
    clientId,
    certificates,
    strict,
    now,
  }: {
    readonly clientId: string;
    readonly certificates: readonly string[];
    readonly strict: boolean;
    readonly now: number;
  },
): Refusal | undefined {
  const [head = "", body = "", signature = "", ...rest] = assertion.split(".");
  const { alg } = decoded(head);
  const { iss, sub, aud, exp, nbf = 0 } = decoded(body);
  if (rest.length > 0 || (alg !== "RS256" && alg !== "PS256")) return "malformed";
  if (typeof iss !== "string" || typeof sub !== "string" || typeof aud !== "string") return "malformed";
  if (typeof exp !== "number" || typeof nbf !== "number") return "malformed";
  if (iss.toLowerCase() !== clientId || sub.toLowerCase() !== clientId) return "otherClient";
  // Five minutes for clocks that differ, as Entra ID allows.
  if (exp * 1000 < now - 300_000 || nbf * 1000 > now + 300_000) return "notNow";
  if (certificates.length === 0) return strict ? "unknownCertificate" : undefined;
  const signed = Buffer.from(`${head}.${body}`);
  const bytes = Buffer.from(signature, "base64url");
  const padding = alg === "PS256" ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const holds = certificates.some((pem) =>
    verify("sha256", signed, { key: new X509Certificate(pem).publicKey, padding, saltLength: 32 }, bytes),
  );
  return holds ? undefined : "unknownCertificate";
}

/** The members of a part; none where it is no JSON object, and then it is no assertion. */
function decoded(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
