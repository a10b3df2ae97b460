/** Pictures of the console and of the report, by whatever Chromium the machine has. They differ between machines. */
import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterReal } from "../../kernel/clock.ts";
import type { Environment } from "./run-facts.ts";

const deadlineMs = 20_000;

/** CHROMIUM, or the name under which Debian and others install it. */
export function findChromium(environment: Environment): string | undefined {
  const folders = (environment.PATH ?? "").split(delimiter);
  const named = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
    folders.map((folder) => join(folder, name)),
  );
  return [environment.CHROMIUM ?? "", ...named].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return path !== "";
    } catch {
      return false; // no such file, or none that can be run
    }
  });
}

/** A picture of a page four seconds after it was asked for: live pages never finish loading. Undefined when none came. */
export async function screenshot(chromium: string, url: string): Promise<Buffer | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "backlot-picture-"));
  const file = join(folder, "page.png");
  try {
    const code = await run(chromium, [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      "--window-size=1280,1600",
      "--timeout=4000",
      `--user-data-dir=${folder}`,
      `--screenshot=${file}`,
      url,
    ]);
    return code === 0 ? readFileSync(file) : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(file: string, args: readonly string[]): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: "ignore" });
    const cancel = afterReal(deadlineMs, () => child.kill("SIGKILL"));
    const done = (code: number | null) => {
      cancel();
      resolve(code);
    };
    child.once("error", () => done(null));
    child.once("exit", done);
  });
}
