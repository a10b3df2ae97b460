/** Tests that need a program of the system: skipped with a word where it is missing, failed in CI. */
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
  if (command !== undefined) test(name, () => body(command), timeoutMs);
  else if (process.env.CI === "true")
    test(name, () => {
      throw new Error(`${tool.name} is missing: apt-get install ${tool.package}`);
    });
  else {
    process.stdout.write(`skipped "${name}": ${tool.name} is missing (apt-get install ${tool.package})\n`);
    test.skip(name, () => {});
  }
}
