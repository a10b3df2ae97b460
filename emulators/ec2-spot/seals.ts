/**
 * Opaque tokens that need no memory: what they say stands in them under an HMAC of the seed, so that any process with the
 * same seed accepts them and nobody else can make one.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Ids } from "../kernel/ids.ts";

export interface Seals {
  /** Base64 of 16 bytes of HMAC and the text. `purpose` keeps tokens of different kinds apart. */
  seal(purpose: string, text: string): string;
  /** The text; undefined for anything that was not sealed here for this purpose. */
  open(purpose: string, token: string): string | undefined;
  /** 40 base64 characters that belong to a session's access key. */
  secretOf(accessKeyId: string): string;
}

const macBytes = 16;

export function createSeals(ids: Ids): Seals {
  const key = ids.fixed("ec2.seal", []).bytes();
  const mac = (purpose: string, text: Buffer) =>
    createHmac("sha256", key).update(`${purpose}\u0000`).update(text).digest().subarray(0, macBytes);
  return {
    seal(purpose, text) {
      const bytes = Buffer.from(text);
      return Buffer.concat([mac(purpose, bytes), bytes]).toString("base64");
    },
    open(purpose, token) {
      const bytes = Buffer.from(token, "base64");
      if (bytes.length < macBytes || bytes.toString("base64") !== token) return undefined;
      const text = bytes.subarray(macBytes);
      return timingSafeEqual(mac(purpose, text), bytes.subarray(0, macBytes)) ? text.toString("utf8") : undefined;
    },
    secretOf: (accessKeyId) =>
      createHmac("sha256", key).update(`secret\u0000${accessKeyId}`).digest().subarray(0, 30).toString("base64"),
  };
}
