/** From a host name to the emulator that stands in for it, wherever it runs. */
import type { Server } from "node:http";
import { hostPattern } from "../../kernel/host-names.ts";
import type { RunningEmulator } from "../../kernel/start.ts";
import { type Registered, registry } from "../registry.ts";

export type Route =
  /** In this process: its server takes connections that are already decrypted. */
  | { readonly tag: "here"; readonly server: Server; readonly tls: boolean }
  /** In another process, at a base URL. */
  | { readonly tag: "apart"; readonly url: URL }
  | { readonly tag: "absent"; readonly title: string; readonly message: string };

/** Undefined for a host that no emulator declares. */
export type Routing = (host: string) => Promise<Route | undefined>;

export function createRouting(emulators: readonly RunningEmulator[], attached: ReadonlyMap<string, string>): Routing {
  const patterns = new Map<string, readonly RegExp[]>();
  const declares = async (entry: Registered, host: string) => {
    let known = patterns.get(entry.name);
    if (known === undefined) {
      known = (await entry.describe()).hosts.map(hostPattern);
      patterns.set(entry.name, known);
    }
    return known.some((pattern) => pattern.test(host));
  };
  return async (host) => {
    for (const entry of registry) {
      // The declaration of an emulator that was not started is loaded only for a host in its domains.
      const near = entry.domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
      if (near && (await declares(entry, host))) return routeTo(entry, emulators, attached.get(entry.name));
    }
    return undefined;
  };
}

async function routeTo(
  { name, title, describe }: Registered,
  emulators: readonly RunningEmulator[],
  url: string | undefined,
): Promise<Route> {
  if (url !== undefined) return { tag: "apart", url: new URL(url) };
  const emulator = emulators.find((candidate) => candidate.name === name);
  if (!emulator)
    return { tag: "absent", title, message: `${title} is emulated, but was not started: add ${name} to BACKLOT_ONLY.` };
  const { surfaces } = await describe();
  // HTTP surfaces come first among the addresses, in the order of the servers.
  const candidates = emulator.servers.flatMap((server, index) => {
    const address = emulator.addresses[index];
    return address?.name === surfaces[0] ? [{ server, tls: address?.scheme === "https" }] : [];
  });
  const found = candidates.find(({ tls }) => !tls) ?? candidates[0];
  if (found) return { tag: "here", ...found };
  return {
    tag: "absent",
    title,
    message: `${title} runs with its HTTP port switched off: set the port, or 0 for a free one.`,
  };
}
