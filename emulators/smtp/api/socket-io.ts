/**
 * The server's side of Socket.IO 5 over Engine.IO 4 (https://socket.io/docs/v4/engine-io-protocol/), as far as a feed
 * needs it: long polling, WebSocket, and the change from one to the other; the client is told and not asked.
 */
import type { Hono } from "hono";
import { afterReal } from "../../kernel/clock.ts";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../../kernel/exchange.ts";
import type { SocketPeer, SocketRoute } from "../../kernel/site-sockets.ts";

/** Tells everybody who is connected. */
export type Emit = (event: string, ...data: readonly unknown[]) => void;

export interface LiveFeed {
  routes(app: Hono<KernelEnv>): void;
  readonly socket: SocketRoute;
  close(): void;
}

const path = "/socket.io/";
const pingInterval = 25_000;
const pingTimeout = 20_000;
const maxPayload = 1_000_000;
const mostSessions = 1_000;
const mostQueued = 10_000;
const separator = "\x1e";
/** Engine.IO's packet types. */
const [opening, closing, ping, pong, message, upgrade, noop] = ["0", "1", "2", "3", "4", "5", "6"] as const;

const problems = {
  transport: { code: 0, message: "Transport unknown" },
  session: { code: 1, message: "Session ID unknown" },
  bad: { code: 3, message: "Bad request" },
  forbidden: { code: 4, message: "Forbidden" },
  version: { code: 5, message: "Unsupported protocol version" },
} as const;

interface Session {
  readonly id: string;
  /** Has joined the namespace `/`: only then is it told anything. */
  joined: boolean;
  readonly queue: string[];
  /** Ends the poll that waits. */
  wake: (() => void) | undefined;
  peer: SocketPeer | undefined;
  over: boolean;
  stopBeating(): void;
}

/** `newId` names a session. What `watch` begins goes on while there are sessions; it answers how to stop. */
export function createLiveFeed(options: { newId(): string; watch(emit: Emit): () => void }): LiveFeed {
  const sessions = new Map<string, Session>();
  let unwatch: (() => void) | undefined;

  const send = (session: Session, packet: string) => {
    if (session.peer !== undefined) return session.peer.send(packet);
    session.queue.push(packet);
    if (session.queue.length > mostQueued) return end(session);
    session.wake?.();
  };
  const end = (session: Session) => {
    if (session.over) return;
    session.over = true;
    sessions.delete(session.id);
    if (sessions.size === 0) {
      unwatch?.();
      unwatch = undefined;
    }
    session.stopBeating();
    session.wake?.();
    session.peer?.close();
  };
  /** A ping, and the end if no pong follows. */
  const beat = (session: Session) => {
    session.stopBeating = afterReal(pingInterval, () => {
      send(session, ping);
      session.stopBeating = afterReal(pingTimeout, () => end(session));
    });
  };
  const emit: Emit = (event, ...data) => {
    const packet = `42${JSON.stringify([event, ...data])}`;
    for (const session of [...sessions.values()]) if (session.joined) send(session, packet);
  };
  const begin = (peer: SocketPeer | undefined): Session => {
    const session: Session = {
      id: options.newId(),
      joined: false,
      queue: [],
      wake: undefined,
      peer,
      over: false,
      stopBeating: () => {},
    };
    sessions.set(session.id, session);
    unwatch ??= options.watch(emit);
    const upgrades = peer === undefined ? ["websocket"] : [];
    send(session, opening + JSON.stringify({ sid: session.id, upgrades, pingInterval, pingTimeout, maxPayload }));
    beat(session);
    return session;
  };
  const take = (session: Session, packet: string) => {
    switch (packet[0]) {
      case pong:
        session.stopBeating();
        beat(session);
        return;
      case closing:
        end(session);
        return;
      case message:
        // Of Socket.IO's own packets `0` joins and `1` leaves; the namespace `/` is the one that is not named.
        if (/^40(?:\{|$)/.test(packet)) {
          session.joined = true;
          send(session, `40${JSON.stringify({ sid: `${session.id}-0` })}`);
        } else if (packet.startsWith("40")) send(session, `44${namespaceOf(packet)},{"message":"Invalid namespace"}`);
        else if (packet === "41") session.joined = false;
    }
  };

  const poll = async (session: Session): Promise<string> => {
    if (session.queue.length === 0 && !session.over) {
      session.wake?.(); // one poll at a time: an earlier one is over
      const { promise, resolve } = Promise.withResolvers<void>();
      session.wake = resolve;
      await promise;
      session.wake = undefined;
    }
    const packets = session.queue.splice(0);
    return packets.length > 0 ? packets.join(separator) : session.over ? closing : noop;
  };

  const socket: SocketRoute = {
    path,
    open(peer) {
      const known = peer.query.get("sid");
      if (peer.query.get("EIO") !== "4") return peer.close();
      if (known !== null) return change(known, peer);
      if (sessions.size >= mostSessions) return peer.close();
      const session = begin(peer);
      peer.onText((text) => take(session, text));
      peer.onClose(() => end(session));
    },
  };
  /** From polling to WebSocket: it is tried first, and what was queued meanwhile goes over it. */
  const change = (id: string, peer: SocketPeer) => {
    const session = sessions.get(id);
    if (session === undefined || session.peer !== undefined) return peer.close();
    peer.onText((text) => {
      if (text === `${ping}probe`) {
        peer.send(`${pong}probe`);
        session.wake?.(); // the poll that waits ends, or the client would wait for it
      } else if (text === upgrade) {
        session.peer = peer;
        for (const packet of session.queue.splice(0)) peer.send(packet);
        session.wake?.();
      } else take(session, text);
    });
    peer.onClose(() => {
      if (session.peer === peer) end(session);
    });
  };

  return {
    socket,
    routes(app) {
      app.get(path, async (c) => {
        const { exchange } = c.env;
        exchange.note("operation", "GET /socket.io/");
        const query = queryOf(exchange);
        const id = query.get("sid");
        if (query.get("EIO") !== "4") return problem(exchange, "version");
        if (query.get("transport") !== "polling") return problem(exchange, "transport");
        if (id === null && sessions.size >= mostSessions) return problem(exchange, "forbidden");
        const session = id === null ? begin(undefined) : sessions.get(id);
        if (session === undefined) return problem(exchange, "session");
        if (session.peer !== undefined) return problem(exchange, "bad");
        return answer(exchange, 200, await poll(session), { "content-type": "text/plain; charset=UTF-8" });
      });
      app.post(path, (c) => {
        const { exchange } = c.env;
        exchange.note("operation", "POST /socket.io/");
        const session = sessions.get(queryOf(exchange).get("sid") ?? "");
        if (session === undefined) return problem(exchange, "session");
        if (session.peer !== undefined) return problem(exchange, "bad");
        for (const packet of exchange.body.toString("utf8").split(separator)) take(session, packet);
        return answer(exchange, 200, "ok", { "content-type": "text/html" });
      });
    },
    close() {
      for (const session of [...sessions.values()]) end(session);
    },
  };
}

function namespaceOf(packet: string): string {
  return packet.slice(2).split(",", 1)[0] ?? "/";
}

function queryOf({ target }: Exchange): URLSearchParams {
  return new URLSearchParams(target.replace(/^[^?]*\??/s, ""));
}

function problem(exchange: Exchange, name: keyof typeof problems): Response {
  return answerJson(exchange, name === "forbidden" ? 403 : 400, problems[name]);
}
