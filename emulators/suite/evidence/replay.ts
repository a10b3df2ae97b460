/**
 * Sends the recorded requests of a pack again, in the order of its archives, to a suite of the same seed and clock, and
 * tells the first answer of each service that differs. Credentials were taken out of the pack: requests that carried one
 * sign in as the seeded user. What came by other ways than requests - mail, interruptions, replies - comes again only where
 * the scenario is given.
 */
import * as z from "zod";
import { type Instant, isoMilliseconds } from "../../kernel/clock.ts";
import { createSuite, type Suite } from "../suite.ts";
import { compareText } from "./canonical.ts";
import type { Files } from "./files.ts";
import { cleanExchange, type HarEntry, normalEntry } from "./http-archive.ts";
import { eachEntry, liftMarks, markJournals } from "./journals.ts";
import { jsonDifferences } from "./json-differences.ts";
import { createRedactor } from "./redact.ts";
import { playScenario } from "./scenario/run.ts";
import type { Scenario } from "./scenario/schema.ts";
import { createSignIn, type SignIn } from "./scenario/sign-in.ts";
import { namesForAddresses } from "./shown.ts";
import { readTree } from "./tree.ts";

export interface ServiceReplay {
  readonly service: string;
  readonly requests: number;
  /** Sent again and answered alike. */
  readonly same: number;
  /** Not sent: what a body lost to redaction or to the size of the journal cannot be repeated. */
  readonly skipped: number;
  readonly firstDifference?: { readonly request: string; readonly fields: readonly string[] };
}

const Mode = z.object({
  seed: z.string(),
  scenario: z.object({ name: z.string() }).nullable(),
  clock: z.object({ start: z.iso.datetime(), end: z.iso.datetime() }),
  services: z.array(z.string()),
  settings: z.record(z.string(), z.string()),
});
const Headers = z.array(z.object({ name: z.string(), value: z.string() }));
const Entry = z.looseObject({
  startedDateTime: z.iso.datetime(),
  request: z.looseObject({
    method: z.string(),
    url: z.url(),
    headers: Headers,
    postData: z.looseObject({ mimeType: z.string(), text: z.string(), _encoding: z.string().optional() }).optional(),
  }),
  response: z.looseObject({
    status: z.number(),
    headers: Headers,
    content: z.looseObject({ text: z.string().optional() }),
  }),
});
type Entry = z.output<typeof Entry>;
const Archive = z.object({ log: z.object({ entries: z.array(Entry) }) });

interface Pack {
  readonly mode: z.output<typeof Mode>;
  readonly entries: (service: string) => readonly Entry[];
}

/** @throws when the pack cannot be read as one */
function readPack(files: Files): Pack {
  const read = <T>(name: string, schema: z.ZodType<T>): T =>
    schema.parse(JSON.parse(files.get(name)?.toString("utf8") ?? "null"));
  return { mode: read("mode.json", Mode), entries: (service) => read(`http/${service}.har`, Archive).log.entries };
}

/** Plays the scenario of the pack anew, with all that it does besides requests, and compares what was answered. */
export async function replayScenario(path: string, story: Scenario): Promise<readonly ServiceReplay[]> {
  const { mode, entries } = readPack(readTree(path).files);
  if (mode.scenario?.name !== story.name)
    throw new Error(`The pack is of the scenario ${mode.scenario?.name ?? "(none)"}, not of ${story.name}.`);
  let played: Pack | undefined;
  await playScenario(story, {
    async around(suite, play) {
      await suite.evidence.start();
      const { results } = await play();
      played = readPack((await suite.evidence.stop(results)).files);
    },
  });
  return mode.services.map((service) => {
    const [before, after] = [entries(service), played?.entries(service) ?? []];
    const result: Counted = { requests: before.length, same: 0, skipped: 0 };
    for (const [n, entry] of before.entries()) count(result, entry, after[n]);
    return { service, ...result };
  });
}

export async function replayPack(path: string): Promise<readonly ServiceReplay[]> {
  const { mode, entries } = readPack(readTree(path).files);
  const recorded = mode.services.flatMap((service) => entries(service).map((entry) => ({ service, entry })));
  // As they were: by time, then as the archives have them. What had no order then has that of the archive now.
  recorded.sort((left, right) => compareText(left.entry.startedDateTime, right.entry.startedDateTime));
  const suite = await createSuite({
    seed: mode.seed,
    clock: `frozen@${mode.clock.start}`,
    only: mode.services,
    environment: {
      ...Object.fromEntries(Object.entries(mode.settings).filter(([name]) => name !== "BACKLOT_SEED")),
      BACKLOT_LOG_LEVEL: "silent",
      BACKLOT_ONLY: mode.services.join(","),
    },
  });
  try {
    return await replayInto(suite, recorded);
  } finally {
    await suite.close();
  }
}

