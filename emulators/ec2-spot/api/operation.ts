/** What every operation is given and what it declares of itself. */
import type { Runtime } from "../../kernel/emulator.ts";
import { answer, type Exchange } from "../../kernel/exchange.ts";
import type { Region } from "../domain/regions.ts";
import { reject } from "../errors.ts";
import type { Caller } from "../identity.ts";
import type { Parameters } from "../query-protocol.ts";
import type { Seals } from "../seals.ts";
import type { SpotStore } from "../store.ts";
import { ec2Envelope, requestId, stsXml } from "../wire/xml.ts";

export interface Call {
  readonly runtime: Runtime<SpotStore>;
  readonly exchange: Exchange;
  readonly parameters: Parameters;
  readonly caller: Caller;
  readonly region: Region;
  readonly seals: Seals;
}

export interface Operation {
  readonly service: "ec2" | "sts";
  readonly action: string;
  /** Wire names without list numbers. EC2 refuses what is not among them; STS ignores it, as it does on AWS. */
  readonly parameters: ReadonlySet<string>;
  /** True where AWS wants no signature, even strictly. */
  readonly unsigned?: boolean;
  run(call: Call): Response;
}

/** Names of parameters, as one text. `Filter` stands for the names and values of filters. */
export function parameterNames(text: string): ReadonlySet<string> {
  return new Set(text.split(" ").flatMap((name) => (name === "Filter" ? ["Filter.Name", "Filter.Value"] : [name])));
}

export function answerEc2(call: Call, action: string, inside: string): Response {
  const [before, after] = ec2Envelope(action, call.exchange.id);
  return answerEc2Body(call, before + inside + after);
}

/** With a body that is complete already. */
export function answerEc2Body({ exchange }: Call, body: string | Buffer): Response {
  return answer(exchange, 200, body, {
    "content-type": "text/xml;charset=UTF-8",
    "x-amzn-requestid": requestId(exchange.id),
  });
}

export function answerSts(call: Call, action: string, inside: string): Response {
  const { exchange } = call;
  return answer(exchange, 200, stsXml(action, inside, exchange.id), {
    "content-type": "text/xml",
    "x-amzn-requestid": requestId(exchange.id),
  });
}

/** After everything else about a request was found right. */
export function stopDryRun({ parameters }: Call): void {
  if (parameters.flag("DryRun")) reject("dryRun");
}
