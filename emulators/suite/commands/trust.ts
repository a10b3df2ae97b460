/** `backlot trust`: the local certificate authority. `--init` makes it where there is none, and says where it is. */
import { createCertificatesLazily } from "../../kernel/authority.ts";
import type { Settings } from "../../kernel/settings.ts";
import { domains } from "../registry.ts";

export function trust(settings: Settings): number {
  const { caPath } = createCertificatesLazily(settings, domains)();
  process.stdout.write(`${caPath}\n`);
  return 0;
}
