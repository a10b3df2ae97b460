import { hash } from "node:crypto";
import type { Runtime } from "../kernel/emulator.ts";
import { Dialogue } from "./domain/transcript.ts";
import { draftOf } from "./intake.ts";
import type { Seed } from "./seed-form.ts";
import type { MailState } from "./state.ts";

const passwordLetters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

export function applySeed(seed: Seed, runtime: Runtime<MailState>): void {
  const { state, ids } = runtime;
  state.setProfile({
    name: seed.serverName,
    auth: seed.auth,
    maxRecipients: seed.maxRecipients,
    retention: seed.retention,
    magicDomains: seed.magicDomains,
  });
  state.setUsers(
    seed.users.map(({ username, password }) => ({
      username,
      password: password ?? ids.fixed("smtp.password", [username]).text(20, passwordLetters),
    })),
  );
  for (const message of seed.messages) {
    const raw = Buffer.from(message.raw.replaceAll(/\r?\n/g, "\r\n"));
    state.add(
      draftOf(runtime, {
        envelope: {
          mailFrom: message.from,
          parameters: undefined,
          recipients: message.to.map((to) => ({ address: to, parameters: undefined })),
          helo: message.helo,
          mechanism: undefined,
          username: undefined,
          secure: false,
        },
        content: { raw, size: raw.length, sha256: hash("sha256", raw, "hex"), spool: undefined },
        receivedAt: Date.parse(message.receivedAt),
        truncated: false,
        remote: "seed",
        transcript: () => new Dialogue(""),
      }),
    );
  }
}
