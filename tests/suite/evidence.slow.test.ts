/** What takes another Node, a killed process, a full disk or two whole runs to show. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { verifyPack } from "../../emulators/suite/evidence/verify.ts";
import { run, temporaryFolder } from "../support/command.ts";

const launcher = join(packageRoot(), "scripts", "launcher.mjs");
const scenario = (name: string) => join(packageRoot(), "fixtures", "scenarios", `${name}.yaml`);
const record = (out: string, name: string) => [
  "evidence",
  "record",
  "--scenario",
  scenario(name),
  "--out",
  out,
  "--name",
  "pack",
];

/** Another version of Node, as npm has it. */
function nodeOf(version: string, place: string): string {
  const name = `node-${process.platform}-${process.arch}`;
  const quiet = ["--no-audit", "--no-fund", "--ignore-scripts"];
  execFileSync("npm", ["install", "--prefix", place, ...quiet, `${name}@${version}`], { stdio: "ignore" });
  const path = join(place, "node_modules", name, "bin", "node");
  expect(execFileSync(path, ["--version"], { encoding: "utf8" })).toMatch(new RegExp(`^v${version}\\.`));
  return path;
}

const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
/** Only root can become somebody else, who has to be able to read this checkout. */
const asAnother = spawnSync(nobody[0] ?? "", [...nobody.slice(1), "test", "-r", launcher]).status === 0 ? nobody : [];

test.each([
  "22",
  "26",
])("Node %s with one step at once, as another user, makes the archive of this one with sixteen", async (version) => {
  const place = temporaryFolder();
  chmodSync(place, 0o777);
  const node = nodeOf(version, place);
  for (const name of ["spot-switch", "bounce-storm"]) {
    const [left, right] = [join(place, `${name}-${version}`), join(place, `${name}-now`)];
    const [command = "", ...args] = [...asAnother, node, launcher, ...record(left, name), "--concurrency", "1"];
    execFileSync(command, args, { cwd: place, stdio: "ignore", env: { PATH: process.env.PATH, HOME: place } });
    expect((await run([...record(right, name), "--concurrency", "16"])).code).toBe(0);
    for (const out of [left, right]) expect((await run(["evidence", "tar", join(out, "pack")])).code).toBe(0);
    execFileSync("cmp", [join(left, "pack.tar"), join(right, "pack.tar")]);
    const host = (out: string) => readFileSync(join(out, "pack", "volatile", "host.json"), "utf8");
    expect(host(left)).not.toBe(host(right));
    if (asAnother.length > 0) expect(statSync(join(left, "pack")).uid).toBe(65_534);
  }
});

test("a recording that is killed leaves what says that it is no pack", async () => {
  const out = temporaryFolder();
  const child = spawn(process.execPath, [launcher, ...record(out, "real-mode-refused")], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await expect
    .poll(() => existsSync(join(out, "pack.partial", "PARTIAL.md")), { timeout: 60_000, interval: 5 })
    .toBe(true);
  child.kill("SIGKILL");
  await ended;
  expect(existsSync(join(out, "pack"))).toBe(false);
  expect(() => verifyPack(join(out, "pack.partial"))).toThrow("it is what an interrupted recording left");
});

test("so does one whose disk is full", () => {
  const out = temporaryFolder();
  // No file may grow beyond 8 KiB: writing fails as on a full disk, and the signal that comes with it is ignored.
  const finished = spawnSync(
    "bash",
    [
      "-c",
      'trap "" XFSZ; ulimit -f 8; exec "$@"',
      "bash",
      process.execPath,
      launcher,
      ...record(out, "dead-letter-drill"),
    ],
    { encoding: "utf8", env: { ...process.env, NODE_COMPILE_CACHE: "", NODE_DISABLE_COMPILE_CACHE: "1" } },
  );
  expect(finished.status).not.toBe(0);
  expect(finished.stderr).toMatch(/EFBIG/);
  expect(existsSync(join(out, "pack"))).toBe(false);
  expect(() => verifyPack(join(out, "pack.partial"))).toThrow("it is what an interrupted recording left");
});

test("acceptance: every criterion met, each by a file that is there; the drill as a command", async () => {
  const out = join(temporaryFolder(), "acceptance");
  const finished = await run(["evidence", "acceptance", "--out", out], { env: { PATH: "/nowhere", CHROMIUM: "" } });
  expect(finished).toMatchObject({ code: 0, stderr: "" });
  const text = readFileSync(join(out, "ACCEPTANCE.md"), "utf8");
  expect(text).toMatch(/^# Acceptance: every criterion is met/);
  const rows = [...text.matchAll(/^\| .+ \| met \| (\S+) \| .+ \|$/gm)];
  expect(rows).toHaveLength(10);
  for (const [, path = ""] of rows) expect(existsSync(join(out, "pack", path)), path).toBe(true);
  expect(text.match(/beside the pack: (\S+)/g)).toHaveLength(2);
  execFileSync("cmp", ["pack.tar", "second-run.tar"], { cwd: out });
  expect(verifyPack(join(out, "pack"))).toMatchObject({ code: 0, findings: [] });

  const drill = await run(["evidence", "drill", "--events", "12", "--out", out]);
  expect(drill.stdout).toMatch(/# Dead-letter drill: passed[\s\S]*delivered after the replay \| 12 \|/);
});
