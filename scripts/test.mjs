// Runs the tests, after installing what only they need: the official SDKs have a package and a lock file of their own, so
// that installing Backlot stays light.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBrowser } from "./browser.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const clients = join(root, "tests", "contract");
const [first, ...rest] = process.argv.slice(2);
const named = first === "slow" || first === "clients" || first === "console";
const project = named ? first : "quick";
const passed = named ? rest : process.argv.slice(2);

if (project === "console" && !findBrowser()) {
  process.stdout.write(
    "No Chromium was found, so the console is not tested: apt-get install chromium, or set CHROMIUM.\n",
  );
  process.exit(process.env.CI ? 1 : 0);
}

const wanted = createHash("sha256")
  .update(readFileSync(join(clients, "package-lock.json")))
  .digest("hex");
const stamp = join(clients, "node_modules", ".backlot-lock");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  process.stdout.write("Installing the official SDKs that the tests use (tests/contract)...\n");
  const installed = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: clients,
    stdio: "inherit",
  });
  if (installed.status !== 0) process.exit(installed.status ?? 1);
  writeFileSync(stamp, wanted);
}
const { status } = spawnSync("vitest", ["run", "--project", project, ...passed], { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
