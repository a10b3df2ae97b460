import { connect } from "node:net";
import { afterReal } from "../kernel/clock.ts";
import type { HealthCheck, Runtime } from "../kernel/emulator.ts";
import type { MailState, OpenListener } from "./state.ts";

const patienceMs = 2000;

export const health: readonly HealthCheck<MailState>[] = [
  {
    name: "smtp-listeners",
    check: (runtime) =>
      Promise.all([...runtime.state.listeners].map((listener) => greets(runtime, listener))).then(() => {}),
    hint: "See whether another process holds the ports in BACKLOT_SMTP_PORT, BACKLOT_SMTP_STARTTLS_PORT and BACKLOT_SMTPS_PORT",
  },
  {
    name: "smtp-store",
    check(runtime) {
      runtime.state.count();
    },
    hint: "See whether BACKLOT_DATA_DIR is on a disk with space left and belongs to this user",
  },
];

/** Connects and waits for the greeting; where TLS comes first, or real mode refuses, that it listens is enough. */
function greets(runtime: Runtime<MailState>, listener: OpenListener): Promise<void> {
  if (!listener.listening())
    return Promise.reject(new Error(`${listener.name} no longer listens on port ${listener.port}`));
  if (listener.implicitTls || runtime.mode.current === "real") return Promise.resolve();
  return new Promise((resolve, reject) => {
    const everywhere = listener.host === "0.0.0.0" || listener.host === "::";
    const socket = connect(listener.port, everywhere ? "127.0.0.1" : listener.host);
    const finish = (problem?: string) => {
      disarm();
      socket.destroy();
      if (problem === undefined) resolve();
      else reject(new Error(`${listener.name} on port ${listener.port}: ${problem}`));
    };
    const disarm = afterReal(patienceMs, () => finish(`no greeting within ${patienceMs} ms`));
    socket.once("error", (cause) => finish(cause.message));
    socket.once("data", (bytes) => {
      const greeting = bytes.toString("latin1");
      finish(greeting.startsWith("220 ") ? undefined : `greeted with ${greeting.trim()}`);
    });
  });
}
