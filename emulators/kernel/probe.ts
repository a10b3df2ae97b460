/**
 * The receiver probe: sends a receiver every kind of request that it must refuse, and some that it must accept, and says
 * how it judged them. A receiver that accepts a forged or stale webhook is found here and not in production.
 */
import type { Clock } from "./clock.ts";
import type { Sent } from "./delivery.ts";
import type { Ids } from "./ids.ts";
import { commonSchemes } from "./signatures.ts";
import type { Unsigned } from "./webhook.ts";

export interface ProbeTarget {
  readonly url: string;
  /** The newest first; the second is the one that a rotation is about to retire. */
  readonly secrets: readonly [string, ...string[]];
  readonly scheme: string;
  readonly signingTime: "wall" | "virtual";
  /** Whether the status of a refusal has to be the expected one too. */
  readonly exactStatus: boolean;
}

/** Signs as one scheme does. Only `standard` and `stripe` date the signature and take several secrets. */
export type ProbeSigner = (
  request: Unsigned,
  secrets: readonly string[],
) => { readonly headers: Readonly<Record<string, string>>; readonly url?: string };

export interface ProbeRow {
  readonly case: string;
  readonly about: string;
  readonly expected: "accept" | "reject";
  readonly expectedStatus?: number;
  /** Null when nothing was answered: `detail` says why. */
  readonly status: number | null;
  readonly passed: boolean;
  /** The application's own duty, which no signature library does for it: told, but not counted. */
  readonly advisory?: true;
  readonly detail?: string;
}

export interface ProbeReport {
  readonly url: string;
  readonly scheme: string;
  readonly passed: boolean;
  readonly summary: {
    readonly cases: number;
    readonly passed: number;
    readonly failed: number;
    readonly advisories: number;
  };
  readonly results: readonly ProbeRow[];
}

interface Case {
  readonly name: string;
  readonly about: string;
  readonly expected: "accept" | "reject";
  readonly status?: number;
  readonly advisory?: true;
  /** The request as it is sent; `make` gives a fresh genuine one. */
  build(make: (changes?: Partial<Unsigned>) => Unsigned): Probe;
}

interface Probe {
  readonly request: Unsigned;
  readonly headers: Readonly<Record<string, string>>;
  readonly url?: string;
  /** What is sent instead of the signed body. */
  readonly body?: Buffer;
  /** Sent once before, as it is. */
  readonly twice?: true;
}

export async function probeReceiver(
  target: ProbeTarget,
  signer: ProbeSigner,
  tools: {
    readonly clock: Clock;
    readonly ids: Ids;
    send(request: { url: string; headers: Readonly<Record<string, string>>; body: Buffer }): Promise<Sent>;
  },
): Promise<ProbeReport> {
  const { clock, ids } = tools;
  // Counted: a receiver that remembers ids must not know those of an earlier probe.
  const run = ids.derive("webhook.probe", [target.url]).hex(16);
  const cases = casesFor(target, signer, (name) =>
    ids.fixed("webhook.probe.secret", [name, target.url]).bytes().toString("base64"),
  );
  const results: ProbeRow[] = [];
  for (const [index, current] of cases.entries()) {
    const genuine: Unsigned = {
      id: `msg_probe${run}${String(index).padStart(2, "0")}`,
      method: "POST",
      url: target.url,
      body: Buffer.from(JSON.stringify({ type: "backlot.probe", data: { case: current.name, amount: 1 } })),
      contentType: "application/json",
      at: target.signingTime === "virtual" ? clock.now() : clock.wall(),
    };
    const probe = current.build((changes) => ({ ...genuine, ...changes }));
    const sending = {
      url: probe.url ?? target.url,
      headers: { "content-type": "application/json", "user-agent": "Backlot-Webhooks/1", ...probe.headers },
      body: probe.body ?? probe.request.body,
    };
    if (probe.twice) await tools.send(sending);
    const row = judge(current, await tools.send(sending), target.exactStatus);
    results.push(row);
    if (index === 0 && row.status === null) {
      for (const other of cases.slice(1))
        results.push({
          ...rowOf(other),
          status: null,
          passed: false,
          detail: "not sent: the first request had no answer",
        });
      break;
    }
  }
  return report(target, results);
}

function rowOf({ name, about, expected, status, advisory }: Case): Omit<ProbeRow, "status" | "passed"> {
  return {
    case: name,
    about,
    expected,
    ...(status === undefined ? {} : { expectedStatus: status }),
    ...(advisory ? { advisory } : {}),
  };
}

/** A refusal is a 4xx: a receiver that falls over (5xx) or does not answer has not judged. */
function judge(current: Case, { outcome }: Sent, exactStatus: boolean): ProbeRow {
  const row = rowOf(current);
  if (outcome.tag === "failed")
    return { ...row, status: null, passed: false, detail: `${outcome.reason}: ${outcome.detail}` };
  const { status } = outcome;
  const refused = status >= 400 && status < 500;
  const asExpected = !exactStatus || row.expectedStatus === undefined || row.expectedStatus === status;
  return {
    ...row,
    status,
    passed: current.expected === "accept" ? outcome.tag === "delivered" : refused && asExpected,
  };
}

