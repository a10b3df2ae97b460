/** Settings come from the environment, then `.env.<BACKLOT_ENV>`, then `.env`, all in the working folder. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { definitions } from "../kernel/setting-definitions.ts";
import { readSettings, type SettingProblem, type Settings } from "../kernel/settings.ts";
import { misspelt } from "./closest.ts";

export interface Loaded {
  readonly settings: Settings;
  readonly problems: readonly SettingProblem[];
  /** Files that were read, first wins. */
  readonly files: readonly string[];
  /** Files and names of variables that keep Backlot from nothing, but are hardly what was meant. */
  readonly doubts: readonly string[];
}

/** @param given what the command line sets, before everything else */
export function loadSettings(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  given: Readonly<Record<string, string>> = {},
): Loaded {
  const read = (path: string) =>
    existsSync(path) ? [{ path, values: parseEnv(readFileSync(path, "utf8")) as Record<string, string> }] : [];
  const common = read(join(folder, ".env"));
  const asked = given.BACKLOT_ENV ?? environment.BACKLOT_ENV ?? common[0]?.values.BACKLOT_ENV;
  const name = asked ?? "development";
  const chosen = read(join(folder, `.env.${name}`));
  const found = [...chosen, ...common];
  const sources = [environment, ...found.map(({ values }) => values)];
  return {
    ...readSettings([given, ...sources]),
    files: found.map(({ path }) => path),
    doubts: [
      ...doubtsAbout(name, asked !== undefined, chosen[0]?.values.BACKLOT_ENV, chosen.length > 0),
      ...misspeltNames(sources),
    ],
  };
}

/** Other BACKLOT_ names are no doubt by themselves: what `backlot env` prints has some, and an application may. */
function misspeltNames(sources: readonly Readonly<Record<string, string | undefined>>[]): string[] {
  const known = Object.values(definitions).map(({ env }) => env as string);
  const given = new Set(sources.flatMap((source) => Object.keys(source)).filter((name) => name.startsWith("BACKLOT_")));
  return [...given].flatMap((name) => {
    const meant = known.includes(name) ? undefined : misspelt(name, known);
    return meant === undefined ? [] : [`${name} is no setting; did you mean ${meant}?`];
  });
}

/** Each template says in BACKLOT_ENV which one it is, so that one under another's name is found. */
function doubtsAbout(name: string, asked: boolean, says: string | undefined, isThere: boolean): string[] {
  if (!isThere) return asked ? [`BACKLOT_ENV is ${name}, but there is no .env.${name} here.`] : [];
  if (says === undefined || says === name) return [];
  return [`.env.${name} says BACKLOT_ENV=${says}: it looks like the file of another environment.`];
}
