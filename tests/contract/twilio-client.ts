/** The official SDK, unmodified but for where its requests go: it has no option for a base URL. */
import twilio from "twilio";
import RequestClient from "twilio/lib/base/RequestClient.js";
import { type RunningEmulator, startEmulator } from "../../emulators/kernel/start.ts";
import { twilio as emulator } from "../../emulators/twilio/index.ts";
import type { TwilioState } from "../../emulators/twilio/store.ts";

export const start = Date.parse("2025-01-15T12:00:00Z");

export interface TwilioServer extends RunningEmulator<TwilioState> {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  /** An SDK client; by default signed in with the auth token of the main account. */
  client(user?: string, password?: string, options?: ClientOptions): ReturnType<typeof twilio>;
}

interface ClientOptions {
  readonly accountSid?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** How often the SDK's `autoRetry` tries again after 429. Default: it is off. */
  readonly retries?: number;
}

/** A frozen emulator on a free port. */
export async function twilioServer(environment: Record<string, string> = {}): Promise<TwilioServer> {
  const running = await startEmulator(emulator, {
    environment: {
      BACKLOT_TWILIO_PORT: "0",
      BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z",
      BACKLOT_PACE: "1",
      ...environment,
    },
    processEnvironment: {},
  });
  const env = running.environment();
  const url = env.BACKLOT_TWILIO_URL ?? "";
  return {
    ...running,
    url,
    env,
    client: (
      user = env.TWILIO_ACCOUNT_SID ?? "",
      password = env.TWILIO_AUTH_TOKEN ?? "",
      { accountSid, headers, retries } = {},
    ) =>
      twilio(user, password, {
        httpClient: localClient(url, headers ?? {}, retries),
        ...(accountSid === undefined ? {} : { accountSid }),
      }),
  };
}

/** Sends `https://api.twilio.com/…` to the emulator and `https://verify.twilio.com/…` to its `/verify` prefix. */
function localClient(url: string, headers: Readonly<Record<string, string>>, retries?: number): RequestClient {
  const client = new RequestClient(retries === undefined ? {} : { autoRetry: true, maxRetries: retries });
  const send = client.request.bind(client);
  client.request = (options) => {
    const uri = options.uri.replace(/^https:\/\/([a-z-]+)\.twilio\.com/, (_, product: string) =>
      product === "api" ? url : `${url}/${product}`,
    );
    return send({ ...options, uri, headers: { ...options.headers, ...headers } });
  };
  return client;
}

/** A control route of the emulator's own, under `/_backlot/twilio`. */
export async function control(
  server: TwilioServer,
  path: string,
  body?: unknown,
): Promise<{ readonly sid: string; readonly [name: string]: unknown }> {
  const response = await fetch(`${server.url}/_backlot/twilio/${path}`, {
    ...(body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const answered = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${answered}`);
  return JSON.parse(answered);
}
