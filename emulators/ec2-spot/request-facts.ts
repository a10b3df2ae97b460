/** What planned faults match a request by: its action, which stands in the body or a header, and what it names. */
import type { RequestFacts } from "../kernel/emulator.ts";
import type { Exchange } from "../kernel/exchange.ts";
import { AwsError } from "./errors.ts";
import { readParameters } from "./query-protocol.ts";
import { serviceOf } from "./service.ts";

/** `RunInstances` and, as the capabilities write it, `ec2:RunInstances`; every parameter's value is a resource's name. */
export function factsOf(exchange: Exchange): RequestFacts {
  const service = serviceOf(exchange);
  if (service === "pricing") return named(service, exchange.header("x-amz-target")?.split(".")[1]);
  if (service === "fis") return named(service, experimentAction(exchange));
  if (service === "other") return {};
  try {
    const { all, text } = readParameters(exchange);
    const values = [...all].filter(([name]) => name !== "Action" && name !== "Version").map(([, value]) => value);
    return { ...named(service, text("Action")), resource: values };
  } catch (cause) {
    if (cause instanceof AwsError) return {}; // unreadable: the route says what is wrong with it
    throw cause;
  }
}

/** REST-JSON: a method and a path. https://docs.aws.amazon.com/fis/latest/APIReference/API_Operations.html */
function experimentAction({ method, target }: Exchange): string | undefined {
  const [, noun, id] = /^\/experiment(Templates|s)(\/[^/?]+)?(?:\?|$)/.exec(target) ?? [];
  if (noun === undefined) return undefined;
  const one = noun === "Templates" ? "ExperimentTemplate" : "Experiment";
  const verbs: Readonly<Record<string, string>> =
    id === undefined
      ? { GET: "List", POST: noun === "Templates" ? "Create" : "Start" }
      : { GET: "Get", DELETE: noun === "Templates" ? "Delete" : "Stop", PATCH: "Update" };
  const verb = verbs[method];
  return verb && `${verb}${one}${verb === "List" ? "s" : ""}`;
}

function named(service: string, action: string | undefined): RequestFacts {
  return action === undefined ? {} : { operation: [action, `${service}:${action}`] };
}
