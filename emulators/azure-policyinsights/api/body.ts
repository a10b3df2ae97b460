/** JSON bodies of requests. */
import type { Exchange } from "../../kernel/exchange.ts";
import { isRecord, type Json } from "../domain/json.ts";
import { reject } from "../errors.ts";

/** The body, which must be an object; nothing at all counts as an empty one. @throws ArmError 400 */
export function bodyOf(exchange: Exchange): { readonly [name: string]: Json } {
  if (exchange.body.length === 0) return {};
  let parsed: Json;
  try {
    parsed = JSON.parse(exchange.body.toString("utf8"));
  } catch (cause) {
    return reject("InvalidRequestContent", cause instanceof Error ? cause.message : "it is not JSON");
  }
  return isRecord(parsed) ? parsed : reject("InvalidRequestContent", "an object is expected");
}
