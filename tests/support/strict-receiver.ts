/**
 * A webhook receiver that judges as an application should: 401 when signature headers are missing or the timestamp is
 * more than five minutes off, 403 when no signature fits, 409 for an id it has seen, 200 else.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type Received, type Receiver, startReceiver } from "./receiver.ts";

const toleranceSeconds = 300;

/** @param now Milliseconds; the machine's time or a virtual one. */
export async function startStrictReceiver(
  secrets: () => readonly string[],
  now: () => number = () => Date.now(),
): Promise<Receiver> {
  const receiver = await startReceiver();
  const seen = new Set<string>();
  receiver.answer = (call: Received, _n: number, response: ServerResponse) => {
    response.writeHead(judge(call, secrets(), now(), seen)).end();
  };
  return receiver;
}

function judge(call: Received, secrets: readonly string[], now: number, seen: Set<string>): number {
  const header = (name: string) => String(call.headers[name] ?? "");
  const [id, timestamp, signatures] = [header("webhook-id"), header("webhook-timestamp"), header("webhook-signature")];
  if (id === "" || signatures === "" || !/^\d+$/.test(timestamp)) return 401;
  if (Math.abs(Math.floor(now / 1000) - Number(timestamp)) > toleranceSeconds) return 401;
  const given = signatures
    .split(" ")
    .filter((entry) => entry.startsWith("v1,"))
    .map((entry) => Buffer.from(entry.slice(3), "base64"));
  const fits = secrets.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${call.body}`).digest();
    return given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
  });
  if (!fits) return 403;
  if (seen.has(id)) return 409;
  seen.add(id);
  return 200;
}
