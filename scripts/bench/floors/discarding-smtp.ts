/** smtp-server that throws every mail away, without the library's wait of 100 ms before the greeting. */
import type { Socket } from "node:net";
import { SMTPServer } from "smtp-server";
import { SMTPConnection } from "smtp-server/lib/smtp-connection.js";
import { announce } from "./listen.ts";

class PromptConnection extends SMTPConnection {
  override init(): void {
    this._setListeners(() => this.connectionReady());
  }
}

class PromptServer extends SMTPServer {
  override connect(socket: Socket): void {
    const connection = new PromptConnection(this, socket, {});
    this.connections.add(connection);
    connection.on("error", (cause) => this._onError(cause));
    connection.on("connect", (info) => this._onClientConnect(info));
    connection.init();
  }
}

const server = new PromptServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  disableReverseLookup: true,
  onData(stream, _session, callback) {
    stream.once("end", () => callback());
    stream.resume();
  },
});
server.on("error", () => {}); // a client that hangs up at the end of a load
server.listen(0, "127.0.0.1", () => announce(server.server.address()));
