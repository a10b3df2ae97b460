/** A signature as its receiver checks it, one step after the other. */
import type { ComponentChildren } from "preact";
import type { SignatureCheck } from "../../../../kernel/control-answers.ts";
import { size } from "../format.ts";
import { Badge, Code, Time, type Tone } from "../parts.tsx";

export interface CheckedAttempt {
  readonly n: number;
  readonly checks: readonly SignatureCheck[];
}

const tones: Readonly<Record<SignatureCheck["verdict"], Tone>> = {
  valid: "good",
  invalid: "bad",
  "not signed": "warn",
  unknown: "plain",
};

export function Signature({ check }: { check: SignatureCheck }) {
  const { scheme, verdict, reason, content, received } = check;
  return (
    <details class="signature">
      <summary>
        <h4>Signature, {scheme}</h4>
        <Badge tone={tones[verdict]}>{verdict}</Badge>
      </summary>
      {reason === null ? null : <p class="problem">{reason}</p>}
      {content === null || received.length === 0 ? null : <Steps check={check} content={content} />}
    </details>
  );
}

function Steps({ check, content }: { check: SignatureCheck; content: NonNullable<SignatureCheck["content"]> }) {
  const { bodySha256, timestamp, key, algorithm, header, expected, received } = check;
  const matches = received.some((one) => expected.includes(one));
  return (
    <ol class="checks">
      <Step title="The body is the one that was sent" good={bodySha256.same}>
        <span class="mono">sha256:{bodySha256.sent}</span>
      </Step>
      {timestamp === null ? null : (
        <Step title={`${timestamp.header} is fresh`} good={timestamp.fresh}>
          <span class="mono">{timestamp.value}</span> is{" "}
          {timestamp.at === null ? "no time" : <Time iso={timestamp.at} />}
          {timestamp.skewSeconds === null ? null : `, ${timestamp.skewSeconds} s from the sending`}; receivers take{" "}
          {timestamp.toleranceSeconds} s.
        </Step>
      )}
      <Step title="What is signed">
        {content.recipe}, {size(content.bytes)}
        <Code label="Signed content" text={content.text} verbatim />
      </Step>
      <Step title="The key">
        {key?.is},{" "}
        {key?.fingerprints.length === 0
          ? "which is not held any more"
          : key?.fingerprints.map((print, index) => (
              <span key={print}>
                {index === 0 ? "" : " and "}
                <span class="mono">{print}</span>
              </span>
            ))}
      </Step>
      <Step title={`Expected: ${algorithm}`}>
        {expected.map((one) => (
          <div key={one} class="mono">
            {one}
          </div>
        ))}
      </Step>
      <Step title={`Received in ${header}`} good={matches}>
        {received.map((one) => (
          <div key={one} class="mono">
            {one}
          </div>
        ))}
      </Step>
    </ol>
  );
}

/** `good` undefined: a step that computes and judges nothing. */
function Step({ title, good, children }: { title: string; good?: boolean; children: ComponentChildren }) {
  return (
    <li>
      <div class="strong">
        {title} {good === undefined ? null : <Badge tone={good ? "good" : "bad"}>{good ? "yes" : "no"}</Badge>}
      </div>
      <div class="wrap">{children}</div>
    </li>
  );
}
