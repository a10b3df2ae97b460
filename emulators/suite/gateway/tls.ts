/**
 * Connections for emulated hosts: looked at before anything is decrypted, ended with a leaf of the local authority for the
 * name they ask for, and handed to the emulator as they are. What comes in the clear inside a tunnel is handed over too.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Certificates } from "../../kernel/certificates.ts";
import { afterReal } from "../../kernel/clock.ts";
import { speaksTls } from "../../kernel/plain-on-tls.ts";
import { endSoon } from "../../kernel/serve.ts";
import { canonicalHost } from "./addresses.ts";
import { fatalAlert, type Opening, readOpening } from "./client-hello.ts";
import type { Route, Routing } from "./routing.ts";

export interface Emulated {
  readonly host: string;
  readonly route: Route;
}

export interface TlsOptions {
  readonly certificates: () => Certificates;
  readonly routing: Routing;
  /** Takes connections for emulators in another process and for those that were not started. */
  readonly front: Server;
  /** Told which emulated host a connection of `front` is for. */
  assign(socket: Socket, to: Emulated): void;
  /** A connection on its way into an emulator of this process. */
  handed(socket: Socket, server: Server): void;
  /** What is no usable beginning: not TLS, a wrong or missing name. */
  refused(socket: Socket, host: string | undefined, reason: string): void;
  readonly helloMs: number;
}

export interface TlsEnd {
  /** A tunnel that a client opened to an emulated host. */
  tunnel(socket: Socket, to: Emulated): Promise<void>;
  /** A connection that names its host by SNI alone. */
  bySni(socket: Socket): Promise<void>;
}

export function createTlsEnd(options: TlsOptions): TlsEnd {
  const { certificates, routing, front } = options;
  const deliver = (socket: Socket, to: Emulated) => {
    const { route } = to;
    if (route.tag === "here") {
      options.handed(socket, route.server);
      // The event that a TLS server's own handshake would have raised; a plain server takes any stream.
      route.server.emit(route.tls ? "secureConnection" : "connection", socket);
    } else {
      options.assign(socket, to);
      front.emit("connection", socket);
    }
  };
  const decrypt = (socket: Socket, to: Emulated) => {
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: certificates().contextFor(to.host),
      ALPNProtocols: ["http/1.1"],
    });
    const late = afterReal(options.helloMs, () => secure.destroy());
    const failed = (cause: Error) => {
      options.refused(socket, to.host, `the TLS handshake failed: ${cause.message}`);
      secure.destroy();
    };
    secure.on("error", failed);
    secure.on("close", late);
    secure.once("secure", () => {
      late();
      secure.off("error", failed);
      secure.on("error", () => secure.destroy()); // the client went away: nobody is left to tell
      deliver(secure, to);
    });
  };
  const alert = (socket: Socket, host: string | undefined, reason: string, description: 112 | 50) => {
    options.refused(socket, host, reason);
    endSoon(socket, fatalAlert(description));
  };

  return {
    async tunnel(socket, to) {
      const opening = await look(socket, options.helloMs);
      if (opening.tag === "plain") return deliver(socket, to);
      if (opening.tag === "malformed") return alert(socket, to.host, "a TLS beginning that cannot be read", 50);
      if (opening.tag !== "hello") return;
      const name = opening.name === undefined ? to.host : canonicalHost(opening.name);
      if (name === to.host) decrypt(socket, to);
      else alert(socket, to.host, `the tunnel is to ${to.host}, TLS inside it asks for ${opening.name}`, 112);
    },
    async bySni(socket) {
      const opening = await look(socket, options.helloMs);
      if (opening.tag === "plain") {
        options.refused(socket, undefined, "not TLS");
        endSoon(socket, speaksTls(hostAskedFor(socket)));
      } else if (opening.tag === "malformed") alert(socket, undefined, "a TLS beginning that cannot be read", 50);
      else if (opening.tag === "hello") {
        const host = opening.name === undefined ? undefined : canonicalHost(opening.name);
        const route = host === undefined ? undefined : await routing(host);
        if (host !== undefined && route) decrypt(socket, { host, route });
        else
          alert(
            socket,
            host ?? opening.name,
            host === undefined ? "TLS without a server name" : `${host} is not emulated`,
            112,
          );
      }
    },
  };
}

/** The Host header of a request in the clear, as far as it is a host name. */
function hostAskedFor(socket: Socket): string {
  const bytes: Buffer | null = socket.read();
  const host = /^host:[ \t]*([\w.-]+)/im.exec(bytes?.subarray(0, 4_096).toString("latin1") ?? "")?.[1];
  return host ? `https://${host}.` : "https:// and an emulated host name: https://api.twilio.com.";
}

/** Reads until the first TLS message is whole, and puts the bytes back. `more` when the client left or took too long. */
function look(socket: Socket, waitMs: number): Promise<Opening> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const done = (opening: Opening) => {
      late();
      socket.off("readable", read);
      socket.off("close", gone);
      socket.off("end", gone);
      if (seen.length > 0 && !socket.destroyed) socket.unshift(seen);
      resolve(opening);
    };
    const read = () => {
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read())
        seen = Buffer.concat([seen, chunk]);
      const opening = readOpening(seen);
      if (opening.tag !== "more") done(opening);
    };
    const gone = () => {
      socket.destroy();
      done({ tag: "more" });
    };
    const late = afterReal(waitMs, gone);
    socket.on("readable", read);
    socket.on("close", gone);
    socket.on("end", gone);
    read();
  });
}
