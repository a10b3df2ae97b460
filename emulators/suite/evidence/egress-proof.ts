/** What tried to leave the machine, and what that shows and does not show. */
import { sandboxMark } from "../commands/sandbox.ts";
import type { Suite } from "../suite.ts";
import { type Artefact, artefact } from "./artefact.ts";
import { canonicalJson, canonicalLine } from "./canonical.ts";
import { releaseCanary, waysOut } from "./connections.ts";
import type { Redactor } from "./redact.ts";
import type { Shown } from "./shown.ts";

export interface EgressProof {
  readonly artefacts: readonly Artefact[];
  readonly verdict: "nothing tried" | "refused what tried" | "some was let through";
}

interface Observed {
  readonly redactor: Redactor;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the recording process connected that is not loopback. */
  readonly elsewhere: readonly string[];
}

export async function egressProof(suite: Suite, { redactor, environment, elsewhere }: Observed): Promise<EgressProof> {
  const found = JSON.parse(await (await suite.control("GET", "/_backlot/egress")).text()) as {
    refused: readonly Shown[];
    allowed: readonly Shown[];
  };
  const line = (verdict: string) => (entry: Shown) =>
    canonicalLine({
      verdict,
      at: entry.at,
      service: entry.emulator,
      target: entry.target ?? entry.subject,
      method: entry.method,
      by: entry.by,
      reason: entry.reason,
    });
  const lines = [...found.refused.map(line("refused")), ...found.allowed.map(line("allowed"))].sort();
  const verdict =
    found.allowed.length > 0
      ? "some was let through"
      : found.refused.length > 0
        ? "refused what tried"
        : "nothing tried";
  const sandbox = environment[sandboxMark] === "1";
  const ways = sandbox ? waysOut() : [];
  const canary = sandbox && ways.length === 0 ? await releaseCanary() : undefined;
  const proof = {
    policy: { verdict, refused: found.refused.length, allowed: found.allowed.length },
    process: {
      verdict: elsewhere.length === 0 ? "connected to loopback only" : "connected elsewhere",
      limit: "every socket of the process that recorded; what other processes did is seen at the gateway only",
    },
    sandbox: {
      verdict: !sandbox
        ? "not used"
        : canary?.address === "ENETUNREACH"
          ? "in a network namespace with loopback only"
          : "asked for, and there is a way out of it",
      ...(canary === undefined ? {} : { canary: `a connection to 192.0.2.1:443: ${canary.address}` }),
    },
  };
  return {
    verdict,
    artefacts: [
      artefact(
        "egress/ledger.jsonl",
        "What tried to leave, and what was let through",
        redactor.text(lines.map((one) => `${one}\n`).join("")),
      ),
      artefact("egress/proof.json", "What that shows and what it does not", canonicalJson(proof)),
      artefact(
        "volatile/connections.json",
        "Addresses the recording process connected to that are not loopback, and the canary's fate",
        canonicalJson({ elsewhere, ways, ...(canary === undefined ? {} : { canary }) }),
      ),
      artefact(
        "volatile/credentials.json",
        "Names of variables that look like credentials",
        canonicalJson({ present: credentialNames(environment) }),
      ),
    ],
  };
}

function credentialNames(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.keys(environment)
    .filter(
      (name) => /(TOKEN|SECRET|PASSWORD|PRIVATE|API_?KEY|CREDENTIAL)/i.test(name) && !/^(BACKLOT|npm)_/.test(name),
    )
    .sort();
}
