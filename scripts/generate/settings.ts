/** The settings table and the `.env` templates, from the one list of settings. */
import { definitions } from "../../emulators/kernel/setting-definitions.ts";

const all = Object.values(definitions);

export function settingsTable(): string {
  const rows = all.map(
    ({ env, default: value, help }) =>
      `| \`${env}\` | ${value === "" ? "" : `\`${value}\``} | ${help.replaceAll("|", "\\|")} |`,
  );
  return ["| Variable | Default | Meaning |", "|---|---|---|", ...rows].join("\n");
}

export function envExample(): string {
  return [
    "# Every setting of Backlot with its default. Copy what you change to .env; the environment wins over .env.<BACKLOT_ENV>,",
    "# which wins over .env. Made from emulators/kernel/setting-definitions.ts by `npm run generate`.",
    ...grouped((env, value) => `# ${env}=${value}`),
    "",
  ].join("\n");
}

const templates = {
  development: {
    about: "Development: real time, life cycles ten times faster than life.",
    values: { BACKLOT_ENV: "development", BACKLOT_CLOCK: "real", BACKLOT_PACE: "0.1" },
  },
  testing: {
    about: "Tests and CI: time stands still until a test advances it, so that every run gives the same bytes.",
    values: {
      BACKLOT_ENV: "testing",
      BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z",
      BACKLOT_PACE: "1",
      BACKLOT_LOG_LEVEL: "error",
    },
  },
  production: {
    about: "Production: the real services are meant, so Backlot refuses everything and says what they need.",
    values: { BACKLOT_ENV: "production", USE_REAL_DATA: "true", APP_MODE: "production" },
  },
} as const;

export function envTemplate(name: keyof typeof templates): string {
  const { about, values } = templates[name];
  return [
    `# ${about}`,
    "# Read when BACKLOT_ENV says so; the environment itself wins over it. Made by `npm run generate`.",
    ...Object.entries(values).map(([env, value]) => `${env}=${value}`),
    "",
  ].join("\n");
}

function grouped(line: (env: string, value: string) => string): string[] {
  const groups = [...new Set(all.map(({ group }) => group))];
  return groups.flatMap((group) => [
    "",
    `## ${group}`,
    ...all
      .filter((definition) => definition.group === group)
      .flatMap(({ env, default: value, help }) => [`# ${help}`, line(env, value)]),
  ]);
}
