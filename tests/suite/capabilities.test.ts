import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { azurePolicyInsights } from "../../emulators/azure-policyinsights/index.ts";
import { ec2Spot } from "../../emulators/ec2-spot/index.ts";
import type { Capability } from "../../emulators/kernel/emulator.ts";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { smtp } from "../../emulators/smtp/index.ts";
import { domains } from "../../emulators/suite/registry.ts";
import { twilio } from "../../emulators/twilio/index.ts";

const emulators: readonly {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly capabilities: readonly Capability[];
}[] = [twilio, azurePolicyInsights, ec2Spot, smtp];

describe.each(emulators.map((emulator) => [emulator.name, emulator] as const))("%s", (_, { capabilities, hosts }) => {
  test("no operation is declared twice", () => {
    const names = capabilities.map(({ operation }) => operation);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test("what is emulated names tests that exist, what is partial says what is missing", () => {
    const wrong = capabilities.filter(({ status, provedBy, note }) => {
      const proved =
        provedBy.length > 0 && provedBy.every((name) => existsSync(join(packageRoot(), "tests", `${name}.test.ts`)));
      return status === "absent" ? provedBy.length > 0 : !proved || (status === "partial" && !note);
    });
    expect(wrong.map(({ operation }) => operation)).toEqual([]);
  });

  test("the local CA may sign for every host", () => {
    const covered = (host: string) => domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
    expect(hosts.filter((host) => !covered(host))).toEqual([]);
  });
});
