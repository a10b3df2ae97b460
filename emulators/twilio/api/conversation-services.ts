/** conversations.twilio.com/v1/Services, and what every other path of the product begins with. */

import type { ConversationData } from "../domain/conversation.ts";
import { required, text } from "../domain/parameters.ts";
import { reject, resourcePath } from "../errors.ts";
import { type ConversationServiceData, conversation, conversationService } from "../kinds-conversations.ts";
import type { Resource } from "../store-resources.ts";
import type { Call } from "./call.ts";
import { makeResource, type ResourceSpec } from "./resource.ts";

export const conversationsDomain = "conversations.twilio.com";

export const conversationServiceSpec: ResourceSpec<ConversationServiceData> = {
  kind: conversationService,
  name: "Service",
  path: "/v1/Services",
  domain: conversationsDomain,
  list: "services",
  operations: ["create", "list", "fetch", "remove"],
  parameters: { FriendlyName: required(text("", 256)) },
  shows: ["account_sid", "sid", "friendly_name", "date_created", "date_updated", "url", "links"],
  prepare: (_call, data) => ({ data }),
  view({ sid }, { exchange }) {
    const url = `${exchange.base}/v1/Services/${sid}`;
    return {
      url,
      links: {
        conversations: `${url}/Conversations`,
        users: `${url}/Users`,
        roles: `${url}/Roles`,
        bindings: `${url}/Bindings`,
        configuration: `${url}/Configuration`,
        participant_conversations: `${url}/ParticipantConversations`,
        conversation_with_participants: `${url}/ConversationWithParticipants`,
      },
    };
  },
  removing({ runtime }, { sid }) {
    for (const one of runtime.state.resourcesOf(conversation, sid)) runtime.state.removeResource(conversation, one.sid);
  },
};

/** The service in the path, or the account's default one, which is there from its first use. */
export function serviceOf(call: Call): string {
  const { runtime, exchange, account, param } = call;
  const named = param("service");
  if (named !== "") {
    const found = runtime.state.resource(conversationService, named);
    return found?.accountSid === account.sid ? found.sid : reject("notFound", resourcePath(exchange));
  }
  const key = `default/${account.sid}`;
  const known = runtime.state.resourceByKey(conversationService, key);
  if (known) return known.sid;
  const sid = `IS${runtime.ids.fixed("twilio.default-conversation-service", [account.sid]).hex(32)}`;
  const data = { FriendlyName: "Default Conversations Service" };
  return runtime.store.write(() => makeResource(call, conversationService, { parent: account.sid, key, data, sid }))
    .sid;
}

/** By sid or by unique name. */
export function conversationNamed(
  call: Call,
  serviceSid: string,
  name: string,
): Resource<ConversationData> | undefined {
  const { state } = call.runtime;
  const found = state.resource(conversation, name) ?? state.resourceByKey(conversation, `${serviceSid}/${name}`);
  return found?.parent === serviceSid ? found : undefined;
}

export function conversationOf(call: Call): Resource<ConversationData> {
  return (
    conversationNamed(call, serviceOf(call), call.param("conversation")) ??
    reject("notFound", resourcePath(call.exchange))
  );
}
