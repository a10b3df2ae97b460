/**
 * Access tokens: RS256 JWTs under a key pair that this instance makes for its first token. Times are on the machine's
 * clock, because clients check them.
 */
import { createHash, createPublicKey, generateKeyPair, type KeyObject, sign, verify } from "node:crypto";
import { promisify } from "node:util";

export interface Claims {
  readonly aud: string;
  readonly iss: string;
  /** Seconds since 1970. */
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  readonly appid: string;
  readonly appidacr: string;
  readonly idp: string;
  readonly idtyp: string;
  readonly oid: string;
  readonly sub: string;
  readonly tid: string;
  readonly uti: string;
  readonly ver: string;
}

/** What a request is judged by. */
export type Bearer = Pick<Claims, "aud" | "exp" | "nbf" | "appid" | "tid">;

export interface PublicJwk {
  readonly kty: string;
  readonly use: string;
  readonly kid: string;
  readonly x5t: string;
  readonly n: string;
  readonly e: string;
}

export interface Signer {
  issue(claims: Claims): Promise<string>;
  /** The claims of a token this instance signed; undefined for any other text. Expiry is not looked at. */
  read(token: string): Bearer | undefined;
  jwks(): Promise<readonly PublicJwk[]>;
}

interface Keys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly kid: string;
}

const mostRemembered = 1024;
const generate = promisify(generateKeyPair);

export function createSigner(): Signer {
  let pending: Promise<Keys> | undefined;
  let keys: Keys | undefined;
  // Checking a signature costs more than the rest of a small request, and clients repeat one token for an hour.
  const remembered = new Map<string, Bearer>();
  const ready = async (): Promise<Keys> => {
    pending ??= makeKeys();
    keys = await pending;
    return keys;
  };
  return {
    async issue(claims) {
      const { privateKey, kid } = await ready();
      const header = { typ: "JWT", alg: "RS256", x5t: kid, kid };
      const signed = `${part(header)}.${part(claims)}`;
      return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), privateKey).toString("base64url")}`;
    },
    read(token) {
      const known = remembered.get(token);
      if (known) return known;
      const [header, payload, signature, ...rest] = token.split(".");
      if (!keys || !header || !payload || !signature || rest.length > 0) return undefined;
      const signed = Buffer.from(`${header}.${payload}`);
      if (!verify("RSA-SHA256", signed, keys.publicKey, Buffer.from(signature, "base64url"))) return undefined;
      // Signed by the key that never leaves this process: these are claims that it issued.
      const { aud, exp, nbf, appid, tid } = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Claims;
      const bearer = { aud, exp, nbf, appid, tid };
      if (remembered.size >= mostRemembered) remembered.clear();
      remembered.set(token, bearer);
      return bearer;
    },
    async jwks() {
      const { publicKey, kid } = await ready();
      const { kty = "RSA", n = "", e = "" } = publicKey.export({ format: "jwk" });
      return [{ kty, use: "sig", kid, x5t: kid, n, e }];
    },
  };
}

async function makeKeys(): Promise<Keys> {
  const { privateKey } = await generate("rsa", { modulusLength: 2048 });
  const publicKey = createPublicKey(privateKey);
  const kid = createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
  return { privateKey, publicKey, kid };
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
