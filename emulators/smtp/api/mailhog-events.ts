import type { Hono } from "hono";
import { everyReal } from "../../kernel/clock.ts";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer } from "../../kernel/exchange.ts";
import type { SocketRoute } from "../../kernel/site-sockets.ts";
import type { MailState } from "../state.ts";
import { renderMessage } from "../wire/mailhog.ts";

const keepaliveMs = 60_000;

/** MailHog's stream of new messages: indented JSON, each line of it a data line. */
export function mailhogEvents(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  const { state } = runtime;
  app.get("/api/v1/events", (c) => {
    c.env.exchange.note("operation", "GET /api/v1/events");
    const encoder = new TextEncoder();
    let stop = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const send = (text: string) => controller.enqueue(encoder.encode(text));
        send(":\n\n"); // headers go out with the first bytes, and a client waits for them
        const ends = [
          state.feed.listen((event) => {
            const message = event.tag === "new" ? state.message(event.message.id) : undefined;
            if (message === undefined) return;
            const lines = JSON.stringify(renderMessage(message), undefined, 2).split("\n");
            send(`${lines.map((line) => `data: ${line}\n`).join("")}\n`);
          }),
          everyReal(keepaliveMs, () => send("keepalive: \n\n")),
        ];
        stop = () => {
          for (const end of ends) end();
        };
        ends.push(
          state.feed.onClose(() => {
            stop();
            controller.close();
          }),
        );
      },
      cancel: () => stop(),
    });
    return answer(c.env.exchange, 200, body, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  });
}

/** The same over WebSocket: one frame for each new message. */
export function mailhogSocket(runtime: Runtime<MailState>): SocketRoute {
  const { state } = runtime;
  return {
    path: "/api/v2/websocket",
    open(peer) {
      const ends = [
        state.feed.listen((event) => {
          const message = event.tag === "new" ? state.message(event.message.id) : undefined;
          if (message !== undefined) peer.send(JSON.stringify(renderMessage(message)));
        }),
        state.feed.onClose(() => peer.close()),
      ];
      peer.onClose(() => {
        for (const end of ends) end();
      });
    },
  };
}
