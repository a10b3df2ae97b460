/** The command line of `npm run bench`. */
import { parseArgs } from "node:util";

export const measureNames = ["start", "twilio", "spot", "azure", "smtp"] as const;
export type MeasureName = (typeof measureNames)[number];

export interface Options {
  readonly rounds: number;
  /** How long one load lasts; it is preceded by a warm-up of the same length that does not count. */
  readonly seconds: number;
  readonly only: readonly MeasureName[];
  readonly peers: boolean;
  readonly strict: boolean;
  readonly json: string | undefined;
}

export const help = `npm run bench -- [options]

Measures the built Backlot (dist/) side by side with floors: programs of the same stack that do only the bare work. What
is compared is measured in turns, in each round on fresh processes, and reported as medians and as ratios to the floor.

  --rounds N         rounds (default 5)
  --seconds S        length of one load, after a warm-up of the same length (default 1)
  --only NAME,...    ${measureNames.join(", ")} (default: all)
  --peers            also measure emulate and maildev, installed from npm into the system's temporary folder
  --json FILE        write every reading there
  --strict           exit with 1 when a bar is missed
  --help

Load comes from processes of their own. An answer with another status than the expected one ends the run.
Exit codes: 0 measured, 1 something failed to run (with --strict: or missed its bar), 2 wrong command line.
`;

/** @returns the text of the problem when the arguments cannot be used, undefined when help is asked for */
export function readOptions(args: readonly string[]): Options | string | undefined {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
  if (values.help) return undefined;
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!Number.isInteger(rounds) || rounds < 1) return `--rounds ${values.rounds}: give a whole number, 1 or more`;
  if (!(seconds > 0)) return `--seconds ${values.seconds}: give a number above 0`;
  const asked = values.only?.split(",") ?? measureNames;
  const unknown = asked.filter((name) => !measureNames.some((known) => known === name));
  if (unknown.length > 0) return `--only ${unknown.join(",")}: there are ${measureNames.join(", ")}`;
  const only = measureNames.filter((name) => asked.includes(name));
  return { rounds, seconds, only, peers: values.peers, strict: values.strict, json: values.json };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "1" },
      only: { type: "string" },
      peers: { type: "boolean", default: false },
      strict: { type: "boolean", default: false },
      json: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  }).values;
}
