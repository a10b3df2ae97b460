/** An emulator in a process or container of its own: waited for, led, and attached again after it was away. */
import { afterReal } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Member } from "./member.ts";

export interface Attached extends Member {
  readonly url: string;
  /** Whether it answered when last asked. */
  readonly up: boolean;
  /** Resolves when it answered for the first time. */
  readonly whenUp: Promise<void>;
  close(): void;
}

const firstRetryMs = 100;
const longestRetryMs = 2_000;
const watchMs = 1_000;

/**
 * Asks `/_backlot/ready` until it answers, with growing pauses, and then keeps watching. `lead` runs each time the
 * emulator appears: it gets the suite's clock and mode before it counts as up.
 */
export function attach(options: {
  readonly name: string;
  readonly title: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly log: Log;
  readonly lead: (member: Member) => Promise<void>;
}): Attached {
  const { name, title, token, log } = options;
  const url = options.url.replace(/\/$/, "");
  const authority = new URL(url);
  const tls = authority.protocol === "https:";
  let up = false;
  let instance = "";
  let pause = firstRetryMs;
  let closed = false;
  let cancel = () => {};
  const firstUp = Promise.withResolvers<void>();
  const member: Member = {
    name,
    title,
    addresses: [
      {
        name: "control",
        scheme: tls ? "https" : "http",
        host: authority.hostname,
        port: Number(authority.port) || (tls ? 443 : 80),
      },
    ],
    request: (method, path, body) =>
      fetch(url + path, {
        method,
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
  const look = async () => {
    try {
      const response = await member.request("GET", "/_backlot/ready");
      if (!response.ok) throw new Error(`ready answered ${response.status}`);
      const ready = (await response.json()) as { readonly instance: string };
      if (!up || ready.instance !== instance) {
        await options.lead(member);
        instance = ready.instance;
        log.info({ service: name, url }, "attached");
      }
      up = true;
      firstUp.resolve();
      pause = firstRetryMs;
    } catch (cause) {
      if (up) log.warn({ service: name, url, cause: String(cause) }, "an attached emulator went away");
      up = false;
      if (instance === "" && pause < longestRetryMs && pause * 2 >= longestRetryMs)
        log.warn(
          { service: name, url, cause: String(cause) },
          "an attached emulator does not answer yet: waiting for it",
        );
      pause = Math.min(pause * 2, longestRetryMs);
    }
    if (!closed) cancel = afterReal(up ? watchMs : pause, () => void look());
  };
  void look();
  return {
    ...member,
    url,
    whenUp: firstUp.promise,
    get up() {
      return up;
    },
    close() {
      closed = true;
      cancel();
    },
  };
}

/** `twilio=http://twilio:4101` pairs by name. */
export function attachments(pairs: readonly string[]): ReadonlyMap<string, string> {
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}
