/** The `backlot` command: reads the command line and the settings, and runs one command. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packageRoot } from "../kernel/package-root.ts";
import { type Settings, SettingsError } from "../kernel/settings.ts";
import { closest } from "./closest.ts";
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
  backlot exec [options] -- COMMAND  run a command against a private suite; its exit code, or 70 when it tried to leave
      --evidence DIR          leave a pack of evidence of the run there
      --allow HOST            let a host, *.domain or range through to the real network; may be repeated
      --no-egress-check       refuse what tries to leave, but do not fail for it
      --sandbox               loopback only, for programs that ignore proxies as well (Linux)
      --only, --seed, --clock as above
  backlot check [--env NAME]  check settings and ports; NAME: development, testing, production
  backlot probe URL --secret SECRET  send a webhook receiver what it must refuse and accept, and print how it judged
      --scheme NAME           standard, stripe, hex-sha256 or a provider's own; --exact-status: 401 and 403 as listed
  backlot doctor              look at ports, certificates, gateway and every service of a running or a private suite
  backlot trust [--init]      where the local certificate authority is, what it may sign, how each tool trusts it
      --bundle [FILE]         write it and the system's authorities into one file
  backlot scenario run FILE   play a story of fixtures/scenarios on a private suite
  backlot evidence record --scenario FILE [--out DIR] [--name NAME] [--key PEM]   play it and leave a pack of evidence
  backlot evidence drill [--events N] [--out DIR]  the dead-letter drill with its log and verdict
  backlot evidence acceptance [--out DIR]  a pack that shows every criterion of acceptance, and ACCEPTANCE.md beside it
  backlot evidence verify DIR|TAR [--key PEM] [--sha256 HASH]  whether a pack is whole: 0, 1 content, 2 signature
  backlot evidence replay DIR|TAR [--scenario FILE]  send its requests again and tell the first answer that differs, by service
  backlot evidence diff A B [--volatile], backlot evidence tar DIR [--out FILE]
      --concurrency N         how many independent steps run at once
      --sandbox               record, drill and acceptance: loopback only, which egress/proof.json then shows (Linux)
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
  allow: { type: "string", multiple: true },
  evidence: { type: "string" },
  "no-egress-check": { type: "boolean" },
  sandbox: { type: "boolean" },
  bundle: { type: "boolean" },
  secret: { type: "string" },
  scheme: { type: "string" },
  "exact-status": { type: "boolean" },
  scenario: { type: "string" },
  out: { type: "string" },
  name: { type: "string" },
  key: { type: "string" },
  sha256: { type: "string" },
  volatile: { type: "boolean" },
  events: { type: "string" },
  concurrency: { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

const accepted: Readonly<Record<string, readonly string[]>> = {
  up: ["only", "seed", "clock", "data", "env", "json"],
  env: ["only", "seed", "data", "env", "json", "shell"],
  check: ["env", "only"],
  trust: ["init", "bundle"],
  exec: ["evidence", "allow", "no-egress-check", "sandbox", "only", "seed", "clock", "env"],
  doctor: ["env"],
  probe: ["secret", "scheme", "exact-status", "env"],
  scenario: ["concurrency"],
  evidence: ["scenario", "out", "name", "key", "sha256", "json", "volatile", "events", "concurrency", "sandbox"],
};
/** Most words after the command; what they mean is the command's own affair. */
const words: Readonly<Record<string, number>> = { scenario: 2, evidence: 3, probe: 1 };

/** Exit codes: 0 done, 1 a failure that was told, 2 the command line cannot be used; `exec` has more. */
export async function main(line: readonly string[]): Promise<number> {
  // `| head` hangs up when it has seen enough; what else goes wrong with standard output stays an error.
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EPIPE") throw cause;
  });
  // What stands after -- belongs to the command that exec runs, flags included.
  const cut = line.indexOf("--");
  const [argv, after] = cut < 0 ? [line, []] : [line.slice(0, cut), line.slice(cut + 1)];
  const version = (JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string })
    .version;
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (cause) {
    const command = argv.find((word) => word in accepted);
    return usage(lineProblem(cause, command), command);
  }
  const { values, positionals } = parsed;
  const [command = "help", ...rest] = positionals;
  if (values.version || command === "version") return print(`${version}\n`);
  if (values.help || command === "help") return print(helpOf(command === "help" ? rest[0] : command));
  const allowed = accepted[command];
  if (!allowed) return usage(`There is no command ${command}${meant(closest(command, Object.keys(accepted)))}`);
  const wrong = Object.keys(values).filter((name) => !allowed.includes(name));
  if (wrong.length > 0) return usage(`backlot ${command} does not take --${wrong.join(", --")}.`, command);
  const most = command === "trust" && values.bundle ? 1 : (words[command] ?? 0);
  if (rest.length > most)
    return usage(
      command === "exec"
        ? `What is to run stands after --: backlot exec -- ${rest.join(" ")}`
        : `backlot ${command} does not take ${rest.join(" ")}.`,
      command,
    );
  if (command === "exec" ? after.length === 0 : cut >= 0)
    return usage(
      command === "exec" ? "Say what to run after --: backlot exec -- npm test" : `backlot ${command} takes no --.`,
      command,
    );
  if (values.sandbox && values.allow)
    return usage("Nothing can be let through a sandbox: --allow and --sandbox exclude each other.", command);

  const given: Record<string, string> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const value = values[name as keyof typeof values];
    if ("env" in flag && typeof value === "string") given[flag.env] = value;
  }
  const read = (more: Readonly<Record<string, string>> = {}): Settings => {
    const loaded = loadSettings(process.cwd(), process.env, { ...given, ...more });
    if (loaded.problems.length > 0) throw new SettingsError(loaded.problems);
    return loaded.settings;
  };
  try {
    if (values.sandbox) {
      const { insideSandbox, isInside, notPermitted } = await import("./commands/sandbox.ts");
      const inside = isInside();
      if (inside === "no") return await insideSandbox(line);
      if (inside === "leaking") return notPermitted;
    }
    if (command === "scenario" || command === "evidence") return await runStory(command, rest, values);
    if (command === "exec") return await runExec(after, values, read);
    const loaded = loadSettings(process.cwd(), process.env, given);
    if (command === "up") for (const doubt of loaded.doubts) process.stderr.write(`${doubt}\n`);
    if (command === "check") return await (await import("./commands/check.ts")).check(loaded);
    if (loaded.problems.length > 0) throw new SettingsError(loaded.problems);
    return await run(command, loaded.settings, { ...values, file: rest[0] }, version);
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
    return 1;
  }
}

