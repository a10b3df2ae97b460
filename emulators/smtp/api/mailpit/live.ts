import type { SocketPeer, SocketRoute } from "../../../kernel/site-sockets.ts";
import type { MailboxEvent } from "../../feed.ts";
import { spokenVersion } from "./about.ts";
import { type MailRuntime, summaryOf } from "./context.ts";

/** Mailpit's WebSocket: `{Type, Data}` for what happens to a message, and the totals after it. */
export function mailpitSocket(runtime: MailRuntime): SocketRoute {
  return { path: "/api/events", open: (peer) => show(runtime, peer) };
}

function show(runtime: MailRuntime, peer: SocketPeer): void {
  const { state, log } = runtime;
  const tell = (type: string, data: unknown) => peer.send(JSON.stringify({ Type: type, Data: data }));
  let last = Promise.resolve();
  let told = 0;
  /** In the order in which it happened, though a new message has to be read first. */
  const next = async (event: MailboxEvent, number: number) => {
    const frame = await frameOf(runtime, event);
    if (frame !== undefined) tell(...frame);
    // Of many events in one go only the last is followed by the totals.
    if (number !== told) return;
    const total = state.count();
    tell("stats", { Total: total, Unread: total - state.readCount(), Version: spokenVersion });
  };
  const ends = [
    state.feed.listen((event) => {
      told += 1;
      const number = told;
      last = last
        .then(() => next(event, number))
        .catch((cause: unknown) => log.warn({ cause: String(cause) }, "a mailbox event could not be shown"));
    }),
    state.feed.onClose(() => peer.close()),
  ];
  peer.onClose(() => {
    for (const end of ends) end();
  });
}

async function frameOf(
  runtime: MailRuntime,
  event: MailboxEvent,
): Promise<readonly [type: string, data: unknown] | undefined> {
  switch (event.tag) {
    case "new":
      return runtime.state.has(event.message.id) ? ["new", await summaryOf(runtime, event.message)] : undefined;
    case "read":
      return ["update", { ID: event.id, Read: event.read }];
    case "tagged":
      return ["update", { ID: event.id, Tags: event.tags }];
    case "deleted":
      return ["delete", { ID: event.id }];
    case "retagged":
    case "emptied":
      return ["prune", null];
    case "allRead":
      return undefined;
  }
}
