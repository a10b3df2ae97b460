/** `backlot env`: every variable a client needs. Asks the running suite; without one, works it out from the settings. */
import { createCertificatesLazily } from "../../kernel/authority.ts";
import { reachableHost, type Settings } from "../../kernel/settings.ts";
import { clientVariables } from "../client-variables.ts";
import { domains } from "../registry.ts";
import { startSuite } from "../suite.ts";

export type EnvForm = "lines" | "shell" | "json";

export async function env(settings: Settings, form: EnvForm): Promise<number> {
  const running = await askRunning(settings);
  const variables = running ?? (await workOut(settings));
  if (!running)
    process.stderr.write(
      `Backlot does not answer at port ${settings.port ?? "(off)"}: these are the variables it will have once it runs with these settings.\n`,
    );
  process.stdout.write(render(variables, form));
  return 0;
}

/** What the suite of these settings hands out; nothing when none runs. */
export async function askRunning(settings: Settings): Promise<Record<string, string> | undefined> {
  if (settings.port === undefined || settings.port === 0) return undefined;
  try {
    const response = await fetch(`http://${reachableHost(settings.host)}:${settings.port}/_backlot/env`, {
      headers: settings.controlToken === undefined ? {} : { authorization: `Bearer ${settings.controlToken}` },
      signal: AbortSignal.timeout(2_000),
    });
    if (!response.ok) return undefined;
    const { environment } = (await response.json()) as { environment: Record<string, string> };
    return { ...environment, BACKLOT_URL: `http://${reachableHost(settings.host)}:${settings.port}` };
  } catch {
    return undefined; // nothing listens there: the caller says so
  }
}

async function workOut(settings: Settings): Promise<Record<string, string>> {
  const { dataDir: _, ...rest } = settings;
  const suite = await startSuite({ ...rest, dataDir: undefined, logLevel: "silent" }, false);
  const { host, proxyPort } = settings;
  const proxyUrl = proxyPort ? `http://${reachableHost(host)}:${proxyPort}` : undefined; // a free port is not known yet
  const variables = { ...suite.env, ...clientVariables(createCertificatesLazily(settings, domains)(), proxyUrl) };
  await suite.close();
  return variables;
}

function render(variables: Readonly<Record<string, string>>, form: EnvForm): string {
  if (form === "json") return `${JSON.stringify(variables, null, 2)}\n`;
  const quote = (value: string) => (/^[\w@%+=:,./-]*$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`);
  return Object.entries(variables)
    .map(([name, value]) => `${form === "shell" ? "export " : ""}${name}=${quote(value)}\n`)
    .join("");
}
