/** `backlot probe URL --secret SECRET`: the signature rejection matrix against a webhook receiver, as a table. */
import { createClock } from "../../kernel/clock.ts";
import type { ProbeReport, ProbeRow } from "../../kernel/probe.ts";
import { reachableHost, type Settings } from "../../kernel/settings.ts";
import { startSuite } from "../suite.ts";

export interface ProbeRequest {
  readonly url: string;
  readonly secret: string;
  readonly scheme?: string;
  readonly exactStatus: boolean;
}

/** Exit code 0 when the receiver judged every request as it should. */
export async function probe(settings: Settings, request: ProbeRequest): Promise<number> {
  const answer = (await askRunning(settings, request)) ?? (await askPrivate(settings, request));
  if (!answer.ok) {
    process.stderr.write(`${((await answer.json()) as { message: string }).message}\n`);
    return 1;
  }
  const report = (await answer.json()) as ProbeReport;
  process.stdout.write(table(report));
  return report.passed ? 0 : 1;
}

const path = "/_backlot/webhooks/probe";

/** By the suite that runs, so that the probe stands in its journal; undefined when none does. */
async function askRunning({ host, port, controlToken }: Settings, body: ProbeRequest): Promise<Response | undefined> {
  if (!port) return undefined;
  const base = `http://${reachableHost(host)}:${port}`;
  const headers = controlToken === undefined ? {} : { authorization: `Bearer ${controlToken}` };
  try {
    if (!(await fetch(`${base}/_backlot/live`, { signal: AbortSignal.timeout(2_000) })).ok) return undefined;
  } catch {
    return undefined; // nothing listens there
  }
  return fetch(base + path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function askPrivate(settings: Settings, body: ProbeRequest): Promise<Response> {
  // A seed of this run alone: a receiver that remembers ids must not know those of an earlier probe.
  const seed = `${settings.seed}-${createClock({ mode: "real" }, 1).wall()}`;
  const suite = await startSuite({ ...settings, seed, dataDir: undefined, attach: [], only: ["smtp"] }, false);
  try {
    return await suite.control("POST", path, body);
  } finally {
    await suite.close();
  }
}

function table({ url, scheme, summary, results }: ProbeReport): string {
  const cells = results.map((row) => ({ row, expected: expectedOf(row), received: receivedOf(row) }));
  const width = (values: readonly string[]) => Math.max(...values.map((value) => value.length));
  const [name, expected, received] = [
    width(["case", ...results.map((row) => row.case)]),
    width(["expected", ...cells.map((cell) => cell.expected)]),
    width(["received", ...cells.map((cell) => cell.received)]),
  ];
  const line = (mark: string, a: string, b: string, c: string, d: string) =>
    `${mark.padEnd(5)}  ${a.padEnd(name)}  ${b.padEnd(expected)}  ${c.padEnd(received)}  ${d}`.trimEnd();
  const { cases, failed, advisories } = summary;
  return [
    `${url}, scheme ${scheme}`,
    line("", "case", "expected", "received", ""),
    ...cells.map(({ row, ...cell }) => line(markOf(row), row.case, cell.expected, cell.received, row.about)),
    `${cases - failed} of ${cases} as expected${advisories > 0 ? `; ${advisories} more to think about` : ""}.`,
    "",
  ].join("\n");
}

const markOf = ({ passed, advisory }: ProbeRow) => (passed ? "ok" : advisory ? "note" : "WRONG");

const expectedOf = ({ expected, expectedStatus }: ProbeRow) =>
  expected === "accept" ? "2xx" : expectedStatus === undefined ? "4xx" : `4xx (${expectedStatus})`;

const receivedOf = ({ status, detail }: ProbeRow) => (status === null ? (detail ?? "nothing") : String(status));
