/** From a request to its operation. */
import type { Runtime } from "../../kernel/emulator.ts";
import { answerJson, type Exchange } from "../../kernel/exchange.ts";
import { reject } from "../errors.ts";
import { callerOf, regionOf } from "../identity.ts";
import { readParameters, refuseUnknown } from "../query-protocol.ts";
import type { Seals } from "../seals.ts";
import { serviceOf } from "../service.ts";
import type { SpotStore } from "../store.ts";
import { requestId } from "../wire/xml.ts";
import type { Operation } from "./operation.ts";
import { ec2Operations } from "./operations.ts";
import { assumeRole, getCallerIdentity } from "./sts.ts";
import { assumeRoleWithWebIdentity, getAccessKeyInfo, getFederationToken, getSessionToken } from "./sts-sessions.ts";

export const operations: readonly Operation[] = [
  ...ec2Operations,
  assumeRole,
  getCallerIdentity,
  getSessionToken,
  getFederationToken,
  assumeRoleWithWebIdentity,
  getAccessKeyInfo,
];

const byName: ReadonlyMap<string, Operation> = new Map(
  operations.map((operation) => [`${operation.service}/${operation.action}`, operation]),
);

export function dispatch(runtime: Runtime<SpotStore>, seals: Seals, exchange: Exchange): Response | Promise<Response> {
  const service = serviceOf(exchange);
  if (service === "pricing") return price(runtime, seals, exchange);
  if (service === "other" || service === "fis") return absentService(runtime, exchange);
  const parameters = readParameters(exchange);
  const action = parameters.text("Action");
  if (!action) return reject("missingAction");
  exchange.note("operation", action);
  const version = parameters.text("Version");
  if (service === "ec2" && version !== undefined && !/^20\d\d-\d\d-\d\d$/.test(version))
    reject("noSuchVersion", version);
  const operation = byName.get(`${service}/${action}`);
  const configured = runtime.state.settings();
  const settings = operation?.unsigned ? { ...configured, signatures: "lenient" as const } : configured;
  const caller = callerOf({ exchange, service, store: runtime.state, seals, wall: runtime.clock.wall() }, settings);
  exchange.note("account", caller.account.id);
  const region = regionOf(exchange, caller, settings);
  if (!operation) {
    exchange.note("absent", `Backlot does not emulate ${service}:${action}`);
    runtime.log.warn({ service, action }, "an operation that Backlot does not emulate was called");
    return service === "ec2"
      ? reject("invalidAction", action)
      : reject("invalidActionVersion", action, version ?? "2011-06-15");
  }
  if (service === "ec2") refuseUnknown(parameters, operation.parameters);
  return operation.run({ runtime, exchange, parameters, caller, region, seals });
}

/** Loaded on first use: most runs never ask for a price list. */
async function price(runtime: Runtime<SpotStore>, seals: Seals, exchange: Exchange): Promise<Response> {
  const { dispatchPricing } = await import("./pricing.ts");
  return dispatchPricing(runtime, seals, exchange);
}

/** JSON services that share the address: the answer is in the shape their SDKs can read. */
function absentService(runtime: Runtime<SpotStore>, exchange: Exchange): Response {
  const asked = exchange.header("x-amz-target") ?? exchange.header("authorization")?.split("/")[3] ?? "this service";
  exchange.note("absent", `Backlot does not emulate ${asked}`);
  runtime.log.warn({ asked }, "a service that Backlot does not emulate was called");
  return answerJson(
    exchange,
    400,
    { __type: "UnknownOperationException", message: `Backlot does not emulate ${asked}.` },
    {
      "content-type": "application/x-amz-json-1.1",
      "x-amzn-requestid": requestId(exchange.id),
      "x-amzn-errortype": "UnknownOperationException",
    },
  );
}
