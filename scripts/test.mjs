// Runs the tests, after installing what only they need: the official SDKs have a package and a lock file of their own, so
// that installing Backlot stays light.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const clients = join(root, "tests", "contract");
const [first, ...rest] = process.argv.slice(2);
const project = first === "slow" ? "slow" : "quick";
const passed = first === "slow" ? rest : process.argv.slice(2);

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
