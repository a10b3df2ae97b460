import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { renderAccount } from "../wire/account.ts";
import { spacedJson } from "../wire/json.ts";
import { xmlDocument } from "../wire/xml.ts";
import { respond, sidOf, type TwilioRuntime } from "./call.ts";
import { signIn } from "./sign-in.ts";

export function mountAccounts(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  app.get("/2010-04-01/Accounts/:sid", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "FetchAccount");
    const account = signIn(runtime, exchange, sidOf(c.req.param("sid")));
    return respond(exchange, 200, {
      json: () => spacedJson(renderAccount(account, ".json")),
      xml: () => xmlDocument({ Account: renderAccount(account, "") }),
    });
  });
}