async function run(
  command: string,
  settings: Settings,
  values: ReturnType<typeof parse>["values"] & { readonly file: string | undefined },
  version: string,
): Promise<number> {
  if (command === "doctor") return (await import("./commands/doctor.ts")).doctor(settings);
  if (command === "probe") return runProbe(settings, values);
  if (command === "env")
    return (await import("./commands/env.ts")).env(settings, values.json ? "json" : values.shell ? "shell" : "lines");
  if (command === "trust") return (await import("./commands/trust.ts")).trust(settings, values);
  // `uptime` counts from the start of the process: what the user waited for.
  return (await import("./commands/up.ts")).up(settings, {
    json: values.json === true,
    version,
    startedMs: process.uptime() * 1000,
  });
}

async function runProbe(settings: Settings, values: Parameters<typeof run>[2]): Promise<number> {
  const { file: url, secret, scheme, "exact-status": exactStatus = false } = values;
  if (url === undefined || secret === undefined)
    return usage("Say where the receiver is and which secret it holds: backlot probe URL --secret SECRET", "probe");
  const { probe } = await import("./commands/probe.ts");
  return probe(settings, { url, secret, exactStatus, ...(scheme === undefined ? {} : { scheme }) });
}

async function runExec(
  command: readonly string[],
  values: ReturnType<typeof parse>["values"],
  settings: (given?: Readonly<Record<string, string>>) => Settings,
): Promise<number> {
  const { exec } = await import("./commands/exec.ts");
  return exec({
    command,
    settings,
    allow: values.allow ?? [],
    checkEgress: values["no-egress-check"] !== true,
    evidence: values.evidence,
  });
}

/** Suites of their own: the settings of this folder do not change what a scenario shows. */
async function runStory(
  command: "scenario" | "evidence",
  rest: readonly string[],
  values: ReturnType<typeof parse>["values"],
): Promise<number> {
  const { concurrency: text, ...options } = values;
  if (text !== undefined && !/^[1-9]\d{0,3}$/.test(text))
    return usage(`--concurrency ${text} is no number from 1 to 9999.`, command);
  const concurrency = text === undefined ? {} : { concurrency: Number(text) };
  if (command === "scenario") return (await import("./commands/scenario.ts")).scenario(rest, concurrency);
  return (await import("./commands/evidence.ts")).evidence(rest, { ...options, ...concurrency });
}

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options: flags, allowPositionals: true, strict: true });
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function usage(problem: string, command?: string): number {
  process.stderr.write(`${problem}\n\n${helpOf(command)}`);
  return 2;
}

/** All of the help, or what it says about one command. */
function helpOf(command = ""): string {
  const entries = help.split(/^(?= {2}backlot )/m);
  const about = entries.filter((entry) => entry.startsWith(`  backlot ${command} `));
  if (about.length === 0) return help;
  return `${about.join("").trimEnd()}\n\nbacklot help lists every command.\n`;
}

/** What Node's parser says is kept, but for options that there are not: there it advises a way to pass them as words. */
function lineProblem(cause: unknown, command: string | undefined): string {
  const said = cause instanceof Error ? cause.message : String(cause);
  const unknown = /^Unknown option '(-[^']*)'/.exec(said)?.[1];
  if (unknown === undefined) return said;
  const known = (command === undefined ? undefined : accepted[command]) ?? Object.keys(flags);
  return `There is no option ${unknown}${meant(
    closest(
      unknown,
      known.map((name) => `--${name}`),
    ),
  )}`;
}

function meant(word: string | undefined): string {
  return word === undefined ? "." : `; did you mean ${word}?`;
}
