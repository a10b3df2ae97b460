/** Starts the example emulator for kernel tests; everything is closed when the test ends. */
import { onTestFinished } from "vitest";
import { type RunningEmulator, type StartOptions, startEmulator } from "../../emulators/kernel/start.ts";
import { example } from "./example-emulator.ts";

export const noon = Date.parse("2025-01-15T12:00:00Z");

export interface Example {
  readonly emulator: RunningEmulator;
  readonly url: string;
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: unknown; headers: Headers }>;
  note(text: string): Promise<string>;
}

export async function startExample(
  environment: Record<string, string> = {},
  options: Omit<StartOptions, "environment"> = {},
): Promise<Example> {
  const emulator = await startEmulator(example, {
    ...options,
    environment: {
      BACKLOT_TWILIO_PORT: "0",
      BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z",
      BACKLOT_PACE: "1",
      BACKLOT_LOG_LEVEL: "silent",
      ...environment,
    },
  });
  let closed: Promise<void> | undefined;
  const closing = {
    ...emulator,
    close() {
      closed ??= emulator.close();
      return closed;
    },
  };
  onTestFinished(() => closing.close());
  const url = `http://127.0.0.1:${emulator.addresses[0]?.port}`;
  const call: Example["call"] = async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: /[/+]json/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : text,
    };
  };
  return {
    emulator: closing,
    url,
    call,
    note: async (text) => ((await call("POST", "/notes", { text })).body as { id: string }).id,
  };
}
