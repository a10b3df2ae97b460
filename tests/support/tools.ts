/** Tests that need a program or a property of the machine: skipped with a word where it is missing, failed in CI. */
import { spawnSync } from "node:child_process";
import { test } from "vitest";

export interface Tool {
  readonly name: string;
  /** The Debian package that brings it. */
  readonly package: string;
  /** Candidates; the first that runs with `probe` and ends with 0 is used. */
  readonly commands: readonly string[];
  readonly probe: readonly string[];
}

/** The command to use, or undefined where the tool is missing. */
export function findTool(tool: Tool): string | undefined {
  return tool.commands.find((command) => spawnSync(command, tool.probe, { stdio: "ignore" }).status === 0);
}

/** `test`, when the tool is there. */
export function testWith(
  tool: Tool,
  name: string,
  body: (command: string) => Promise<void>,
  timeoutMs = 120_000,
): void {
  const command = findTool(tool);
  const missing = command === undefined && `${tool.name} is missing: apt-get install ${tool.package}`;
  testUnless(missing, name, () => body(command ?? ""), timeoutMs);
}

/** `test`, unless the machine lacks something; in CI that is a failure. */
export function testUnless(missing: string | false, name: string, body: () => Promise<void>, timeoutMs = 20_000): void {
  if (missing === false) test(name, body, timeoutMs);
  else if (process.env.CI === "true")
    test(name, () => {
      throw new Error(missing);
    });
  else {
    process.stdout.write(`skipped "${name}": ${missing}\n`);
    test.skip(name, () => {});
  }
}

export const python3: Tool = {
  name: "Python",
  package: "python3",
  commands: ["/usr/bin/python3", "python3"],
  probe: ["--version"],
};

/** All of 127.0.0.0/8 is loopback on Linux; elsewhere only what was configured. */
export const noSecondLoopback = process.platform !== "linux" && "127.0.0.2 is no address of this machine";
