/** How each service refuses to be the real thing: asked while real mode is raised for a moment. */
import { connect } from "node:net";
import { afterReal } from "../../kernel/clock.ts";
import type { Suite } from "../suite.ts";
import type { Artefact } from "./artefact.ts";
import { canonicalJson } from "./canonical.ts";
import { clientEnvironment } from "./run-facts.ts";

const http: Readonly<Record<string, string>> = {
  twilio: "/2010-04-01/Accounts.json",
  "azure-policyinsights": "/subscriptions?api-version=2022-12-01",
  "ec2-spot": "/?Action=DescribeRegions&Version=2016-11-15",
  smtp: "/api/v2/messages",
};

export async function failFast(suite: Suite, places: (text: string) => string): Promise<readonly Artefact[]> {
  const { services } = suite;
  const bases: Readonly<Record<string, string | undefined>> = {
    twilio: services.twilio?.url,
    "azure-policyinsights": services["azure-policyinsights"]?.httpUrl,
    "ec2-spot": services["ec2-spot"]?.url,
    smtp: services.smtp?.url,
  };
  // Of an emulator in another process only the control API's address is known here; its clients are told the rest.
  const { SMTP_HOST = "", SMTP_PORT = "" } = await clientEnvironment(suite);
  const samples = new Map<string, Record<string, unknown>>();
  await suite.control("PUT", "/_backlot/mode", { mode: "real" });
  try {
    for (const { name } of suite.members) {
      const [base, path] = [bases[name], http[name]];
      if (!base || path === undefined) continue;
      const response = await fetch(base + path);
      samples.set(name, {
        request: `GET ${path}`,
        status: response.status,
        contentType: response.headers.get("content-type"),
        body: (await response.text()).replace(
          /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g,
          "(request id)",
        ),
        ...(name === "smtp" ? { greeting: await greeting(SMTP_HOST, Number(SMTP_PORT)) } : {}),
        upstreamConnections: suite.gateway?.ledger.totals.allowed ?? 0,
      });
    }
  } finally {
    await suite.control("PUT", "/_backlot/mode", { mode: "mock" });
  }
  return [...samples].map(([service, sample]) => ({
    path: `realmode/${service}.json`,
    class: "norm" as const,
    mediaType: "application/json",
    about: `How ${service} refuses real mode`,
    bytes: Buffer.from(places(canonicalJson({ service, ...sample }))),
  }));
}

/** The first line a mail server says. */
function greeting(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    const cancel = afterReal(5_000, () => socket.destroy(new Error("no greeting within 5 s")));
    let heard = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      heard += chunk;
      if (!heard.includes("\n")) return;
      cancel();
      socket.destroy();
      resolve(heard.trim());
    });
    socket.on("error", reject);
  });
}
