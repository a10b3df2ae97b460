/** Users of Conversations, and the conversations each of them is in. */
import type { Context, Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { type ConversationData, type UserSent, userParameters } from "../domain/conversation.ts";
import { reject, resourcePath } from "../errors.ts";
import {
  conversation,
  conversationParticipant,
  conversationUser,
  type UserConversationData,
  userConversation,
} from "../kinds-conversations.ts";
import type { Resource } from "../store-resources.ts";
import { iso } from "../wire/dates.ts";
import type { Shown } from "../wire/resource.ts";
import { type Call, respondEmpty, type TwilioRuntime } from "./call.ts";
import { participantsOf, tellOf } from "./conversation-participants.ts";
import { conversationNamed, conversationsDomain, serviceOf } from "./conversation-services.ts";
import { eachIn, readPage } from "./page.ts";
import { callOf, changeResource, makeResource, mountResource, pathIn, respondList, respondShown } from "./resource.ts";

type User = Resource<UserSent>;

export function mountConversationUsers(app: Hono<KernelEnv>, runtime: TwilioRuntime, tree: string): void {
  const path = `${tree}/Users/:user/Conversations`;
  const does = (operation: string, action: (call: Call) => Response) => (c: Context<KernelEnv>) => {
    c.env.exchange.note("operation", `${operation}UserConversation`);
    return action(callOf(runtime, c));
  };
  app.get(
    path,
    does("List", (call) => listConversations(call, tree, path)),
  );
  app.get(
    `${path}/:conversation`,
    does("Fetch", (call) => respondConversation(call, tree)),
  );
  app.post(
    `${path}/:conversation`,
    does("Update", (call) => update(call, tree)),
  );
  app.delete(`${path}/:conversation`, does("Delete", leave));
  mountResource<UserSent, UserSent>(app, runtime, {
    kind: conversationUser,
    name: "User",
    path: `${tree}/Users`,
    domain: conversationsDomain,
    list: "users",
    operations: ["create", "list", "fetch", "update", "remove"],
    parameters: userParameters,
    shows: [
      ...["sid", "account_sid", "chat_service_sid", "role_sid", "identity", "friendly_name", "attributes", "is_online"],
      ...["is_notifiable", "date_created", "date_updated", "url", "links"],
    ],
    parent: serviceOf,
    find: (call, name) => userBy(call, serviceOf(call), name),
    prepare(call, sent) {
      const key = `${serviceOf(call)}/${sent.Identity}`;
      if (call.runtime.state.resourceByKey(conversationUser, key)) reject("conflict", "User already exists");
      return { data: sent, key };
    },
    revise: (_call, { data }, sent) => ({ data: { ...data, ...sent, Identity: data.Identity } }),
    view({ sid, parent, data }, { runtime: { ids }, exchange, account }) {
      const url = `${exchange.base}${tree.replace(":service", parent)}/Users/${sid}`;
      return {
        chat_service_sid: parent,
        role_sid: data.RoleSid ?? `RL${ids.fixed("twilio.role", [account.sid, "service user"]).hex(32)}`,
        is_online: false,
        is_notifiable: false,
        url,
        links: { user_conversations: `${url}/Conversations` },
      };
    },
  });
}

/** The user of that identity, made when it is not there yet. */
export function userNamed(call: Call, serviceSid: string, identity: string): User {
  const key = `${serviceSid}/${identity}`;
  const known = call.runtime.state.resourceByKey(conversationUser, key);
  if (known) return known;
  const data: UserSent = { Identity: identity, FriendlyName: null, Attributes: "{}", RoleSid: null };
  return call.runtime.store.write(() => makeResource(call, conversationUser, { parent: serviceSid, key, data }));
}

/** By sid or by identity. */
function userBy({ runtime: { state } }: Call, serviceSid: string, name: string): User | undefined {
  const found =
    state.resource(conversationUser, name) ?? state.resourceByKey(conversationUser, `${serviceSid}/${name}`);
  return found?.parent === serviceSid ? found : undefined;
}

function userIn(call: Call): User {
  return userBy(call, serviceOf(call), call.param("user")) ?? reject("notFound", resourcePath(call.exchange));
}

function listConversations(call: Call, tree: string, path: string): Response {
  const user = userIn(call);
  const joined = call.runtime.state
    .resourcesOf(conversation, user.parent)
    .filter(({ sid }) => participation(call, user, sid) !== undefined);
  const { records, frame } = readPage<Resource<ConversationData>>(call, pathIn(call, path), {
    filters: [],
    each: eachIn(joined, ({ sid }) => sid),
    keep: () => true,
    sid: ({ sid }) => sid,
  });
  const shown = records.map((held) => render(call, tree, user, held));
  return respondList(
    call,
    { domain: conversationsDomain, list: "conversations", name: "UserConversation" },
    frame,
    shown,
  );
}

function respondConversation(call: Call, tree: string): Response {
  const user = userIn(call);
  const body = render(call, tree, user, joinedIn(call, user));
  return respondShown(call, { domain: conversationsDomain, name: "UserConversation" }, body, 200);
}

function update(call: Call, tree: string): Response {
  const { form, runtime } = call;
  const user = userIn(call);
  const held = joinedIn(call, user);
  const level = form.get("NotificationLevel");
  if (level && level !== "default" && level !== "muted") reject("invalidParameter", "NotificationLevel", level);
  const read = form.get("LastReadMessageIndex");
  if (read && !/^\d{1,15}$/.test(read)) reject("invalidParameter", "LastReadMessageIndex", read);
  const known = settingsOf(call, user, held.sid);
  const data: UserConversationData = {
    NotificationLevel: level === "muted" || level === "default" ? level : (known?.data.NotificationLevel ?? "default"),
    LastReadMessageIndex: read ? Number(read) : (known?.data.LastReadMessageIndex ?? null),
  };
  runtime.store.write(() =>
    known
      ? changeResource(call, userConversation, known, { data })
      : makeResource(call, userConversation, { parent: user.sid, key: `${user.sid}/${held.sid}`, data }),
  );
  return respondConversation(call, tree);
}

function leave(call: Call): Response {
  const user = userIn(call);
  const held = joinedIn(call, user);
  const own = participation(call, user, held.sid);
  call.runtime.store.write(() => {
    if (!own) return;
    tellOf(call, "onParticipantRemoved", own);
    call.runtime.state.removeResource(conversationParticipant, own.sid);
  });
  return respondEmpty(call.exchange, conversationsDomain);
}

function participation({ runtime }: Call, { data }: User, conversationSid: string) {
  return participantsOf(runtime, conversationSid).find((one) => one.data.Identity === data.Identity);
}

function joinedIn(call: Call, user: User): Resource<ConversationData> {
  const held = conversationNamed(call, user.parent, call.param("conversation"));
  return held && participation(call, user, held.sid) ? held : reject("notFound", resourcePath(call.exchange));
}

function settingsOf({ runtime }: Call, user: User, conversationSid: string) {
  return runtime.state.resourceByKey(userConversation, `${user.sid}/${conversationSid}`);
}

function render(call: Call, tree: string, user: User, held: Resource<ConversationData>): Shown {
  const own = participation(call, user, held.sid);
  const settings = settingsOf(call, user, held.sid)?.data;
  const read = settings?.LastReadMessageIndex ?? null;
  const base = `${call.exchange.base}${tree.replace(":service", held.parent)}`;
  return {
    account_sid: held.accountSid,
    chat_service_sid: held.parent,
    conversation_sid: held.sid,
    unread_messages_count: read === null ? null : Math.max(0, held.data.nextIndex - 1 - read),
    last_read_message_index: read,
    participant_sid: own?.sid ?? null,
    user_sid: user.sid,
    friendly_name: held.data.FriendlyName,
    conversation_state: held.data.State,
    timers: {},
    attributes: held.data.Attributes,
    date_created: iso(held.createdAt),
    date_updated: iso(held.updatedAt),
    created_by: "system",
    notification_level: settings?.NotificationLevel ?? "default",
    unique_name: held.data.UniqueName,
    url: `${base}/Users/${user.sid}/Conversations/${held.sid}`,
    links: {
      participant: `${base}/Conversations/${held.sid}/Participants/${own?.sid ?? ""}`,
      conversation: `${base}/Conversations/${held.sid}`,
    },
  };
}
