/** Twilio's Python client as Debian packages it: the core flows through the gateway, and its validator on signed requests. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { expect } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { signature, withBodyHash, withQuery } from "../../emulators/twilio/domain/signature.ts";
import { run } from "../support/command.ts";
import { pairsOf, type Signable, signable } from "../support/signed-requests.ts";
import { type Tool, testWith } from "../support/tools.ts";

const python: Tool = {
  name: "Python's twilio",
  package: "python3-twilio",
  commands: ["/usr/bin/python3", "python3"],
  probe: ["-c", "import twilio"],
};
const script = (name: string) => join(packageRoot(), "tests/contract/clients", name);

testWith(python, "messages, calls, verifications, numbers and conversations", async (command) => {
  const env = { BACKLOT_CLOCK: "ticking@2025-01-15T12:00:00Z" };
  const { stdout, stderr, code } = await run(["exec", "--", command, script("twilio-flows.py")], { env });
  expect({ stdout, stderr, code }).toEqual({ stdout: "all flows passed\n", stderr: "", code: 0 });
});

testWith(python, "the validator accepts any form, query and JSON body that is signed", async (command) => {
  const token = "0123456789abcdef0123456789abcdef";
  const signed = (url: string, more: { pairs: [string, string][] } | { body: string }) => ({
    url,
    ...more,
    signature: signature(token, url, "pairs" in more ? more.pairs : []),
  });
  const cases = fc.sample(signable.filter(canBeValidated), { numRuns: 1_000, seed: 1 }).flatMap(({ url, form }) => {
    const [pairs, body] = [pairsOf(form), JSON.stringify(form)];
    return [
      signed(url, { pairs }),
      signed(pairs.length === 0 ? url : withQuery(url, new URLSearchParams(pairs).toString()), { pairs: [] }),
      signed(withBodyHash(url, body), { body }),
    ];
  });
  const input = cases.map((one) => `${JSON.stringify(one)}\n`).join("");
  const { stdout, stderr } = spawnSync(command, [script("twilio-signatures.py"), token], { input, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({ seen: 3_000, refused: [] });
});

/**
 * Python orders text by code point, JavaScript by code unit. They differ beyond U+FFFF, where Twilio's own validators disagree
 * about the values of a repeated name: no signature would satisfy both. And Python's loses a `;` or `?` after which nothing comes.
 */
function canBeValidated({ url, form }: Signable): boolean {
  const order = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right));
  return (
    !/;(\?|$)|\?$/.test(url) &&
    Object.values(form).every((values) => {
      const all = [values].flat();
      return all.toSorted().join() === all.toSorted(order).join();
    })
  );
}