interface Recorded {
  readonly service: string;
  readonly entry: Entry;
}

async function replayInto(suite: Suite, recorded: readonly Recorded[]): Promise<readonly ServiceReplay[]> {
  const signIn = createSignIn(new Map(Object.entries(suite.env).map(([name, value]) => [`env.${name}`, value])));
  const results = new Map(suite.members.map(({ name }) => [name, { requests: 0, same: 0, skipped: 0 } as Counted]));
  for (const { service, entry } of recorded) {
    const result = results.get(service);
    if (!result) continue;
    result.requests += 1;
    const at = Date.parse(entry.startedDateTime) as Instant;
    if (at > suite.clock.now()) await suite.clock.advance({ to: isoMilliseconds(at) });
    count(result, entry, repeatable(entry) ? await again(suite, signIn, service, entry) : undefined);
  }
  return [...results].map(([service, result]) => ({ service, ...result }));
}

interface Counted {
  requests: number;
  same: number;
  skipped: number;
  firstDifference?: { readonly request: string; readonly fields: readonly string[] };
}

function count(result: Counted, entry: Entry, answered: Entry | HarEntry | undefined): void {
  if (!answered) {
    result.skipped += 1;
    return;
  }
  const fields = differing(entry, answered);
  if (fields.length === 0) result.same += 1;
  else result.firstDifference ??= { request: `${entry.request.method} ${entry.request.url}`, fields };
}

/** A body of which a part was replaced is not what was sent. */
const repeatable = ({ request }: Entry) =>
  !/REDACTED/.test(request.url) && !/REDACTED/.test(request.postData?.text ?? "");

const ofTheConnection = new Set(["host", "connection", "content-length", "authorization", "cookie"]);

/** Sends it, and reads from the journal what was answered: in the same form as the pack has it. */
async function again(suite: Suite, signIn: SignIn, service: string, { request }: Entry): Promise<HarEntry | undefined> {
  const member = suite.members.find(({ name }) => name === service);
  const address = addressOf(suite, new URL(request.url).hostname);
  if (!member || address === undefined) return undefined;
  const { pathname, search } = new URL(request.url);
  const signed = request.headers.some(({ name, value }) => name === "authorization" && value.includes("REDACTED"));
  const { postData } = request;
  const marks = await markJournals([member]);
  await fetch(`${address}${pathname}${search}`, {
    method: request.method,
    redirect: "manual",
    headers: {
      ...Object.fromEntries(
        request.headers.filter(({ name }) => !ofTheConnection.has(name)).map(({ name, value }) => [name, value]),
      ),
      ...(signed ? await signIn.headers(service) : {}),
    },
    ...(postData === undefined
      ? {}
      : { body: Buffer.from(postData.text, postData._encoding === "base64" ? "base64" : "utf8") }),
  }).then((response) => response.arrayBuffer());
  let answered: HarEntry | undefined;
  for await (const entry of eachEntry(member, marks))
    if (answered === undefined && entry.kind === "request" && entry.target === `${pathname}${search}`)
      answered = normalEntry(cleanExchange(entry, createRedactor()), {
        service,
        places: namesForAddresses(suite.members),
      }).har;
  await liftMarks([member], marks);
  return answered;
}

/** `twilio.backlot.test`, `ec2-spot-imds.backlot.test`, `azure-policyinsights-tls.backlot.test`: where it is now. */
function addressOf({ members }: Suite, name: string): string | undefined {
  for (const member of members)
    for (const { name: surface, host, port, scheme } of member.addresses) {
      const main = member.addresses[0]?.name === surface;
      const own = `${main ? member.name : `${member.name}-${surface}`}${scheme === "https" ? "-tls" : ""}.backlot.test`;
      // The pack's TLS surfaces answer over plain HTTP alike, and need no authority to be trusted.
      if (own !== name || scheme === "tcp") continue;
      const plain = member.addresses.find((address) => address.scheme === "http" && address.name === surface);
      const found = scheme === "https" ? plain : { host, port };
      return found ? `http://${found.host}:${found.port}` : undefined;
    }
  return undefined;
}

function differing(recorded: Entry, answered: Entry | HarEntry): readonly string[] {
  const shown = ({ response }: Entry | HarEntry) => ({
    status: response.status,
    headers: Object.fromEntries(response.headers.map(({ name, value }) => [name, value])),
    body: parsed(response.content.text ?? ""),
  });
  return jsonDifferences(shown(recorded), shown(answered), "").slice(0, 20);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // an answer that is not JSON is compared as the text it is
  }
}
