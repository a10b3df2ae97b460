/** The `backlot` command: reads the command line and the settings, and runs one command. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packageRoot } from "../kernel/package-root.ts";
import { type Settings, SettingsError } from "../kernel/settings.ts";
import { loadSettings } from "./environment-files.ts";
import { emulatorNames } from "./registry.ts";

const help = `backlot - local emulators of Twilio, Azure Policy Insights, EC2 spot and SMTP

  backlot up [options]        start, say where everything is, run until Ctrl+C
      --only NAMES            comma-separated: ${emulatorNames.join(", ")}
      --seed TEXT             what every id, credential and price is derived from
      --clock CLOCK           real, ticking@<ISO instant> or frozen@<ISO instant>
      --data FOLDER           keep state there across restarts
      --json                  print one JSON line when ready
  backlot env [--shell|--json]  print the variables clients need (KEY=value; --shell: export lines)
  backlot check [--env NAME]  check settings and ports; NAME: development, testing, production
  backlot trust [--init]      print where the local certificate authority is; made where there is none
  backlot help, backlot version

Settings come from the environment, .env.<BACKLOT_ENV> and .env; the README lists them all.
`;

const flags = {
  only: { type: "string", env: "BACKLOT_ONLY" },
  seed: { type: "string", env: "BACKLOT_SEED" },
  clock: { type: "string", env: "BACKLOT_CLOCK" },
  data: { type: "string", env: "BACKLOT_DATA_DIR" },
  env: { type: "string", env: "BACKLOT_ENV" },
  json: { type: "boolean" },
  shell: { type: "boolean" },
  init: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

const accepted: Readonly<Record<string, readonly string[]>> = {
  up: ["only", "seed", "clock", "data", "env", "json"],
  env: ["only", "seed", "data", "env", "json", "shell"],
  check: ["env", "only"],
  trust: ["init"],
};

/** Exit codes: 0 done, 1 a failure that was told, 2 the command line cannot be used. */
export async function main(argv: readonly string[]): Promise<number> {
  const version = (JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string })
    .version;
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (cause) {
    return usage(cause instanceof Error ? cause.message : String(cause));
  }
  const { values, positionals } = parsed;
  const [command = "help", ...rest] = positionals;
  if (values.version || command === "version") return print(`${version}\n`);
  if (values.help || command === "help") return print(help);
  const allowed = accepted[command];
  if (!allowed) return usage(`There is no command ${command}.`);
  const wrong = Object.keys(values).filter((name) => !allowed.includes(name));
  if (wrong.length > 0) return usage(`backlot ${command} does not take --${wrong.join(", --")}.`);
  if (rest.length > 0) return usage(`backlot ${command} does not take ${rest.join(" ")}.`);

  const given: Record<string, string> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const value = values[name as keyof typeof values];
    if ("env" in flag && typeof value === "string") given[flag.env] = value;
  }
  try {
    const loaded = loadSettings(process.cwd(), process.env, given);
    if (command === "check") return await (await import("./commands/check.ts")).check(loaded);
    if (loaded.problems.length > 0) throw new SettingsError(loaded.problems);
    return await run(command, loaded.settings, values, version);
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
    return 1;
  }
}

async function run(
  command: string,
  settings: Settings,
  values: ReturnType<typeof parse>["values"],
  version: string,
): Promise<number> {
  if (command === "env")
    return (await import("./commands/env.ts")).env(settings, values.json ? "json" : values.shell ? "shell" : "lines");
  if (command === "trust") return (await import("./commands/trust.ts")).trust(settings);
  // `uptime` counts from the start of the process: what the user waited for.
  return (await import("./commands/up.ts")).up(settings, {
    json: values.json === true,
    version,
    startedMs: process.uptime() * 1000,
  });
}

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options: flags, allowPositionals: true, strict: true });
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function usage(problem: string): number {
  process.stderr.write(`${problem}\n\n${help}`);
  return 2;
}
