/** The signatures of an attempt, checked as its receiver would check them, with every step on the way. */
import { createHash } from "node:crypto";
import { isoMilliseconds } from "./clock.ts";
import type { SignatureCheck } from "./control-answers.ts";
import type { Runtime } from "./emulator.ts";
import { secretsOf } from "./outbox-prepare.ts";
import type { Attempt, Delivery } from "./outbox-store.ts";
import { commonExplanations, sameText } from "./signatures.ts";
import type { SentRequest, SignatureSteps, WebhookScheme } from "./webhook.ts";

/** What receivers take for fresh, as Standard Webhooks, Stripe and their libraries do. */
const toleranceSeconds = 300;
const longestContent = 8_192;

export function checkSignatures<State>(
  delivery: Delivery,
  attempt: Attempt,
  schemes: readonly WebhookScheme<State>[],
  runtime: Runtime<State>,
): readonly SignatureCheck[] {
  const { headers } = attempt.request;
  const sent: SentRequest = {
    method: attempt.request.method,
    url: attempt.request.url,
    header: (name) => Object.entries(headers).find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1],
    contentType: delivery.content_type,
    body: delivery.body,
  };
  const own = schemes.find(({ name }) => name === delivery.scheme);
  if (own) {
    const secret = own.secretOf(runtime, delivery.credential);
    return [judge(own.name, own.explain?.(sent), { secrets: secret === undefined ? [] : [secret], delivery, attempt })];
  }
  const endpoint = delivery.endpoint === null ? undefined : runtime.outbox.endpoints.get(delivery.endpoint);
  const secrets = endpoint ? secretsOf(endpoint, runtime.clock.now()) : [];
  return (
    endpoint?.schemes ??
    Object.keys(commonExplanations).filter((name) => commonExplanations[name]?.(sent).received.length)
  ).map((name) => {
    const steps = (commonExplanations[name] ?? schemes.find((scheme) => scheme.name === name)?.explain)?.(sent);
    // A provider's own scheme knows no rotation: the newest secret signs.
    const signing = name in commonExplanations ? secrets : secrets.slice(0, 1);
    return judge(name, steps, { secrets: signing, delivery, attempt, virtual: endpoint?.signingTime === "virtual" });
  });
}

interface Given {
  readonly secrets: readonly string[];
  readonly delivery: Delivery;
  readonly attempt: Attempt;
  readonly virtual?: boolean;
}

function judge(scheme: string, steps: SignatureSteps | undefined, given: Given): SignatureCheck {
  const { secrets, delivery, attempt, virtual = false } = given;
  const kept = createHash("sha256").update(delivery.body).digest("hex");
  const bodySha256 = { sent: attempt.request.bodySha256, kept, same: kept === attempt.request.bodySha256 };
  const expected = steps ? secrets.map((secret) => steps.signatureOf(secret)) : [];
  const received = steps?.received ?? [];
  const timestamp = steps?.timestamp ? dated(steps.timestamp, virtual ? attempt.at : attempt.wall_at) : null;
  const [verdict, reason] = ((): [SignatureCheck["verdict"], string | null] => {
    if (!steps) return ["unknown", `How ${scheme} signs is not explained.`];
    if (received.length === 0) return ["not signed", `There is no ${steps.header}.`];
    if (secrets.length === 0) return ["unknown", "Its secret is not held any more: what it belonged to was removed."];
    if (!bodySha256.same) return ["invalid", "The body that is kept is not the one that was sent."];
    if (!received.some((one) => expected.some((other) => sameText(one, other))))
      return ["invalid", "No signature in the header is that of a secret in use: it was changed since."];
    if (timestamp && !timestamp.fresh)
      return ["invalid", `The timestamp is ${timestamp.skewSeconds} s away; receivers take ${toleranceSeconds}.`];
    return ["valid", null];
  })();
  return {
    scheme,
    verdict,
    reason,
    bodySha256,
    timestamp,
    content: steps
      ? {
          recipe: steps.recipe,
          text: steps.content.subarray(0, longestContent).toString("utf8"),
          bytes: steps.content.length,
        }
      : null,
    key: steps ? { is: steps.key, fingerprints: secrets.map(fingerprint) } : null,
    algorithm: steps?.algorithm ?? null,
    header: steps?.header ?? null,
    expected,
    received,
  };
}

function dated(
  { header, value, at }: NonNullable<SignatureSteps["timestamp"]>,
  sentAt: number,
): SignatureCheck["timestamp"] {
  const skewSeconds = Number.isNaN(at) ? null : Math.round((at - sentAt) / 1000);
  return {
    header,
    value,
    at: Number.isNaN(at) ? null : isoMilliseconds(at),
    skewSeconds,
    toleranceSeconds,
    fresh: skewSeconds !== null && Math.abs(skewSeconds) <= toleranceSeconds,
  };
}

/** Tells secrets apart without telling them. */
function fingerprint(secret: string): string {
  return `sha256:${createHash("sha256").update(secret).digest("hex").slice(0, 16)}`;
}
