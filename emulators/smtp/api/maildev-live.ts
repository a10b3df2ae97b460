import type { Runtime } from "../../kernel/emulator.ts";
import { describeCause } from "../domain/replies.ts";
import type { MailboxEvent } from "../feed.ts";
import type { MailState } from "../state.ts";
import { renderEmail, renderShort } from "../wire/maildev.ts";
import { createLiveFeed, type Emit, type LiveFeed } from "./socket-io.ts";

/**
 * MailDev's Socket.IO: `newMail` and `deleteMail`. Versions 2 and 3 have it at the same address and differ in what
 * `newMail` carries: all of the email, or its summary, to which the other's fields are then added.
 */
export function maildevLive(runtime: Runtime<MailState>): LiveFeed {
  const { state, ids, log } = runtime;
  let sessions = 0;
  const live = createLiveFeed({
    newId() {
      sessions += 1;
      return ids.fixed("smtp.socket-io", [sessions]).hex(20);
    },
    watch(emit) {
      let last = Promise.resolve();
      return state.feed.listen((event) => {
        last = last
          .then(() => tell(state, event, emit))
          .catch((cause: unknown) => log.warn({ cause: describeCause(cause) }, "a mailbox event could not be shown"));
      });
    },
  });
  state.feed.onClose(live.close);
  return live;
}

async function tell(state: MailState, event: MailboxEvent, emit: Emit): Promise<void> {
  switch (event.tag) {
    case "new": {
      const { message } = event;
      const mail = await state.reader.mail(message.id);
      if (mail === undefined) return;
      const read = state.isRead(message.id);
      emit("newMail", {
        ...renderShort(message, await state.reader.gist(message), read),
        ...renderEmail(message, mail, read),
      });
      return;
    }
    case "deleted":
      emit("deleteMail", { id: event.id, index: event.position });
      return;
    case "emptied":
      emit("deleteMail", { id: "all" });
      return;
    case "read":
    case "allRead":
    case "tagged":
    case "retagged":
  }
}
