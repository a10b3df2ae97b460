/**
 * Who may be reached through the gateway: this machine, and what BACKLOT_EGRESS_ALLOW names. A name is looked up once,
 * every answer is checked, and the connection goes to one of those addresses, so that a second look-up cannot lead
 * elsewhere (DNS rebinding). A name that is not allowed is not looked up at all.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type Authority, isLoopback, isMetadata } from "./addresses.ts";
import type { Allowance } from "./allowance.ts";

export type Verdict =
  | { readonly tag: "direct"; readonly addresses: readonly string[] }
  | { readonly tag: "allowed"; readonly addresses: readonly string[]; readonly by: string }
  | { readonly tag: "refused"; readonly reason: string; readonly hint: string };

export type Resolve = (name: string) => Promise<readonly string[]>;

export function createGuard(allowance: Allowance, resolve: Resolve = resolveName): (to: Authority) => Promise<Verdict> {
  return async ({ host, port }) => {
    if (isMetadata(host)) return metadataRefused(`${host} is a cloud's metadata address`);
    const local = isLoopback(host);
    const by = local ? undefined : allowance.covers(host, port);
    if (!local && by === undefined)
      return {
        tag: "refused",
        reason: `${host} is neither emulated nor on this machine`,
        hint: `Nothing leaves this machine. To let it through: BACKLOT_EGRESS_ALLOW=${host}, or backlot exec --allow ${host}.`,
      };
    const addresses = isIP(host) === 0 ? await resolve(host) : [reachable(host)];
    if (addresses.length === 0)
      return {
        tag: "refused",
        reason: `${host} does not resolve`,
        hint: "Look at the name and at this machine's DNS.",
      };
    const trap = addresses.find(isMetadata);
    if (trap !== undefined) return metadataRefused(`${host} leads to the metadata address ${trap}`);
    if (by !== undefined) return { tag: "allowed", addresses, by };
    const outside = addresses.find((address) => !isLoopback(address));
    if (outside === undefined) return { tag: "direct", addresses };
    return {
      tag: "refused",
      reason: `${host} leads to ${outside}, which is not loopback`,
      hint: "Look at the hosts file.",
    };
  };
}

const metadataRefused = (reason: string) =>
  ({
    tag: "refused",
    reason,
    hint: "Metadata addresses are never forwarded; AWS_EC2_METADATA_SERVICE_ENDPOINT points SDKs at the emulated one.",
  }) as const;

/** 0.0.0.0 and :: mean this machine to connect(2) on Linux only. */
function reachable(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}

async function resolveName(name: string): Promise<readonly string[]> {
  try {
    const found = await lookup(name, { all: true, verbatim: true });
    return found.map(({ address }) => address);
  } catch {
    // Not an error of ours: `does not resolve` is what the client and the list of attempts are told.
    return [];
  }
}
