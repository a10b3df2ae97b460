/**
 * Writes what is derived from the code: the README's tables, the `.env` templates and the host names in docker-compose.yml.
 * `--check` only compares, and fails when something is stale.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { aliasLines } from "./aliases.ts";
import { capabilitiesTable } from "./capabilities.ts";
import { envExample, envTemplate, settingsTable } from "./settings.ts";
import { twilioCoverageTable } from "./twilio-coverage.ts";

const root = packageRoot();
const checkOnly = process.argv.includes("--check");

/** Replaces the text between two marks, such as `<!-- generated:name -->` and `<!-- /generated -->`. */
function withSections(
  file: string,
  mark: (name: string) => readonly [open: string, close: string],
  sections: Readonly<Record<string, string>>,
): string {
  let text = readFileSync(join(root, file), "utf8");
  for (const [name, content] of Object.entries(sections)) {
    const [open, close] = mark(name);
    const from = text.indexOf(open);
    const to = text.indexOf(close, from);
    if (from < 0 || to < 0) throw new Error(`${file} has no section ${open} ... ${close}`);
    text = `${text.slice(0, from + open.length)}\n${content}\n${text.slice(to)}`;
  }
  return text;
}

const files: Record<string, string> = {
  "README.md": withSections("README.md", (name) => [`<!-- generated:${name} -->`, "<!-- /generated -->"], {
    settings: settingsTable(),
    capabilities: capabilitiesTable(),
    "twilio-coverage": twilioCoverageTable(),
  }),
  "docker-compose.yml": withSections(
    "docker-compose.yml",
    (name) => [`# generated:${name}`, "          # /generated"],
    {
      aliases: aliasLines(),
    },
  ),
  ".env.example": envExample(),
  ".env.development": envTemplate("development"),
  ".env.testing": envTemplate("testing"),
  ".env.production": envTemplate("production"),
};

const stale: string[] = [];
for (const [name, content] of Object.entries(files)) {
  const path = join(root, name);
  if (existsSync(path) && readFileSync(path, "utf8") === content) continue;
  if (checkOnly) stale.push(name);
  else writeFileSync(path, content);
}
if (stale.length > 0) {
  process.stdout.write(`Stale: ${stale.join(", ")}. Run \`npm run generate\`.\n`);
  process.exitCode = 1;
}
