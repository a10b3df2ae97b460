/** Every delivery attempt with its signature and outcome, the bodies, and what became of dead letters. */
import type { ShownAttempt, ShownDelivery } from "../../kernel/control-answers.ts";
import { ask, type Member } from "../member.ts";
import type { Artefact } from "./artefact.ts";
import { sha256 } from "./attestation.ts";
import { canonicalJson, canonicalLine, compareText } from "./canonical.ts";
import { type Drill, drillLog, type Letter } from "./drill-log.ts";
import type { Redactor } from "./redact.ts";
import type { StepResult } from "./scenario/run.ts";

interface Detail extends ShownDelivery {
  readonly body: string;
  readonly attempts: readonly ShownAttempt[];
}

interface EndpointView {
  readonly id: string;
  readonly secret: string;
  readonly signingTime: string;
  readonly [other: string]: unknown;
}

export interface WebhookLog {
  readonly artefacts: readonly Artefact[];
  readonly attempts: number;
  readonly drill: Drill;
}

const page = 1_000;
const side = 16;

export async function webhookLog(
  members: readonly Member[],
  redactor: Redactor,
  places: (text: string) => string,
  steps: readonly StepResult[],
): Promise<WebhookLog> {
  const bodies = new Map<string, Buffer>();
  const lines: { key: string; line: string }[] = [];
  const raw: string[] = [];
  const endpoints: Record<string, unknown>[] = [];
  const letters: { key: string; letter: Letter }[] = [];
  let redacted = false;
  for (const member of members) {
    const registered = await ask<{ endpoints: readonly EndpointView[] }>(member, "GET", "/_backlot/webhooks/endpoints");
    const wall = new Set(registered.endpoints.filter(({ signingTime }) => signingTime === "wall").map(({ id }) => id));
    for (const { secret, previous: _, ...endpoint } of registered.endpoints)
      endpoints.push({ service: member.name, ...endpoint, secretFingerprint: sha256(secret).slice(0, 16) });
    for (const delivery of await detailsOf(member)) {
      const { attempts, body, cursor: _cursor, tries, replayedAfter, ...about } = delivery;
      const kept = redactor.bytes(Buffer.from(body));
      const hash = sha256(kept);
      redacted ||= hash !== sha256(body);
      bodies.set(hash, kept);
      const order = [delivery.occurredAt, member.name, delivery.type, delivery.subject, delivery.id].join("\n");
      for (const { request, n, at, outcome, status, detail, nextDue } of attempts) {
        const headers = headersOf(request.headers, redactor, delivery.endpoint !== null && wall.has(delivery.endpoint));
        const shown = {
          service: member.name,
          ...about,
          n,
          at,
          url: request.url,
          bodySha256: hash,
          outcome,
          status,
          detail,
          nextDue,
        };
        lines.push({
          key: `${order}\n${String(n).padStart(4, "0")}`,
          line: redactor.text(places(canonicalLine({ ...shown, headers: headers.normal }))),
        });
        raw.push(redactor.text(canonicalLine({ ...shown, headers: headers.raw })));
      }
      if (replayedAfter > 0 || delivery.state === "dead")
        letters.push({
          key: order,
          letter: {
            service: member.name,
            id: delivery.id,
            webhookId: delivery.webhookId,
            type: delivery.type,
            state: delivery.state,
            triesBeforeReplay: replayedAfter || tries,
            triesAfterReplay: replayedAfter > 0 ? tries - replayedAfter : 0,
            bodySha256: hash,
            attempts: attempts.map(({ n, at, outcome, status }) => ({ n, at, outcome, status })),
          },
        });
    }
  }
  lines.sort((left, right) => compareText(left.key, right.key));
  letters.sort((left, right) => compareText(left.key, right.key));
  const log = drillLog(
    letters.map(({ letter }) => letter),
    steps,
  );
  const file = (path: string, mediaType: string, about: string, text: string | Uint8Array): Artefact => ({
    path,
    class: path.startsWith("volatile/") ? "vol" : "norm",
    mediaType,
    about,
    bytes: Buffer.from(text),
  });
  return {
    attempts: lines.length,
    drill: log.drill,
    artefacts: [
      file(
        "webhooks/deliveries.jsonl",
        "application/x-ndjson",
        "Every delivery attempt, signatures included",
        lines.map(({ line }) => `${line}\n`).join(""),
      ),
      file(
        "webhooks/endpoints.json",
        "application/json",
        "Registered receivers; secrets by fingerprint",
        redactor.text(places(canonicalJson({ bodiesRedacted: redacted, endpoints }))),
      ),
      ...[...bodies].map(([hash, bytes]) =>
        file(`webhooks/bodies/${hash}`, "application/octet-stream", "Body of a webhook", bytes),
      ),
      file(
        "deadletter/drill.json",
        "application/json",
        "Dead letters, their replay, and the verdict",
        redactor.text(places(log.json)),
      ),
      file("deadletter/drill.md", "text/markdown", "The same for people", redactor.text(places(log.text))),
      file(
        "volatile/webhooks/deliveries.jsonl",
        "application/x-ndjson",
        "Attempts as they were sent",
        raw.map((line) => `${line}\n`).join(""),
      ),
    ],
  };
}

async function detailsOf(member: Member): Promise<readonly Detail[]> {
  const listed: ShownDelivery[] = [];
  for (let before: number | undefined; ; ) {
    const query = before === undefined ? "" : `&before=${before}`;
    const { deliveries } = await ask<{ deliveries: readonly ShownDelivery[] }>(
      member,
      "GET",
      `/_backlot/webhooks/deliveries?limit=${page}${query}`,
    );
    listed.push(...deliveries);
    if (deliveries.length < page) break;
    before = deliveries.at(-1)?.cursor;
  }
  const found: Detail[] = [];
  for (let at = 0; at < listed.length; at += side)
    found.push(
      ...(await Promise.all(
        listed
          .slice(at, at + side)
          .map(({ id }) => ask<Detail>(member, "GET", `/_backlot/webhooks/deliveries/${encodeURIComponent(id)}`)),
      )),
    );
  return found;
}

/** A signature dated by the machine differs in every run: the exact one is in volatile/. */
function headersOf(headers: Readonly<Record<string, string>>, redactor: Redactor, wall: boolean) {
  const raw = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), redactor.header(name, value)]),
  );
  const { traceparent: _, tracestate: __, ...kept } = raw;
  if (!wall) return { raw, normal: kept };
  const dated = /^(webhook-timestamp|webhook-signature|x-signature|x-timestamp|stripe-signature)$/;
  const normal = Object.fromEntries(
    Object.entries(kept).map(([name, value]) => [name, dated.test(name) ? "(by the machine's clock)" : value]),
  );
  return { raw, normal };
}
