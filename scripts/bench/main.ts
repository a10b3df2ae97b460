/** `npm run bench`: how fast and how small Backlot is, next to the least that the same stack can do. */
import { writeFileSync } from "node:fs";
import { arch, cpus, platform } from "node:os";
import { buildIfMissing } from "./backlot.ts";
import { judge } from "./bars.ts";
import { startGenerators } from "./load/generator.ts";
import { azure } from "./measures/azure.ts";
import type { Bench, Measure } from "./measures/measure.ts";
import { smtp } from "./measures/smtp.ts";
import { spot } from "./measures/spot.ts";
import { start } from "./measures/start.ts";
import { twilio } from "./measures/twilio.ts";
import { help, type MeasureName, type Options, readOptions } from "./options.ts";
import { createPeers } from "./peers.ts";
import { createReadings } from "./readings.ts";
import { table } from "./report.ts";
import { killServers } from "./server-process.ts";

const measures: Readonly<Record<MeasureName, Measure>> = { start, twilio, spot, azure, smtp };

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined || typeof options === "string") {
    process.stdout.write(options === undefined ? help : `${options}\n\n${help}`);
    return options === undefined ? 0 : 2;
  }
  buildIfMissing();
  const chosen: readonly Measure[] = [
    ...options.only.map((name) => measures[name]),
    ...(options.peers ? [createPeers()] : []),
  ];
  const { rows, failures } = await run(chosen, options);
  const verdicts = judge(rows);
  const machine = {
    node: process.version,
    platform: `${platform()} ${arch()}`,
    cpus: `${cpus().length} x ${cpus()[0]?.model ?? "?"}`,
    rounds: options.rounds,
    seconds: options.seconds,
  };
  process.stdout.write(
    `\n${Object.values(machine).slice(0, 3).join(", ")}; ${options.rounds} rounds, loads of ${options.seconds} s\n\n${table(rows)}\n\n`,
  );
  process.stdout.write(`${verdicts.map(({ text }) => `${text}\n`).join("")}`);
  for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ machine, rows, verdicts, failures }, null, 2)}\n`);
  return failures.length > 0 || (options.strict && verdicts.some(({ ok }) => !ok)) ? 1 : 0;
}

/** A measure that fails is left out of the rounds that follow; the others go on. */
async function run(chosen: readonly Measure[], options: Options) {
  const bench: Bench = { options, readings: createReadings(), generators: startGenerators() };
  const failed = new Map<string, string>();
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const measure of chosen.filter(({ name }) => !failed.has(name))) {
      process.stderr.write(`round ${round} of ${options.rounds}: ${measure.name}\n`);
      try {
        await measure.round(bench);
      } catch (cause) {
        failed.set(measure.name, cause instanceof Error ? cause.message : String(cause));
        killServers();
      }
    }
  }
  bench.generators.close();
  return { rows: bench.readings.rows(), failures: [...failed].map(([name, problem]) => `${name}: ${problem}`) };
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    killServers();
    process.exit(1);
  });
process.exitCode = await main();
