import type { SecureContext } from "node:tls";
import type { SMTPServerOptions } from "smtp-server";
import type { Certificates } from "../kernel/certificates.ts";
import { afterReal } from "../kernel/clock.ts";
import type { Listener, Runtime } from "../kernel/emulator.ts";
import { ListenError } from "../kernel/serve.ts";
import { definitions } from "../kernel/setting-definitions.ts";
import { defaultProfile, type ServerProfile } from "./domain/message.ts";
import { planned } from "./protocol/faults.ts";
import { sessionHandlers } from "./protocol/handlers.ts";
import { MailServer } from "./protocol/server.ts";
import { refusalText, refusedNow } from "./real.ts";
import type { MailState, OpenListener } from "./state.ts";

type Transport = "plain" | "starttls" | "implicit";

const settingOf = {
  plain: definitions.smtpPort.env,
  starttls: definitions.smtpStarttlsPort.env,
  implicit: definitions.smtpsPort.env,
} as const satisfies Record<Transport, string>;

/** Real servers allow five minutes of silence (RFC 5321 4.5.3.2). */
const idleMs = 300_000;
const mostClients = 1000;

export const listeners: readonly Listener<MailState>[] = [
  { name: "smtp", setting: "smtpPort", open: (runtime, bind) => openListener("smtp", "plain", runtime, bind) },
  {
    name: "smtp-starttls",
    setting: "smtpStarttlsPort",
    open: (runtime, bind) => openListener("smtp-starttls", "starttls", runtime, bind),
  },
  { name: "smtps", setting: "smtpsPort", open: (runtime, bind) => openListener("smtps", "implicit", runtime, bind) },
];

type Bind = Parameters<Listener<MailState>["open"]>[1];
type Opened = Awaited<ReturnType<Listener<MailState>["open"]>>;

async function openListener(
  name: string,
  transport: Transport,
  runtime: Runtime<MailState>,
  bind: Bind,
): Promise<Opened> {
  const { receive, ...handlers } = sessionHandlers(runtime, name, () => server);
  const options: SMTPServerOptions = { ...serverOptions(runtime, transport, bind), ...handlers };
  const server: MailServer = new MailServer(options, {
    receive,
    profile: () => ({ id: sessionId(runtime, name), server: serverProfile(runtime) }),
    refusal() {
      const refused = refusedNow(runtime);
      return refused && refusalText(refused, runtime.mode.askedBy ?? "real mode");
    },
    plannedFor(connection, stage, verb) {
      if (!runtime.faults.active) return undefined;
      const { mailFrom, rcptTo } = connection.session.envelope;
      const from = mailFrom ? mailFrom.address : "";
      const to = rcptTo.map(({ address }) => address);
      switch (stage) {
        case "helo":
        case "starttls":
          return planned(runtime, connection, stage, {}, [connection.helo]);
        case "command":
          return planned(runtime, connection, stage, { verb }, [verb ?? "", connection.helo, from]);
        case "data":
          return planned(runtime, connection, stage, { from, to }, [from, ...to]);
      }
    },
    challengeOf: (session, host) =>
      `<${runtime.ids.fixed("smtp.cram-md5", [session]).hex(32)}.${Math.floor(runtime.clock.now() / 1000)}@${host}>`,
  });
  // Clients that connect by address send no server name; without this they would get the library's expired certificate.
  if (transport !== "plain") server.secureContext.set("*", bind.certificates.contextFor(undefined));
  const port = await listen(server, bind, settingOf[transport]);
  server.on("error", (cause) => runtime.log.debug({ listener: name, cause: cause.message }, "smtp connection failed"));
  const entry: OpenListener = {
    name,
    host: bind.host,
    port,
    implicitTls: transport === "implicit",
    listening: () => server.server.listening,
  };
  runtime.state.listeners.add(entry);
  return {
    port,
    async close(deadlineMs) {
      runtime.state.listeners.delete(entry);
      runtime.state.searcher.close();
      runtime.state.feed.close();
      server.options.closeTimeout = Math.max(1, deadlineMs);
      const closed = new Promise<void>((resolve) => server.close(resolve));
      server.dismissIdle();
      const disarm = afterReal(deadlineMs, () => server.destroyAll());
      await closed;
      disarm();
      server.destroyAll();
    },
  };
}

function serverOptions(runtime: Runtime<MailState>, transport: Transport, bind: Bind): SMTPServerOptions {
  const unused = ["WIZ", "SHELL", "KILL", "XCLIENT", "XFORWARD"];
  return {
    name: defaultProfile.name,
    banner: "Backlot",
    heloResponse: "%s greets %s",
    secure: transport === "implicit",
    disabledCommands: transport === "plain" ? [...unused, "STARTTLS"] : unused,
    authMethods: ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"],
    authOptional: true, // whether it is demanded is the seed's to say, and is asked at MAIL
    hideENHANCEDSTATUSCODES: false,
    hideDSN: false,
    size: runtime.settings.mailSizeLimit,
    maxClients: mostClients,
    socketTimeout: idleMs,
    disableReverseLookup: true,
    minVersion: "TLSv1.2",
    ...(transport === "plain" ? {} : { SNICallback: sniCallback(bind.certificates) }),
  };
}

function sniCallback(certificates: Certificates) {
  return (name: string, done: (cause: Error | null, context?: SecureContext) => void) => {
    try {
      done(null, certificates.contextFor(name === "" ? undefined : name));
    } catch (cause) {
      done(cause instanceof Error ? cause : new Error(String(cause)));
    }
  };
}

/** In real mode nothing is counted: the state is left alone. */
function sessionId(runtime: Runtime<MailState>, listener: string): string {
  const { ids, mode } = runtime;
  const id = mode.current === "real" ? ids.fixed("smtp.refused", [listener]) : ids.derive("smtp.session", [listener]);
  return id.hex(16);
}

function serverProfile(runtime: Runtime<MailState>): ServerProfile {
  return (runtime.mode.current === "real" ? undefined : runtime.state.profile()) ?? defaultProfile;
}

function listen(server: MailServer, { host, port }: Bind, setting: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const refused = (cause: NodeJS.ErrnoException) => reject(new ListenError({ host, port, setting }, cause));
    server.once("error", refused);
    server.listen(port, host, () => {
      server.off("error", refused);
      const address = server.server.address();
      resolve(address !== null && typeof address === "object" ? address.port : port);
    });
  });
}
