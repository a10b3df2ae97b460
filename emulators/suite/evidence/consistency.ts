/** Whether the parts of a pack agree with each other: what nobody who changed one file alone would keep up. */
import { createHmac } from "node:crypto";
import * as z from "zod";
import { createIds } from "../../kernel/ids.ts";
import type { Finding } from "./answers.ts";
import { sha256 } from "./attestation.ts";
import type { Files } from "./files.ts";

const Mode = z.object({
  seed: z.string(),
  counts: z.object({
    requests: z.record(z.string(), z.number()),
    messages: z.number(),
    attempts: z.number(),
    deadLettered: z.number(),
  }),
});
const Line = z.object({
  service: z.string(),
  webhookId: z.string(),
  endpoint: z.string().nullable(),
  state: z.string(),
  at: z.iso.datetime(),
  bodySha256: z.string(),
  headers: z.record(z.string(), z.string()),
  id: z.string(),
  n: z.number(),
});
const Endpoints = z.object({
  bodiesRedacted: z.boolean(),
  endpoints: z.array(
    z.object({ id: z.string(), secretFingerprint: z.string(), signingTime: z.string(), schemes: z.array(z.string()) }),
  ),
});
const Drill = z.object({
  deadLettered: z.number(),
  replayed: z.number(),
  deliveredAfterReplay: z.number(),
  leftInDeadLetters: z.number(),
  letters: z.array(
    z.object({
      service: z.string(),
      id: z.string(),
      state: z.string(),
      bodySha256: z.string(),
      attempts: z.array(z.unknown()),
    }),
  ),
});

export function agreement(files: Files): Finding[] {
  const findings: Finding[] = [];
  const say = (path: string, detail: string) => findings.push({ check: "agreement", path, detail });
  const read = <T>(path: string, schema: z.ZodType<T>): T | undefined => {
    const checked = schema.safeParse(json(files.get(path)));
    if (!checked.success) say(path, "cannot be read as what it should be");
    return checked.data;
  };
  const mode = read("mode.json", Mode);
  if (!mode) return findings;
  for (const [service, count] of Object.entries(mode.counts.requests)) {
    const path = `http/${service}.har`;
    const entries = entryCount(files, path);
    if (entries === undefined) say(path, "cannot be read as what it should be");
    else if (entries !== count) say(path, `holds ${entries} requests, and ${count} were journalled`);
  }
  const count = (pattern: RegExp) => [...files.keys()].filter((path) => pattern.test(path)).length;
  for (const kind of ["norm.eml", "norm.json", "envelope.json", "transcript.txt"])
    if (count(new RegExp(`^smtp/\\d+\\.${kind.replace(".", "\\.")}$`)) !== mode.counts.messages)
      say("smtp/messages.json", `${mode.counts.messages} messages were captured, and there are not as many .${kind}`);
  webhooks(files, mode, read, say);
  return findings;
}

const Head = z.strictObject({
  log: z.strictObject({
    version: z.literal("1.2"),
    creator: z.strictObject({ name: z.string(), version: z.string() }),
    entries: z.tuple([]),
  }),
});
const newline = 10;

/** Each line by itself, as they are written: an archive may be larger than is good to have in memory as objects. */
function entryCount(files: Files, path: string): number | undefined {
  if (!files.has(path)) return undefined;
  const bytes = files.borrow(path);
  const first = bytes.indexOf(newline);
  const [head, end] = [bytes.toString("utf8", 0, first), "]}}"];
  if (!Head.safeParse(parsed(head.endsWith(end) ? head : head + end)).success) return undefined;
  if (head.endsWith(end)) return first === bytes.length - 1 ? 0 : undefined;
  let count = 0;
  let more = true;
  for (let from = first + 1; from > 0; ) {
    const to = bytes.indexOf(newline, from);
    const line = bytes.toString("utf8", from, to < 0 ? bytes.length : to);
    if (line === end) return !more && to === bytes.length - 1 ? count : undefined;
    const entry = more ? parsed(line.replace(/,$/, "")) : undefined;
    if (typeof entry !== "object" || entry === null || !("request" in entry)) return undefined;
    more = line.endsWith(",");
    count += 1;
    from = to + 1;
  }
  return undefined;
}

function webhooks(
  files: Files,
  mode: z.output<typeof Mode>,
  read: <T>(path: string, schema: z.ZodType<T>) => T | undefined,
  say: (path: string, detail: string) => void,
): void {
  const path = "webhooks/deliveries.jsonl";
  const lines = (files.get(path)?.toString("utf8") ?? "").split("\n").slice(0, -1);
  if (lines.length !== mode.counts.attempts)
    say(path, `holds ${lines.length} attempts, and ${mode.counts.attempts} were recorded`);
  const registered = read("webhooks/endpoints.json", Endpoints);
  const ids = createIds(mode.seed);
  /** Hashes of what each delivery sent, try by try. */
  const tries = new Map<string, readonly string[]>();
  for (const line of lines) {
    const attempt = Line.safeParse(json(Buffer.from(line))).data;
    if (!attempt) {
      say(path, "a line is no attempt");
      continue;
    }
    const delivery = `${attempt.service} ${attempt.id}`;
    tries.set(delivery, [...(tries.get(delivery) ?? []), attempt.bodySha256]);
    const body = files.get(`webhooks/bodies/${attempt.bodySha256}`);
    if (!body || sha256(body) !== attempt.bodySha256) {
      say(path, `the body of ${attempt.id} is not webhooks/bodies/${attempt.bodySha256}`);
      continue;
    }
    const endpoint = registered?.endpoints.find(({ id }) => id === attempt.endpoint);
    const signature = attempt.headers["webhook-signature"];
    if (endpoint?.signingTime !== "virtual" || registered?.bodiesRedacted || signature === undefined) continue;
    // The secret of an endpoint that brought none is derived from the seed; of others the fingerprint says no more.
    const key = ids.fixed("webhook.secret", [endpoint.id]).bytes().toString("base64");
    if (sha256(`whsec_${key}`).slice(0, 16) !== endpoint.secretFingerprint) continue;
    // Standard Webhooks 1.0.0, worked out here once more and not by the code that signed.
    const signed = Buffer.concat([Buffer.from(`${attempt.webhookId}.${attempt.headers["webhook-timestamp"]}.`), body]);
    const expected = createHmac("sha256", Buffer.from(key, "base64")).update(signed).digest("base64");
    if (!signature.split(" ").includes(`v1,${expected}`))
      say(path, `the signature of ${attempt.id}, attempt ${attempt.n}, does not fit its body`);
  }
  const drill = read("deadletter/drill.json", Drill);
  if (!drill) return;
  const left = drill.letters.filter(({ state }) => state === "dead").length;
  if (
    drill.letters.length !== drill.deadLettered ||
    drill.deadLettered !== mode.counts.deadLettered ||
    drill.leftInDeadLetters !== left ||
    drill.deliveredAfterReplay > drill.replayed
  )
    say("deadletter/drill.json", "its counts do not add up");
  for (const { service, id, bodySha256, attempts } of drill.letters) {
    const sent = tries.get(`${service} ${id}`) ?? [];
    if (sent.length !== attempts.length || sent.some((hash) => hash !== bodySha256))
      say("deadletter/drill.json", `what it says of ${id} is not what webhooks/deliveries.jsonl says`);
  }
}

const json = (bytes: Buffer | undefined): unknown => (bytes === undefined ? undefined : parsed(bytes.toString("utf8")));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema that reads it says what is wrong
  }
}
