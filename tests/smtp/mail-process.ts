import { freePorts, start } from "../support/command.ts";

/** The mail server as a process of its own, as `backlot up --only smtp` starts it; ends with the test at the latest. */
export async function startMailProcess(environment: Record<string, string>) {
  const backlot = start(["up", "--json", "--only", "smtp"], {
    env: { ...freePorts, BACKLOT_LOG_LEVEL: "error", ...environment },
  });
  const { services } = JSON.parse(await backlot.line()) as {
    services: { smtp: { port: number; url: string } };
  };
  const { pid } = backlot.child;
  if (pid === undefined) throw new Error("the process has no id");
  return {
    ...services.smtp,
    pid,
    /** Answers with the exit code. */
    async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
      backlot.child.kill(signal);
      return (await backlot.finished).code;
    },
  };
}
