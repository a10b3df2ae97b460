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
import { describeInstanceTypes } from "./instance-types.ts";
import type { Operation } from "./operation.ts";
import { describeAvailabilityZones, describeRegions } from "./places.ts";
import { describeSpotPriceHistory } from "./spot-price-history.ts";
import { assumeRole, getCallerIdentity } from "./sts.ts";

export const operations: readonly Operation[] = [
  describeSpotPriceHistory,
  describeAvailabilityZones,
  describeRegions,
  describeInstanceTypes,
  assumeRole,
  getCallerIdentity,
];

const byName: ReadonlyMap<string, Operation> = new Map(
  operations.map((operation) => [`${operation.service}/${operation.action}`, operation]),
);

export function dispatch(runtime: Runtime<SpotStore>, seals: Seals, exchange: Exchange): Response {
  const target = exchange.header("x-amz-target");
  const service = serviceOf(exchange);
  if (service === "other" || target !== undefined) return absentService(runtime, exchange, target);
  const parameters = readParameters(exchange);
  const action = parameters.text("Action");
  if (!action) return reject("missingAction");
  exchange.note("operation", action);
  const version = parameters.text("Version");
  if (service === "ec2" && version !== undefined && !/^20\d\d-\d\d-\d\d$/.test(version))
    reject("noSuchVersion", version);
  const settings = runtime.state.settings();
  const caller = callerOf({ exchange, service, store: runtime.state, seals, wall: runtime.clock.wall() }, settings);
  exchange.note("account", caller.account.id);
  const region = regionOf(exchange, caller, settings);
  const operation = byName.get(`${service}/${action}`);
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

/** JSON services that share the address: the answer is in the shape their SDKs can read. */
function absentService(runtime: Runtime<SpotStore>, exchange: Exchange, target: string | undefined): Response {
  const asked = target ?? exchange.header("authorization")?.split("/")[3] ?? "this service";
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
