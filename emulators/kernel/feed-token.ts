/**
 * Tokens for viewers that cannot send a header: EventSource and WebSocket in a browser. Signed with the control token
 * where one is set, so that what the suite signs is good at every emulator; good for one minute to connect.
 */
import { createHmac, generateKeySync, type KeyObject } from "node:crypto";
import type { Clock } from "./clock.ts";
import { sameText } from "./signatures.ts";

export interface FeedTokens {
  issue(): { readonly token: string; readonly expiresAt: number };
  verify(token: string): boolean;
}

export const tokenLifeMs = 60_000;

export function createFeedTokens(controlToken: string | undefined, clock: Clock): FeedTokens {
  // A key and nothing else: no id, no datum and no signature that a client compares comes from it.
  const key: string | KeyObject = controlToken ?? generateKeySync("hmac", { length: 256 });
  const sign = (expires: string) => createHmac("sha256", key).update(`backlot events ${expires}`).digest("base64url");
  return {
    issue() {
      const expiresAt = clock.wall() + tokenLifeMs;
      return { token: `${expiresAt}.${sign(String(expiresAt))}`, expiresAt };
    },
    verify(token) {
      const dot = token.indexOf(".");
      const expires = token.slice(0, Math.max(0, dot));
      return (
        /^\d{1,15}$/.test(expires) && sameText(token.slice(dot + 1), sign(expires)) && Number(expires) > clock.wall()
      );
    },
  };
}
