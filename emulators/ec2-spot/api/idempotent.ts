/** Client tokens: the same token and request get the first answer again, another request is refused. */
import { createHash } from "node:crypto";
import { reject } from "../errors.ts";
import type { Node } from "../query-tree.ts";
import type { Call } from "./operation.ts";

/** The request's token; longer ones than the operation takes are refused. */
export function clientTokenOf(node: Node, longest = 64): string | undefined {
  const token = node.text("ClientToken");
  if ((token?.length ?? 0) > longest) reject("badValue", "clientToken", token);
  return token;
}

/** Inside a write. `work` makes something and answers its ids; with a known token its ids are those of the first time. */
export function once(
  call: Call,
  action: string,
  token: string | undefined,
  work: () => readonly string[],
): readonly string[] {
  if (!token) return work();
  const { resources } = call.runtime.state;
  const key = `${call.caller.account.id}/${call.region.name}/${action}/${token}`;
  const asked = [...call.parameters.all]
    .filter(([name]) => !/^(ClientToken|Version|X-Amz-.*|Signature.*|Timestamp|AWSAccessKeyId)$/.test(name))
    .sort(([left], [right]) => (left < right ? -1 : 1));
  const fingerprint = createHash("sha256").update(JSON.stringify(asked)).digest("hex");
  const known = resources.token(key);
  if (known) {
    if (known.fingerprint !== fingerprint) reject("tokenMismatch", token);
    return JSON.parse(known.result) as string[];
  }
  const made = work();
  resources.putToken(key, fingerprint, JSON.stringify(made));
  return made;
}
