/** Client assertions: an application that signs with its certificate instead of telling a secret (RFC 7523). */
import { constants, verify, X509Certificate } from "node:crypto";
import * as z from "zod";

export type Refusal = "malformed" | "otherClient" | "notNow" | "unknownCertificate";

const Header = z.object({ alg: z.enum(["RS256", "PS256"]) });
const Payload = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  exp: z.number(),
  nbf: z.number().optional(),
});

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
  const header = Header.safeParse(decoded(head));
  const payload = Payload.safeParse(decoded(body));
  if (!header.success || !payload.success || rest.length > 0) return "malformed";
  const { iss, sub, exp, nbf = 0 } = payload.data;
  if (iss.toLowerCase() !== clientId || sub.toLowerCase() !== clientId) return "otherClient";
  // Five minutes for clocks that differ, as Entra ID allows.
  if (exp * 1000 < now - 300_000 || nbf * 1000 > now + 300_000) return "notNow";
  if (certificates.length === 0) return strict ? "unknownCertificate" : undefined;
  const signed = Buffer.from(`${head}.${body}`);
  const bytes = Buffer.from(signature, "base64url");
  const padding = header.data.alg === "PS256" ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const holds = certificates.some((pem) =>
    verify("sha256", signed, { key: new X509Certificate(pem).publicKey, padding, saltLength: 32 }, bytes),
  );
  return holds ? undefined : "unknownCertificate";
}

function decoded(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined; // no JSON: then it is no assertion
  }
}
