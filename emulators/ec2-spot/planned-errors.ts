/** What a planned fault that names no code answers: the code that each service has for a status. */
import type { Service } from "./service.ts";

interface GeneralError {
  readonly code: string;
  readonly message: string;
}

type ByStatus = Readonly<Record<number, GeneralError>> & { readonly 400: GeneralError; readonly 500: GeneralError };

const rate = "Rate exceeded";

/** Common errors of the API references: AWSEC2 errors-overview, STS CommonErrors, awsaccountbilling and FIS APIReference. */
const general: Readonly<Record<Service | "other", ByStatus>> = {
  ec2: {
    400: { code: "InvalidRequest", message: "The request is not valid." },
    401: { code: "AuthFailure", message: "AWS was not able to validate the provided access credentials" },
    403: { code: "UnauthorizedOperation", message: "You are not authorized to perform this operation." },
    412: { code: "DryRunOperation", message: "Request would have succeeded, but DryRun flag is set." },
    429: { code: "RequestLimitExceeded", message: "Request limit exceeded." },
    500: { code: "InternalError", message: "An internal error has occurred" },
    503: { code: "Unavailable", message: "The server is overloaded and can't handle the request." },
  },
  sts: {
    400: {
      code: "ValidationError",
      message: "The input fails to satisfy the constraints specified by an AWS service.",
    },
    403: { code: "AccessDenied", message: "Access denied" },
    429: { code: "Throttling", message: rate },
    500: { code: "InternalFailure", message: "The request processing has failed because of an unknown error." },
    503: { code: "ServiceUnavailable", message: "The request has failed due to a temporary failure of the server." },
  },
  pricing: {
    400: { code: "InvalidParameterException", message: "One or more parameters had an invalid value." },
    403: { code: "AccessDeniedException", message: "You do not have sufficient access to perform this action." },
    404: { code: "NotFoundException", message: "The requested resource can't be found." },
    429: { code: "ThrottlingException", message: rate },
    500: { code: "InternalErrorException", message: "An error on the server occurred during the processing." },
    503: { code: "ServiceUnavailable", message: "The request has failed due to a temporary failure of the server." },
  },
  fis: {
    400: { code: "ValidationException", message: "The specified input is not valid." },
    402: { code: "ServiceQuotaExceededException", message: "You have exceeded your service quota." },
    403: { code: "AccessDeniedException", message: "You do not have sufficient access to perform this action." },
    404: { code: "ResourceNotFoundException", message: "The specified resource cannot be found." },
    409: { code: "ConflictException", message: "The request could not be processed because of a conflict." },
    429: { code: "ThrottlingException", message: rate },
    500: { code: "InternalServerException", message: "The request failed because of an internal error." },
    503: { code: "ServiceUnavailable", message: "The request has failed due to a temporary failure of the server." },
  },
  other: {
    400: { code: "ValidationException", message: "The input fails to satisfy the constraints specified." },
    500: { code: "InternalFailure", message: "The request processing has failed because of an unknown error." },
  },
};

export function generalError(service: Service | "other", status: number): GeneralError {
  const known = general[service];
  return known[status] ?? (status >= 500 ? known[500] : known[400]);
}

/** The text that goes with a code, where it is one of the general ones. */
export function generalText(service: Service | "other", code: string): string | undefined {
  return Object.values(general[service]).find((one) => one.code === code)?.message;
}
