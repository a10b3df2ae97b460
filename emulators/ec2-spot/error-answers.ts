/** Errors in the shape of the service that was asked: XML of the two query services, JSON of the others. */
import type { ProviderErrors } from "../kernel/emulator.ts";
import { answer, type Exchange } from "../kernel/exchange.ts";
import { faultMessage } from "../kernel/refusals.ts";
import { AwsError, fixedText } from "./errors.ts";
import { generalError, generalText } from "./planned-errors.ts";
import { serviceOf } from "./service.ts";
import { type Failure, failureXml, requestId } from "./wire/xml.ts";

function fail(
  exchange: Exchange,
  status: number,
  failure: Failure,
  headers?: Readonly<Record<string, string>>,
): Response {
  const named = serviceOf(exchange);
  if (named !== "ec2" && named !== "sts") return failJson(exchange, status, failure, headers);
  const service = named;
  return answer(exchange, status, failureXml(service, failure, exchange.id), {
    "content-type": service === "sts" ? "text/xml" : "text/xml;charset=UTF-8",
    "x-amzn-requestid": requestId(exchange.id),
    ...headers,
  });
}

/** Both JSON protocols read the code from the header; JSON 1.1 also writes it in the body. */
function failJson(
  exchange: Exchange,
  status: number,
  failure: Failure,
  headers?: Readonly<Record<string, string>>,
): Response {
  const rest = serviceOf(exchange) === "fis";
  return answer(
    exchange,
    status,
    JSON.stringify(rest ? { message: failure.message } : { __type: failure.code, message: failure.message }),
    {
      "content-type": rest ? "application/json" : "application/x-amz-json-1.1",
      "x-amzn-requestid": requestId(exchange.id),
      "x-amzn-errortype": failure.code,
      ...headers,
    },
  );
}

/** EC2 answers its limit with 503; the other query service and JSON 1.1 with 400, REST-JSON with 429. */
const throttledStatus = { ec2: 503, sts: 400, pricing: 400, fis: 429, other: 400 } as const;
const server = { fault: "Receiver" } as const;
const sender = { fault: "Sender" } as const;

export const awsErrors: ProviderErrors = {
  notFound: (exchange) =>
    fail(exchange, 404, {
      ...sender,
      code: "InvalidAction",
      message: `${exchange.target.split("?")[0]} is no path of this web service; send queries to /`,
    }),
  methodNotAllowed: (exchange, allowed) =>
    fail(
      exchange,
      405,
      { ...sender, code: "MethodNotAllowed", message: `Use ${allowed.join(" or ")}.` },
      { allow: allowed.join(", ") },
    ),
  tooLarge: (exchange, limit) =>
    fail(
      exchange,
      413,
      { ...sender, code: "RequestEntityTooLarge", message: `The request is larger than ${limit} bytes.` },
      { connection: "close" },
    ),
  throttled(exchange, seconds) {
    const service = serviceOf(exchange);
    return fail(
      exchange,
      throttledStatus[service],
      { ...(service === "ec2" ? server : sender), ...generalError(service, 429) },
      { "retry-after": String(seconds) },
    );
  },
  unavailable: (exchange, refused) =>
    fail(exchange, 503, {
      ...server,
      code: "ServiceUnavailable",
      message:
        `${refused.message} ${refused.hint} Required: ${refused.required.join(", ")}; missing: ${refused.missing.join(", ") || "none"}. ` +
        `Docs: ${refused.docs}. Example: ${refused.example.replaceAll("\n", "; ")}`,
    }),
  unexpected: (exchange, incident) =>
    fail(exchange, 500, {
      ...server,
      code: "InternalError",
      message: `An internal error has occurred (incident ${incident}).`,
    }),
  fault(exchange, { status, code, message }) {
    const service = serviceOf(exchange);
    const asked = code === undefined ? generalError(service, status).code : String(code);
    return fail(exchange, status, {
      ...(status >= 500 ? server : sender),
      code: asked,
      message: message ?? generalText(service, asked) ?? fixedText(asked) ?? faultMessage(status),
    });
  },
  thrown: (exchange, cause) =>
    cause instanceof AwsError
      ? fail(exchange, cause.status, {
          fault: cause.status >= 500 ? "Receiver" : "Sender",
          code: cause.code,
          message: cause.message,
        })
      : undefined,
};
