/** The control API as the page uses it: same origin, JSON, the token from this tab's memory. */

export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

export interface Api {
  get<T>(path: string): Promise<T>;
  text(path: string): Promise<string>;
  send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T>;
  blob(path: string): Promise<Blob>;
  /** Where a path of the control API is reached from this page. */
  at(path: string): string;
  /** What the page was served with, until it is drawn; then it is asked for. */
  known(path: string): unknown;
  drawn(): void;
  /** An address for what cannot send a header: the live journal, frames and downloads. Good for a minute. */
  ticketed(address: string): Promise<string>;
  useToken(token: string): void;
  /** Told when the control API asks for a token. */
  onRefused(listener: () => void): void;
}

const tokenKey = "backlot.token";

/** @param base `/_backlot` for the whole console; a part's is below its emulator's. */
export function createApi(base = "/_backlot", answers?: Readonly<Record<string, unknown>>): Api {
  const at = (path: string) => path.replace(/^\/_backlot/, base);
  // Whoever got answers with the page needs no token; to look for one would cost 15 ms before the first paint.
  let token = answers ? "" : (sessionStorage.getItem(tokenKey) ?? "");
  let known = answers ?? {};
  const refused = new Set<() => void>();
  const call = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new ApiError(0, `The suite does not answer (${cause instanceof Error ? cause.message : String(cause)}).`);
    });
    if (response.ok) return response;
    if (response.status === 401) for (const listener of refused) listener();
    throw new ApiError(response.status, messageOf(await response.text(), response.status));
  };
  return {
    at,
    get: async (path) => (await call("GET", at(path))).json(),
    text: async (path) => (await call("GET", at(path))).text(),
    blob: async (path) => (await call("GET", at(path))).blob(),
    async send(method, path, body) {
      const response = await call(method, at(path), body);
      return response.status === 204 ? undefined : response.json();
    },
    known: (path) => known[path],
    drawn() {
      known = {};
    },
    async ticketed(address) {
      if (token === "") return address;
      const issued = await (await call("POST", "/_backlot/events/token")).json();
      return `${address}${address.includes("?") ? "&" : "?"}token=${encodeURIComponent(issued.token)}`;
    },
    useToken(given) {
      token = given;
      sessionStorage.setItem(tokenKey, given);
    },
    onRefused: (listener) => void refused.add(listener),
  };
}

function messageOf(text: string, status: number): string {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "object" && answer !== null && "message" in answer) return String(answer.message);
  } catch {
    // Not JSON: the status says as much as the text would.
  }
  return `The suite answered ${status}.`;
}
