/** Control routes of the receiver probe. */
import type { Hono } from "hono";
import * as z from "zod";
import type { Sender } from "./delivery.ts";
import type { Egress } from "./egress.ts";
import type { Emulator, KernelEnv, Runtime } from "./emulator.ts";
import type { Endpoint } from "./endpoints.ts";
import { answerJson, type Exchange } from "./exchange.ts";
import { readBody } from "./http/input.ts";
import { secretsOf } from "./outbox-prepare.ts";
import { ControlError } from "./plain-errors.ts";
import { commonSigners, type ProbeSigner, type ProbeTarget, probeReceiver } from "./probe.ts";

/** What reaches a receiver: the same guard and sockets as the dispatcher's. */
export interface ProbeLine {
  readonly egress: Egress;
  readonly sender: Sender;
}

export const EndpointProbe = z.strictObject({
  scheme: z.string().optional(),
  exactStatus: z.boolean().default(false),
});

export const UrlProbe = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  secret: z.string().min(1),
  scheme: z.string().default("standard"),
  signingTime: z.enum(["wall", "virtual"]).default("wall"),
  exactStatus: z.boolean().default(false),
});

const connectMs = 2_000;
const totalMs = 5_000;

export function probeRoutes<State, Seed>(
  control: Hono<KernelEnv>,
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
  line: ProbeLine,
): void {
  const { outbox, journal, clock, ids, mode } = runtime;
  const signers: Record<string, ProbeSigner> = { ...commonSigners };
  for (const scheme of emulator.webhooks ?? [])
    signers[scheme.name] = (request, secrets) => scheme.sign(request, secrets[0] ?? "");

  const probe = async (exchange: Exchange, target: ProbeTarget): Promise<Response> => {
    if (mode.current === "real")
      throw new ControlError(
        409,
        "real_mode",
        "Webhooks are held in real mode, and so is the probe; PUT /_backlot/mode lowers it.",
      );
    const signer = signers[target.scheme];
    if (!signer)
      throw new ControlError(
        400,
        "unknown_scheme",
        `body.scheme: ${target.scheme} is not a scheme of ${emulator.name}; it has ${Object.keys(signers).join(", ")}.`,
      );
    const report = await probeReceiver(target, signer, {
      clock,
      ids,
      send: async ({ url, headers, body }) => {
        const parsed = new URL(url);
        const verdict = await line.egress.check(parsed);
        if (verdict.allowed)
          return line.sender.send({
            method: "POST",
            url: parsed,
            headers,
            body,
            target: verdict.target,
            connectMs,
            totalMs,
          });
        journal.append("egress", undefined, { target: parsed.origin, reason: verdict.reason, by: "probe" });
        return {
          outcome: { tag: "failed", reason: "egress", detail: verdict.reason },
          headers: {},
          body: Buffer.alloc(0),
          bodyBytes: 0,
          wallMs: 0,
        };
      },
    });
    journal.append("control", undefined, { probe: target.url, ...report.summary });
    return answerJson(exchange, 200, report);
  };

  control.post("/_backlot/webhooks/probe", (c) => {
    const { secret, ...input } = readBody(c.env.exchange, UrlProbe);
    return probe(c.env.exchange, { ...input, secrets: [secret] });
  });
  control.post("/_backlot/webhooks/endpoints/:id/probe", (c) => {
    const id = c.req.param("id");
    const endpoint = outbox.endpoints.get(id);
    if (!endpoint) throw noSuchEndpoint(id);
    const { scheme, exactStatus } = readBody(c.env.exchange, EndpointProbe);
    return probe(c.env.exchange, {
      ...targetOf(endpoint, clock.now()),
      scheme: scheme ?? endpoint.schemes[0] ?? "standard",
      exactStatus,
    });
  });
}

function targetOf(endpoint: Endpoint, now: number): Pick<ProbeTarget, "url" | "secrets" | "signingTime"> {
  const { url, signingTime } = endpoint;
  return { url, signingTime, secrets: secretsOf(endpoint, now) };
}

function noSuchEndpoint(id: string): ControlError {
  return new ControlError(
    404,
    "no_such_endpoint",
    `There is no webhook endpoint ${id}; GET /_backlot/webhooks/endpoints lists them.`,
  );
}
