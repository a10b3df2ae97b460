import twilio from "twilio";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { control, start, type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
let receiver: Receiver;
beforeEach(async () => {
  server = await twilioServer();
  receiver = await startReceiver();
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

test("people talk: participants, messages to telephones with receipts, users, webhooks", async () => {
  const client = server.client();
  const root = client.conversations.v1;
  const made = await root.conversations.create({ friendlyName: "Scene 12", uniqueName: "scene-12" });
  expect(made).toMatchObject({ state: "active", attributes: "{}", chatServiceSid: expect.stringMatching(/^IS/) });
  await expect(root.conversations.create({ uniqueName: "scene-12" })).rejects.toMatchObject({
    status: 409,
    code: 50433,
  });
  const talk = root.conversations("scene-12");
  const ada = await talk.participants.create({ identity: "ada" });
  const phone = { "messagingBinding.address": "+14155550199", "messagingBinding.proxyAddress": "+12025550100" };
  const ben = await talk.participants.create(phone);
  expect(ben.messagingBinding).toMatchObject({ type: "sms", address: "+14155550199", proxy_address: "+12025550100" });
  await expect(talk.participants.create({ identity: "ada" })).rejects.toMatchObject({ status: 409, code: 50433 });
  await talk.webhooks.create({
    target: "webhook",
    "configuration.url": receiver.url,
    "configuration.filters": ["onMessageAdded"],
  });

  const message = await talk.messages.create({ author: "ada", body: "Action!", xTwilioWebhookEnabled: "true" });
  expect(message).toMatchObject({ index: 0, author: "ada", body: "Action!", participantSid: ada.sid });
  expect((await talk.messages.create({ body: "Cut" })).index).toBe(1);
  await server.advance(start + 60_000);
  const [receipt] = await talk.messages(message.sid).deliveryReceipts.list();
  expect(receipt).toMatchObject({
    status: "delivered",
    participantSid: ben.sid,
    channelMessageSid: expect.stringMatching(/^SM/),
  });
  expect(
    (await client.messages.list({ to: "+14155550199", from: "+12025550100" })).map(({ body }) => body).sort(),
  ).toEqual(["Action!", "Cut"]);
  expect((await talk.messages(message.sid).fetch()).delivery).toMatchObject({ total: 1, delivered: "all" });
  const [hook] = receiver.calls;
  const sent = Object.fromEntries(new URLSearchParams(hook?.body));
  expect(sent).toMatchObject({ EventType: "onMessageAdded", Body: "Action!", ConversationSid: made.sid });
  expect(
    twilio.validateRequest(
      server.env.TWILIO_AUTH_TOKEN ?? "",
      String(hook?.headers["x-twilio-signature"]),
      receiver.url,
      sent,
    ),
  ).toBe(true);

  const [user] = await root.users.list();
  expect(user).toMatchObject({ identity: "ada" });
  const joined = await root.users("ada").userConversations.list();
  expect(joined).toMatchObject([{ conversationSid: made.sid, unreadMessagesCount: null }]);
  expect(await root.users("ada").userConversations(made.sid).update({ lastReadMessageIndex: 0 })).toMatchObject({
    unreadMessagesCount: 1,
  });
});

test("a silent conversation becomes inactive and closes; a closed one takes no messages", async () => {
  const root = server.client().conversations.v1;
  const service = await root.services.create({ friendlyName: "Own" });
  const tree = root.services(service.sid);
  const made = await tree.conversations.create({ "timers.inactive": "PT10M", "timers.closed": "P1D" });
  const state = async () => (await tree.conversations(made.sid).fetch()).state;
  await server.advance(start + 600_000);
  expect(await state()).toBe("inactive");
  await tree.conversations(made.sid).messages.create({ body: "Wake up" });
  expect(await state()).toBe("active");
  await server.advance(start + 2 * 86_400_000);
  expect(await state()).toBe("closed");
  await expect(tree.conversations(made.sid).messages.create({ body: "No" })).rejects.toMatchObject({ status: 400 });
  expect(await root.conversations.list()).toEqual([]);
  expect(await tree.conversations(made.sid).remove()).toBe(true);
});

test("webhooks hear of the events they ask for, of the API's only when its header says so, and of timers always", async () => {
  const { conversations } = server.client().conversations.v1;
  const made = await conversations.create({ friendlyName: "Stage", "timers.inactive": "PT10M" });
  const talk = conversations(made.sid);
  const hook = { target: "webhook", "configuration.url": receiver.url } as const;
  const odd = ["onMessageadded"];
  await expect(talk.webhooks.create({ ...hook, "configuration.filters": odd })).rejects.toMatchObject({ code: 20001 });
  const every = ["Message", "Participant"].flatMap((what) =>
    ["Added", "Updated", "Removed"].map((how) => `on${what}${how}`),
  );
  const filters = [...every, "onConversationUpdated", "onConversationStateUpdated", "onConversationRemoved"];
  await talk.webhooks.create({ ...hook, "configuration.filters": filters });
  const told = { xTwilioWebhookEnabled: "true" } as const;
  const ada = await talk.participants.create({ identity: "ada", ...told });
  const silent = await talk.participants.create({ identity: "ben" });
  await talk.participants(ada.sid).update({ attributes: '{"lead":true}', ...told });
  const message = await talk.messages.create({ author: "ada", body: "Action!", ...told });
  await talk.messages(message.sid).update({ body: "Cut!", ...told });
  await talk.messages(message.sid).remove(told);
  await talk.participants(ada.sid).remove(told);
  await talk.participants(silent.sid).remove();
  await server.advance(start + 600_000);
  await talk.messages.create({ body: "Wake up" });
  await talk.update({ state: "closed", ...told });
  await talk.remove(told);
  await server.advance(start + 601_000);
  const heard = receiver.calls.map((call) => Object.fromEntries(new URLSearchParams(call.body)));
  expect(heard.map(({ EventType, Reason }) => (Reason ? `${EventType} ${Reason}` : EventType)).sort()).toEqual(
    [
      ...filters.filter((name) => name !== "onConversationStateUpdated"),
      "onConversationStateUpdated TIMER",
      "onConversationStateUpdated EVENT",
      "onConversationStateUpdated API",
    ].sort(),
  );
  const of = (event: string) => heard.find(({ EventType }) => EventType === event);
  expect(of("onParticipantUpdated")).toMatchObject({
    ParticipantSid: ada.sid,
    Attributes: '{"lead":true}',
    Source: "API",
  });
  expect(of("onMessageUpdated")).toMatchObject({ MessageSid: message.sid, Body: "Cut!", Index: "0" });
  expect(of("onConversationStateUpdated")).toMatchObject({ StateFrom: "active", StateTo: "inactive" });
});

test("messages are listed as they were said, or the other way round when asked, page by page", async () => {
  const { conversations } = server.client().conversations.v1;
  const { sid } = await conversations.create({});
  const said = conversations(sid).messages;
  for (const body of ["one", "two", "three"]) await said.create({ body });
  const bodies = (page: { instances: readonly { body: string }[] } | undefined) =>
    page?.instances.map(({ body }) => body);
  expect((await said.list()).map(({ body }) => body)).toEqual(["one", "two", "three"]);
  expect((await said.list({ order: "desc" })).map(({ body }) => body)).toEqual(["three", "two", "one"]);
  for (const order of ["asc", "desc"] as const) {
    const first = await said.page({ order, pageSize: 2 });
    const second = await first.nextPage();
    expect(bodies(first)).toEqual(order === "asc" ? ["one", "two"] : ["three", "two"]);
    expect(bodies(second)).toEqual(order === "asc" ? ["three"] : ["one"]);
    expect(second?.nextPageUrl).toBeUndefined();
    expect(bodies(await second?.previousPage())).toEqual(bodies(first));
  }
  await expect(said.list({ order: "up" as "asc" })).rejects.toMatchObject({ status: 400, code: 20001 });
});

test("what a participant's telephone sends is said in the conversation, and sent on to the other telephones", async () => {
  const client = server.client();
  const root = client.conversations.v1;
  const { sid } = await root.conversations.create({ "timers.inactive": "PT10M" });
  const talk = root.conversations(sid);
  const [proxyAddress, ben, cleo] = ["+12025550100", "+14155550199", "+14155550198"];
  const phone = (address: string) => ({
    "messagingBinding.address": address,
    "messagingBinding.proxyAddress": proxyAddress,
  });
  const one = await talk.participants.create(phone(ben));
  await talk.participants.create(phone(cleo));
  await talk.webhooks.create({
    target: "webhook",
    "configuration.url": receiver.url,
    "configuration.filters": ["onMessageAdded"],
  });
  const [number] = await client.incomingPhoneNumbers.list({ phoneNumber: proxyAddress });
  await client.incomingPhoneNumbers(number?.sid ?? "").update({ smsUrl: `${receiver.url}/sms` });
  await server.advance(start + 700_000);
  expect((await talk.fetch()).state).toBe("inactive");

  await control(server, "inbound-messages", { from: ben, to: proxyAddress, body: "Where are you?" });
  await server.advance(start + 760_000);
  const [said] = await talk.messages.list();
  expect(said).toMatchObject({ index: 0, author: ben, body: "Where are you?", participantSid: one.sid });
  expect((await talk.fetch()).state).toBe("active");
  const sent = await client.messages.list({ to: cleo, from: proxyAddress });
  expect(sent.map(({ body, status }) => [body, status])).toEqual([["Where are you?", "delivered"]]);
  expect(await client.messages.list({ to: ben, from: proxyAddress })).toEqual([]);
  expect(receiver.calls.map(({ url }) => url)).toEqual(["/hook"]);
  const [heard] = receiver.calls.map((call) => Object.fromEntries(new URLSearchParams(call.body)));
  expect(heard).toMatchObject({ EventType: "onMessageAdded", Source: "SMS", Author: ben, ParticipantSid: one.sid });

  const other = root.conversations((await root.conversations.create({})).sid);
  await expect(other.participants.create(phone(ben))).rejects.toMatchObject({
    status: 409,
    code: 50416,
    message: `A binding for this participant and proxy address already exists in Conversation ${sid}`,
  });
  await talk.update({ state: "closed" });
  await other.participants.create(phone(ben));
  await control(server, "inbound-messages", { from: ben, to: proxyAddress, body: "And now?" });
  expect((await other.messages.list()).map(({ body }) => body)).toEqual(["And now?"]);
  await control(server, "inbound-messages", { from: cleo, to: proxyAddress, body: "Is it over?" });
  await server.advance(start + 820_000);
  expect(receiver.calls.map(({ url }) => url)).toContain("/hook/sms");
});

test("names are found as they were given, per cent signs and all", async () => {
  const root = server.client().conversations.v1;
  for (const uniqueName of ["100%", "a%20b", "a b/c"]) {
    const made = await root.conversations.create({ uniqueName });
    expect((await root.conversations(encodeURIComponent(uniqueName)).fetch()).sid).toBe(made.sid);
    expect((await root.users.create({ identity: uniqueName })).identity).toBe(uniqueName);
    expect((await root.users(encodeURIComponent(uniqueName)).fetch()).identity).toBe(uniqueName);
  }
});
