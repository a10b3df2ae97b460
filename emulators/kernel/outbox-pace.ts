/**
 * How fast webhooks go out. Clients come first: while they send requests, webhooks leave in small groups with pauses
 * between them, so that most requests meet an idle process; otherwise as fast as the process can, with a look at the
 * sockets between groups.
 */
import { afterReal, stopwatch } from "./clock.ts";

export interface Pace {
  /** Whether one more may start; when not, `resume` is called as soon as it may. */
  grant(): boolean;
  close(): void;
}

const group = 16;
const groupBesideClients = 4;
const pauseBesideClientsMs = 10;

export function createPace(options: { readonly busy: () => boolean; readonly resume: () => void }): Pace {
  let left = 0;
  let pausing = false;
  let refused = false;
  let cancel = () => {};
  const open = () => {
    pausing = false;
    if (!refused) return;
    refused = false;
    options.resume();
  };
  return {
    grant() {
      if (!pausing) {
        const busy = options.busy();
        left = busy ? groupBesideClients : group;
        pausing = true;
        if (busy) cancel = afterReal(pauseBesideClientsMs, open);
        else setImmediate(open);
      }
      if (left === 0) {
        refused = true;
        return false;
      }
      left -= 1;
      return true;
    },
    close: () => cancel(),
  };
}

/** Whether clients were here just now. */
export interface Traffic {
  /** A gate of the pipeline: notes the request and lets it pass. */
  readonly seen: () => undefined;
  readonly recent: boolean;
}

const recentMs = 50;

export function createTraffic(): Traffic {
  let since: (() => number) | undefined;
  return {
    seen: () => {
      since = stopwatch();
      return undefined;
    },
    get recent() {
      return since !== undefined && since() < recentMs;
    },
  };
}
