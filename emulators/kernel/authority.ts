/** Opens the local authority on first use, so that plain HTTP alone needs no keys and no folder. */
import { homedir } from "node:os";
import { join } from "node:path";
import { type Certificates, openCertificates } from "./certificates.ts";
import { createClock } from "./clock.ts";
import type { Settings } from "./settings.ts";

export function createCertificatesLazily(settings: Settings, hosts: readonly string[]): () => Certificates {
  let opened: Certificates | undefined;
  return () => {
    opened ??= openCertificates(
      settings.caDir ?? join(homedir(), ".backlot", "ca"),
      signable(settings, hosts),
      createClock({ mode: "real" }, 1),
    );
    return opened;
  };
}

/**
 * The names the authority may sign. A constraint covers a name and everything below it, so a pattern is cut at its last
 * wildcard: `ec2.*.amazonaws.com` becomes `amazonaws.com`.
 */
function signable(settings: Settings, hosts: readonly string[]): string[] {
  const cut = (pattern: string) => pattern.slice(pattern.lastIndexOf("*") + 1).replace(/^\./, "");
  const names = [...hosts.map(cut), ...settings.allowedHosts.filter((name) => name !== "*"), "localhost"].filter(
    (name) => name !== "",
  );
  return names.filter((name) => !names.some((other) => other !== name && name.endsWith(`.${other}`)));
}
