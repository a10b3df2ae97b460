/** `backlot up`: starts the suite, says where everything is, and stays until it is told to stop. */
import { stopwatch } from "../../kernel/clock.ts";
import type { Settings } from "../../kernel/settings.ts";
import { pointers } from "../services.ts";
import { type Suite, startSuite } from "../suite.ts";
import { askRunning } from "./env.ts";
import { boundYoungGeneration } from "./young-generation.ts";

export async function up(
  settings: Settings,
  options: { readonly json: boolean; readonly version: string; readonly startedMs: number },
): Promise<number> {
  const elapsed = stopwatch();
  let started = false;
  // Before anything is printed: who reads the ready line may send the signal at once.
  const stopped = stopSignal(() => {
    // Nothing is served yet, and what is attached may never come: there is nothing to wait for.
    if (!started) process.exit(1);
  });
  const suite = await startSuite(settings).catch(async (cause) => {
    if (await askRunning(settings))
      process.stderr.write(
        `A Backlot runs already, at port ${settings.port}: use it, or stop it first. What needs one of its own is run by backlot exec.\n`,
      );
    throw cause;
  });
  started = true;
  const took = Math.round(options.startedMs + elapsed());
  if (options.json) process.stdout.write(`${JSON.stringify(readyLine(suite))}\n`);
  else process.stdout.write(`${readyTable(suite, options.version, took)}\n`);
  boundYoungGeneration();
  suite.warmUp();
  await stopped;
  await suite.close();
  return 0;
}

/** Resolves at the first SIGINT or SIGTERM, of which `seen` is told at once. */
function stopSignal(seen: () => void): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"])
      process.once(signal, () => {
        seen();
        resolve();
      });
  });
}

export function readyLine(suite: Suite): Record<string, unknown> {
  return { ready: true, mode: suite.mode, services: suite.services, ca: suite.caPath };
}

function readyTable(suite: Suite, version: string, tookMs: number): string {
  const { settings } = suite;
  const rows = pointers(suite.members, suite.certificates);
  const width = (pick: (row: (typeof rows)[number]) => string) => Math.max(...rows.map((row) => pick(row).length), 7);
  const [titles, addresses] = [width((row) => row.title), width((row) => row.address)];
  const mode =
    suite.mode === "real"
      ? `real, asked for by ${settings.realAskedBy}: every operation answers 503 with what the real service needs`
      : "mock";
  return [
    `Backlot ${version} is ready in ${tookMs} ms`,
    "",
    ...rows.map((row) => `  ${row.title.padEnd(titles)}  ${row.address.padEnd(addresses)}  ${row.pointing}`),
    ...(suite.url === undefined
      ? []
      : [
          `  ${"Suite".padEnd(titles)}  ${suite.url.padEnd(addresses)}  open it in a browser; control API under /_backlot/`,
        ]),
    ...(suite.services.gateway?.proxyUrl === undefined
      ? []
      : [
          `  ${"Gateway".padEnd(titles)}  ${suite.services.gateway.proxyUrl.padEnd(addresses)}  HTTP_PROXY, HTTPS_PROXY`,
        ]),
    "",
    `  mode ${mode}`,
    `  seed ${settings.seed}   clock ${settings.clock}   state ${settings.dataDir ?? "in memory"}`,
    "",
    "  Variables for your clients, seeded credentials included: npx backlot env        Stop: Ctrl+C",
  ].join("\n");
}
