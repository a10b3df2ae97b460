/** `backlot check`: whether the settings can be used and the ports are free, before anything starts. */
import { createServer } from "node:net";
import { definitions } from "../../kernel/setting-definitions.ts";
import type { SettingName, Settings } from "../../kernel/settings.ts";
import type { Loaded } from "../environment-files.ts";
import { askRunning } from "./env.ts";

export async function check(loaded: Loaded): Promise<number> {
  const lines: string[] = [...loaded.doubts];
  for (const problem of loaded.problems)
    lines.push(`${problem.env}=${problem.value} cannot be used: ${problem.allowed}`);
  for (const { env, port, cause } of await takenPorts(loaded.settings))
    lines.push(`${env}=${port} cannot be opened: ${cause}`);
  const hint =
    lines.length > 0 && (await askRunning(loaded.settings))
      ? `A Backlot runs already, at port ${loaded.settings.port}; backlot doctor looks at it.\n`
      : "";
  process.stdout.write(`Read ${["the environment", ...loaded.files].join(", ")}.\n`);
  if (loaded.settings.realAskedBy !== undefined)
    process.stdout.write(
      `Real mode is asked for by ${loaded.settings.realAskedBy}: every provider operation will answer 503.\n`,
    );
  if (lines.length === 0) {
    process.stdout.write("All settings can be used and all ports are free.\n");
    return 0;
  }
  process.stdout.write(
    `${lines.map((line) => `  ${line}`).join("\n")}\n${lines.length} problem${lines.length === 1 ? "" : "s"}.\n${hint}`,
  );
  return 1;
}

export async function takenPorts(settings: Settings): Promise<{ env: string; port: number; cause: string }[]> {
  const taken: { env: string; port: number; cause: string }[] = [];
  const seen = new Map<number, string>();
  for (const name of Object.keys(definitions) as SettingName[]) {
    const { env, group } = definitions[name];
    const port = settings[name];
    if (group !== "Ports" || typeof port !== "number" || port === 0) continue;
    const other = seen.get(port);
    if (other !== undefined) taken.push({ env, port, cause: `${other} has the same port` });
    else {
      seen.set(port, env);
      const cause = await tryPort(settings.host, port);
      if (cause !== undefined) taken.push({ env, port, cause });
    }
  }
  return taken;
}

function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (cause: NodeJS.ErrnoException) =>
      resolve(cause.code === "EADDRINUSE" ? "another program uses it" : cause.message),
    );
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
