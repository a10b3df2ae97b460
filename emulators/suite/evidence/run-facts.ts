/** What is said about a run beside what happened in it: its settings, its services' health, the machine. */
import { definitions } from "../../kernel/setting-definitions.ts";
import type { Settings } from "../../kernel/settings.ts";
import type { Suite } from "../suite.ts";
import type { Redactor } from "./redact.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Of every service, without latencies, counts and times. */
export async function healthOf(suite: Suite): Promise<unknown> {
  return lasting(JSON.parse(await (await suite.control("GET", "/_backlot/health")).text()));
}

/** What a client of these emulators needs to know, those in other processes included. */
export async function clientEnvironment(suite: Suite): Promise<Readonly<Record<string, string>>> {
  const answer: unknown = JSON.parse(await (await suite.control("GET", "/_backlot/env")).text());
  return (answer as { readonly environment: Readonly<Record<string, string>> }).environment;
}

const lastingNames = new Set(["status", "mode", "checks", "error", "hint", "configuration_hints"]);

function lasting(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(lasting);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, part]) => lastingNames.has(name) || (typeof part === "object" && part !== null))
      .map(([name, part]) => [name, lasting(part)]),
  );
}

/** A probe's report without how long it took. */
export function timeless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(timeless);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) => (/(Ms|At|timestamp)$/.test(name) ? [] : [[name, timeless(part)]])),
  );
}

const telling = /^BACKLOT_(SEED|PACE|ONLY|BODY_LIMIT|WEBHOOK_SIGNATURES|RATE_LIMIT)|^FEATURE_/;

/** Those that shape the run; ports, folders and limits of recording say nothing about it. */
export function shownSettings(settings: Settings, redactor: Redactor): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, { env, group }] of Object.entries(definitions)) {
    if (!telling.test(env) || group === "Ports") continue;
    const value = settings[name as keyof Settings];
    shown[env] = redactor.text(Array.isArray(value) ? value.join(",") : String(value ?? ""));
  }
  return shown;
}

export const clockMode = ({ clock }: Settings): string => String(clock).split("@")[0] ?? "";

export function hostOf(environment: Environment): Record<string, unknown> {
  const { platform, arch, version } = process;
  return {
    platform,
    arch,
    node: version,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    locale: environment.LC_ALL ?? environment.LANG ?? null,
  };
}

const ciNames =
  /^(CI|GITHUB_(ACTIONS|REPOSITORY|REF|SHA|RUN_ID|RUN_ATTEMPT|WORKFLOW|JOB)|GITLAB_CI|CI_(COMMIT_SHA|JOB_ID|PIPELINE_ID|PROJECT_PATH))$/;

/** Where a CI system says the run took place. */
export function ciOf(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && ciNames.test(name) ? [[name, value]] : [],
    ),
  );
}
