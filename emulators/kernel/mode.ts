/**
 * The fail-fast switch. In real mode no emulated datum leaves the process: every provider operation is refused with what
 * the real service needs. Real mode that the environment asked for cannot be lowered; what a test raised, it can lower.
 */
import type { RequiredSetting } from "./emulator.ts";
import type { Exchange } from "./exchange.ts";
import type { Settings } from "./settings.ts";

export type ModeName = "mock" | "real";

export interface Mode {
  readonly current: ModeName;
  /** What asked for real mode: `USE_REAL_DATA=true`, `control API`; undefined in mock mode. */
  readonly askedBy: string | undefined;
  raise(): void;
  /** False when the environment asked for real mode, which cannot be lowered. */
  lower(): boolean;
  onChange(listener: (mode: ModeName) => void): void;
}

export function createMode(settings: Settings): Mode {
  let raised = false;
  const listeners: ((mode: ModeName) => void)[] = [];
  const mode: Mode = {
    get current() {
      return raised || settings.realAskedBy !== undefined ? "real" : "mock";
    },
    get askedBy() {
      return settings.realAskedBy ?? (raised ? "PUT /_backlot/mode" : undefined);
    },
    raise() {
      raised = true;
      for (const listener of listeners) listener(mode.current);
    },
    lower() {
      raised = false;
      for (const listener of listeners) listener(mode.current);
      return mode.current === "mock";
    },
    onChange(listener) {
      listeners.push(listener);
    },
  };
  return mode;
}

/** True when one request asks for the real service by header. */
export function asksForReal(exchange: Pick<Exchange, "header">): string | undefined {
  if (exchange.header("x-backlot-mode")?.trim().toLowerCase() === "real") return "X-Backlot-Mode: real";
  const useReal = exchange.header("x-use-real-data")?.trim().toLowerCase();
  if (useReal === "true" || useReal === "1") return `X-Use-Real-Data: ${useReal}`;
  return undefined;
}

export interface Refusal {
  readonly service: string;
  readonly message: string;
  readonly hint: string;
  readonly required: readonly string[];
  /** Names only: values never leave the process. */
  readonly missing: readonly string[];
  readonly docs: string;
  /** A block of environment variables to copy. */
  readonly example: string;
}

export function refusal(
  real: { readonly service: string; readonly required: readonly RequiredSetting[]; readonly docs: string },
  askedBy: string,
  environment: Readonly<Record<string, string | undefined>>,
): Refusal {
  const required = real.required.map((setting) => setting.env);
  const missing = required.filter((env) => !environment[env]);
  return {
    service: real.service,
    message: `Backlot emulates ${real.service} and never answers for the real service, but real mode was asked for (${askedBy}).`,
    hint:
      `Call ${real.service} itself, with ${required.join(", ")} set` +
      `${missing.length > 0 ? ` (not set here: ${missing.join(", ")})` : ""}, or unset what asked for real mode to use the emulator.`,
    required,
    missing,
    docs: real.docs,
    example: real.required.map((setting) => `${setting.env}=${setting.example}`).join("\n"),
  };
}

/** The shape for everything that has no error format of its own. */
export function refusalBody(refused: Refusal): Record<string, unknown> {
  return {
    error: "service_unavailable",
    service: refused.service,
    message: refused.message,
    hint: refused.hint,
    required: refused.required,
    missing: refused.missing,
    docs: refused.docs,
    example: refused.example,
  };
}
