import { startEmulator } from "../../emulators/kernel/start.ts";
import { smtp } from "../../emulators/smtp/index.ts";

export async function mailServer(environment: Record<string, string> = {}) {
  const running = await startEmulator(smtp, {
    environment: {
      BACKLOT_SMTP_PORT: "0",
      BACKLOT_MAIL_PORT: "0",
      BACKLOT_LOG_LEVEL: "silent",
      BACKLOT_PACE: "1",
      BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z",
      ...environment,
    },
  });
  const portOf = (name: string): number => {
    const port = running.addresses.find((address) => address.name === name)?.port;
    if (port === undefined) throw new Error(`${name} is not open`);
    return port;
  };
  const url = `http://127.0.0.1:${portOf("mailbox")}`;
  return {
    ...running,
    port: portOf("smtp"),
    portOf,
    url,
    async raw(id: string): Promise<Buffer> {
      const response = await fetch(`${url}/_backlot/smtp/messages/${id}/raw`);
      if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
      return Buffer.from(await response.arrayBuffer());
    },
    async json(path: string): Promise<unknown> {
      return (await fetch(url + path)).json();
    },
  };
}
