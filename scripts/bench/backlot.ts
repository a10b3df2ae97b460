/** Backlot as users start it: the launcher and the built bundle, on free ports, in a folder without settings files. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { definitions } from "../../emulators/kernel/setting-definitions.ts";
import { type Command, type ServerProcess, startServer } from "./server-process.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const launcher = join(root, "scripts", "launcher.mjs");

export const serviceNames = ["twilio", "azure-policyinsights", "ec2-spot", "smtp"] as const;
export type ServiceName = (typeof serviceNames)[number];

/** What `backlot up --json` says when it is ready. */
export interface Services {
  readonly twilio?: { readonly url: string };
  readonly "azure-policyinsights"?: { readonly url: string; readonly httpUrl: string };
  readonly "ec2-spot"?: { readonly url: string };
  readonly smtp?: { readonly host: string; readonly port: number; readonly url: string };
  readonly suite?: { readonly url: string };
}

export interface RunningBacklot extends ServerProcess {
  readonly services: Services;
  /** What `backlot env` prints. */
  environment(): Promise<Readonly<Record<string, string>>>;
}

const freePorts = Object.fromEntries(
  Object.values(definitions)
    .filter(({ group, env }) => group === "Ports" && env.endsWith("_PORT"))
    .map(({ env }) => [env, "0"]),
);
const folder = mkdtempSync(join(tmpdir(), "backlot-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

const environment = { ...freePorts, BACKLOT_LOG_LEVEL: "silent", BACKLOT_CA_DIR: join(folder, "ca") };

export function buildIfMissing(): void {
  if (existsSync(join(root, "dist", "cli.js"))) return;
  const { status } = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("node scripts/build.mjs failed");
}

export function backlotCommand(only?: ServiceName, extra: Readonly<Record<string, string>> = {}): Command {
  const args = [launcher, "up", "--json", ...(only === undefined ? [] : ["--only", only])];
  return { file: process.execPath, args, folder, environment: { ...environment, ...extra } };
}

export function npmStartCommand(): Command {
  return { file: "npm", args: ["start", "--", "--json"], folder: root, environment, group: true };
}

export async function startBacklot(command: Command): Promise<RunningBacklot> {
  const server = await startServer(command);
  const { services } = JSON.parse(server.readyLine) as { services: Services };
  return {
    ...server,
    services,
    async environment() {
      const response = await fetch(`${services.suite?.url}/_backlot/env`);
      if (!response.ok) throw new Error(`/_backlot/env answered ${response.status}`);
      return ((await response.json()) as { environment: Record<string, string> }).environment;
    },
  };
}
