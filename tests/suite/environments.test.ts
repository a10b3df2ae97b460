/** The `.env` templates, `backlot check` over them, and the script that chooses one. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { freePorts, run, temporaryFolder } from "../support/command.ts";

const template = (name: string) => readFileSync(join(packageRoot(), `.env.${name}`), "utf8");

test("check reads each environment's template, and tells a missing one and one under another's name", async () => {
  const cwd = temporaryFolder();
  const check = (name: string) => run(["check", "--env", name], { cwd, env: freePorts });
  for (const name of ["development", "testing", "production"]) {
    writeFileSync(join(cwd, `.env.${name}`), template(name));
    const checked = await check(name);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining(`.env.${name}`) });
    expect(checked.stdout.includes("Real mode is asked for by USE_REAL_DATA=true")).toBe(name === "production");
  }
  expect(await check("staging")).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("BACKLOT_ENV is staging, but there is no .env.staging here."),
  });
  writeFileSync(join(cwd, ".env.testing"), template("production"));
  expect(await check("testing")).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(".env.testing says BACKLOT_ENV=production"),
  });
});

test("scripts/switch-env chooses the file that is read, leaves the rest of .env alone, and checks it", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "scripts"));
  for (const name of ["switch-env", "launcher.mjs"])
    copyFileSync(join(packageRoot(), "scripts", name), join(folder, "scripts", name));
  for (const name of ["dist", "node_modules", "package.json"])
    symlinkSync(join(packageRoot(), name), join(folder, name));
  for (const name of ["development", "testing", "production"])
    writeFileSync(join(folder, `.env.${name}`), template(name));
  writeFileSync(join(folder, ".env"), "BACKLOT_SEED=mine\n");
  const { PATH = "", HOME = "" } = process.env;
  const env = { ...freePorts, HOME, PATH: `${dirname(process.execPath)}:${PATH}` };
  const switchTo = (name: string) => spawnSync("scripts/switch-env", [name], { cwd: folder, env, encoding: "utf8" });
  for (const name of ["testing", "production"]) {
    const { status, stdout } = switchTo(name);
    expect(stdout).toContain(`Backlot now reads .env.${name}.`);
    expect(stdout).toMatch(new RegExp(`^Read the environment, .*\\.env\\.${name}, .*\\.env\\.$`, "m"));
    expect(status).toBe(0);
    expect(readFileSync(join(folder, ".env"), "utf8")).toBe(`BACKLOT_SEED=mine\nBACKLOT_ENV=${name}\n`);
  }
  expect(switchTo("staging")).toMatchObject({ status: 2, stderr: expect.stringContaining("Usage: ") });
});