function report(target: ProbeTarget, results: readonly ProbeRow[]): ProbeReport {
  const counted = results.filter((row) => !row.advisory);
  const passed = counted.filter((row) => row.passed).length;
  return {
    url: target.url,
    scheme: target.scheme,
    passed: passed === counted.length,
    summary: {
      cases: counted.length,
      passed,
      failed: counted.length - passed,
      advisories: results.filter((row) => row.advisory && !row.passed).length,
    },
    results,
  };
}

function casesFor(target: ProbeTarget, signer: ProbeSigner, other: (name: string) => string): readonly Case[] {
  const own = target.secrets;
  const sign = (request: Unsigned, secrets: readonly string[] = own): Probe => ({
    request,
    ...signer(request, secrets),
  });
  const foreign = own[0].startsWith("whsec_") ? `whsec_${other("foreign")}` : other("foreign");
  const general: Case[] = [
    { name: "genuine", about: "signed as it should be", expected: "accept", build: (make) => sign(make()) },
    {
      name: "unsigned",
      about: "no signature headers",
      expected: "reject",
      status: 401,
      build: (make) => ({ request: make(), headers: {} }),
    },
    {
      name: "tampered-body",
      about: "one byte changed after signing",
      expected: "reject",
      status: 403,
      build(make) {
        const signed = sign(make());
        return {
          ...signed,
          body: Buffer.from(signed.request.body.toString("utf8").replace('"amount":1', '"amount":9')),
        };
      },
    },
    {
      name: "reserialised-body",
      about: "the same JSON with other spacing: verify the bytes, not the parsed body",
      expected: "reject",
      status: 403,
      build(make) {
        const signed = sign(make());
        return {
          ...signed,
          body: Buffer.from(JSON.stringify(JSON.parse(signed.request.body.toString("utf8")), null, 2)),
        };
      },
    },
    {
      name: "wrong-secret",
      about: "signed with somebody else's secret",
      expected: "reject",
      status: 403,
      build: (make) => sign(make(), [foreign]),
    },
  ];
  if (target.scheme === "standard") return [...general, ...datedCases(sign, own, foreign)];
  if (target.scheme === "stripe")
    return [...general, ...datedCases(sign, own, foreign).filter(({ name }) => stripeCases.has(name))];
  return general;
}

/** Stripe's own library looks at the age of a timestamp, not at one in the future, and its scheme has no id. */
const stripeCases: ReadonlySet<string> = new Set(["expired", "edge-past", "edge-future", "rotated", "replayed-id"]);

/** What only a scheme with an id, a timestamp and a list of versions can get wrong. */
function datedCases(
  sign: (request: Unsigned, secrets?: readonly string[]) => Probe,
  own: readonly string[],
  foreign: string,
): readonly Case[] {
  const shifted = (name: string, seconds: number, expected: "accept" | "reject"): Case => ({
    name,
    about: `timestamp ${Math.abs(seconds)} s in the ${seconds < 0 ? "past" : "future"}, correctly signed`,
    expected,
    ...(expected === "reject" ? { status: 401 } : {}),
    build(make) {
      const { at } = make();
      return sign(make({ at: at + seconds * 1_000 }));
    },
  });
  const relisted = (name: string, about: string, list: (entry: string) => string): Case => ({
    name,
    about,
    expected: "reject",
    status: 403,
    build(make) {
      const signed = sign(make());
      return {
        ...signed,
        headers: { ...signed.headers, "webhook-signature": list(signed.headers["webhook-signature"] ?? "") },
      };
    },
  });
  const base64 = (entry: string) => entry.slice(entry.indexOf(",") + 1);
  return [
    shifted("expired", -301, "reject"),
    shifted("future", 305, "reject"), // still too far ahead when a busy receiver looks at it seconds later
    shifted("edge-past", -290, "accept"),
    shifted("edge-future", 290, "accept"),
    {
      name: "tampered-id",
      about: "another webhook-id than the signed one",
      expected: "reject",
      status: 403,
      build(make) {
        const signed = sign(make());
        return { ...signed, headers: { ...signed.headers, "webhook-id": `${signed.request.id}x` } };
      },
    },
    {
      name: "rotated",
      about: "two entries in the list, of which the receiver's secret made one",
      expected: "accept",
      build: (make) => sign(make(), own.length > 1 ? own : [foreign, ...own]),
    },
    relisted("downgraded", "only entries of other versions", (entry) =>
      ["v0", "v2", "v1a"].map((version) => `${version},${base64(entry)}`).join(" "),
    ),
    relisted("wrong-prefix", "the right digest behind sha256=", (entry) => `sha256=${base64(entry)}`),
    relisted("bad-base64", "an entry that is not base64", () => "v1,%%%not-base64%%%"),
    { ...relisted("empty-list", "an empty signature header", () => ""), status: 401 },
    {
      name: "replayed-id",
      about: "the same request twice: the signature holds, so the application must remember the id",
      expected: "reject",
      status: 409,
      advisory: true,
      build: (make) => ({ ...sign(make()), twice: true }),
    },
  ];
}

/** The signers every emulator has; its own schemes come on top. */
export const commonSigners: Readonly<Record<string, ProbeSigner>> = Object.fromEntries(
  Object.entries(commonSchemes).map(([name, sign]) => [
    name,
    (request, secrets) => ({ headers: sign(request, secrets) }),
  ]),
);
