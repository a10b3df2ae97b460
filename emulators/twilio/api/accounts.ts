/** Accounts: the caller's own and its subaccounts. */
import type { Context, Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { reject, resourcePath } from "../errors.ts";
import { phoneNumber, poolNumber } from "../kinds.ts";
import type { Account } from "../store.ts";
import { renderAccount } from "../wire/account.ts";
import { wantsXml } from "../wire/headers.ts";
import { spacedJson } from "../wire/json.ts";
import { page2010, page2010Xml } from "../wire/page.ts";
import { xmlDocument } from "../wire/xml.ts";
import { type Call, respond, type TwilioRuntime } from "./call.ts";
import { eachIn, readPage } from "./page.ts";
import { callOf } from "./resource.ts";
import { requireFullAccess } from "./sign-in.ts";

const base = "/2010-04-01/Accounts";
const longestName = 64;

export function mountAccounts(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  const managing = (c: Context<KernelEnv>) => {
    const call = callOf(runtime, c);
    requireFullAccess(runtime, call.exchange);
    return call;
  };
  for (const path of [`${base}.json`, base]) {
    app.post(path, (c) => create(managing(c)));
    app.get(path, (c) => list(managing(c)));
  }
  app.get(`${base}/:sid`, (c) => fetchOne(managing(c)));
  app.post(`${base}/:sid`, (c) => update(managing(c)));
}

function create(call: Call): Response {
  const { runtime, exchange, account: owner, form } = call;
  exchange.note("operation", "CreateAccount");
  if (owner.ownerSid !== owner.sid) reject("subaccountNested");
  const sent = form.get("FriendlyName") ?? "";
  if (sent.length > longestName) reject("invalidParameter", "FriendlyName", sent);
  const now = exchange.at;
  const account = runtime.store.write(() => {
    const ids = runtime.ids.derive("twilio.account", [owner.sid, sent]);
    const made: Account = {
      sid: `AC${ids.hex(32)}`,
      ownerSid: owner.sid,
      authToken: runtime.ids.fixed("twilio.auth-token", [ids.hex(32)]).hex(32),
      friendlyName:
        sent === "" ? `SubAccount Created at ${new Date(now).toISOString().slice(0, 16).replace("T", " ")}` : sent,
      status: "active",
      type: owner.type,
      test: 0,
      createdAt: now,
      updatedAt: now,
    };
    runtime.state.addAccount(made);
    runtime.journal.append("change", made.sid, { resource: "account", change: "created" });
    return made;
  });
  return respondWith(call, account, 201);
}

function list(call: Call): Response {
  const { runtime, exchange, caller, query } = call;
  exchange.note("operation", "ListAccount");
  const accounts = caller.ownerSid === caller.sid ? runtime.state.accountsOf(caller.sid) : [caller];
  const end = wantsXml(exchange) ? "" : ".json";
  const { records, frame } = readPage<Account>(call, `${base}${end}`, {
    filters: ["FriendlyName", "Status"],
    each: eachIn(accounts, ({ sid }) => sid),
    keep: ({ friendlyName, status }) =>
      (query.get("FriendlyName") || friendlyName) === friendlyName && (query.get("Status") || status) === status,
    sid: ({ sid }) => sid,
  });
  const shown = records.map((account) => renderAccount(account, end));
  return respond(exchange, 200, {
    json: () => page2010(frame, "accounts", shown),
    xml: () => page2010Xml(frame, "accounts", "Account", shown),
  });
}

function fetchOne(call: Call): Response {
  call.exchange.note("operation", "FetchAccount");
  return respondWith(call, find(call), 200);
}

function update(call: Call): Response {
  const { runtime, exchange, form } = call;
  exchange.note("operation", "UpdateAccount");
  const account = find(call);
  const friendlyName = form.get("FriendlyName") || account.friendlyName;
  if (friendlyName.length > longestName) reject("invalidParameter", "FriendlyName", friendlyName);
  const asked = form.get("Status") || account.status;
  const status = (["active", "suspended", "closed"] as const).find((word) => word === asked);
  if (status === undefined) reject("invalidParameter", "Status", asked);
  if (status !== account.status && account.ownerSid === account.sid) reject("parentStatus");
  if (account.status === "closed" && status !== "closed") reject("accountClosed");
  const changed = { ...account, friendlyName, status, updatedAt: exchange.at };
  runtime.store.write(() => {
    runtime.state.changeAccount(changed);
    if (status === "closed") releaseNumbers(runtime, account.sid);
    runtime.journal.append("change", account.sid, { resource: "account", change: "updated", status });
  });
  return respondWith(call, changed, 200);
}

/** A closed account has no numbers: they are on offer again. https://www.twilio.com/docs/iam/api/subaccounts */
function releaseNumbers({ state, journal }: TwilioRuntime, accountSid: string): void {
  for (const { sid } of state.resourcesOf(phoneNumber, accountSid)) {
    state.removeResource(phoneNumber, sid);
    state.removeResource(poolNumber, sid);
    journal.append("change", sid, { resource: phoneNumber.name, change: "deleted" });
  }
}

/** The caller's own or one of its subaccounts; those it also sees and opens again when they are suspended. */
function find({ runtime, exchange, caller, param }: Call): Account {
  const account = runtime.state.account(param("sid"));
  if (!account || (account.sid !== caller.sid && account.ownerSid !== caller.sid))
    reject("notFound", resourcePath(exchange));
  return account;
}

function respondWith({ exchange }: Call, account: Account, status: number): Response {
  exchange.note("account", account.sid);
  return respond(
    exchange,
    status,
    {
      json: () => spacedJson(renderAccount(account, ".json")),
      xml: () => xmlDocument({ Account: renderAccount(account, "") }),
    },
    status === 201 ? account.sid : undefined,
  );
}
