/** What a planned fault that names no code answers: the code that ARM, or Entra's token endpoint, has for a status. */
type ByStatus = Readonly<Record<number, string>> & { readonly 400: string; readonly 500: string };

/** https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors */
const arm: ByStatus = {
  400: "BadRequest",
  401: "InvalidAuthenticationToken",
  403: "AuthorizationFailed",
  404: "NotFound",
  409: "Conflict",
  412: "PreconditionFailed",
  429: "TooManyRequests",
  500: "InternalServerError",
  502: "BadGateway",
  503: "ServiceUnavailable",
  504: "GatewayTimeout",
};

/** RFC 6749 5.2 and 4.1.2.1, as Entra answers: server_error and temporarily_unavailable for what is its own. */
const token: ByStatus = {
  400: "invalid_request",
  401: "invalid_client",
  403: "unauthorized_client",
  429: "temporarily_unavailable",
  500: "server_error",
  503: "temporarily_unavailable",
};

const of = (table: ByStatus, status: number) => table[status] ?? (status >= 500 ? table[500] : table[400]);

export const armCode = (status: number): string => of(arm, status);

/** OAuth's word for the error, and the AADSTS numbers. A code that is a number is Entra's, any other OAuth's. */
export function tokenCode(status: number, asked: string | number | undefined): { error: string; numbers: number[] } {
  const number = /^(?:AADSTS)?(\d+)$/.exec(String(asked ?? ""))?.[1];
  if (number !== undefined) return { error: of(token, status), numbers: [Number(number)] };
  return { error: asked === undefined ? of(token, status) : String(asked), numbers: [] };
}
