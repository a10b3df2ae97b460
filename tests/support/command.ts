/** Runs the `backlot` command as a user would: the built bundle, through the launcher, in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";

const launcher = join(packageRoot(), "scripts", "launcher.mjs");
const portVariables = ["", "TWILIO_", "AZURE_", "AZURE_HTTP_", "EC2_", "IMDS_", "SMTP_", "MAIL_", "PROXY_", "TLS_"].map(
  (part) => `BACKLOT_${part}PORT`,
);
export const freePorts: Record<string, string> = Object.fromEntries(portVariables.map((name) => [name, "0"]));

export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "backlot-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Only what a process needs: settings of the machine that runs the tests do not leak in. */
function environment(extra: Record<string, string>): Record<string, string> {
  const kept = ["PATH", "HOME", "TMPDIR"].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
  );
  return { ...Object.fromEntries(kept), ...extra };
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function start(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): { readonly child: ChildProcess; readonly finished: Promise<Finished>; line(): Promise<string> } {
  const child = spawn(process.execPath, [launcher, ...args], {
    cwd: options.cwd ?? temporaryFolder(),
    env: environment(options.env ?? {}),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  const waiting: (() => void)[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const wake of waiting.splice(0)) wake();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const finished = new Promise<Finished>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    child,
    finished,
    async line() {
      while (!stdout.includes("\n")) {
        const ended = await Promise.race([
          new Promise<false>((resolve) => waiting.push(() => resolve(false))),
          finished.then(() => true),
        ]);
        if (ended) throw new Error(`backlot ${args.join(" ")} ended early: ${stderr}`);
      }
      return stdout.slice(0, stdout.indexOf("\n"));
    },
  };
}

export function run(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<Finished> {
  return start(args, options).finished;
}
