/**
 * An emulator's part of the console, on its own ports: 8025 shows the inbox. The page asks the suite's control API as if
 * this emulator were all there is, under `/_backlot/console/api`; the live journal is the emulator's own.
 */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { answeredElsewhere, retargeted } from "../../kernel/exchange.ts";
import type { Front } from "../../kernel/front.ts";
import { once } from "../../kernel/once.ts";
import { plainErrors } from "../../kernel/plain-errors.ts";
import { passThrough } from "../../kernel/routing.ts";
import type { Member } from "../member.ts";
import type { PageFiles } from "./files.ts";
import { consolePage } from "./page.ts";
import { consoleGuard, fileRoutes, pageRoutes } from "./server.ts";

const api = "/_backlot/console/api";

export interface PartOptions {
  readonly name: string;
  readonly seed: string;
  readonly files: PageFiles;
  /** Whether the control API takes a token. */
  readonly locked: boolean;
  /** Address of the whole console, once it is known. */
  suiteUrl(): string | undefined;
  /** The suite's control API over this emulator alone, and the emulator; asked for with the first request. */
  control(): Promise<{ readonly app: Hono<KernelEnv>; readonly member: Member }>;
}

export function createPart({ name, seed, files, locked, suiteUrl, control }: PartOptions): Front {
  const inner = once(async () => {
    const { app, member } = await control();
    pageRoutes(app, [member]);
    app.onError((cause, c) => {
      const answered = plainErrors.thrown(c.env.exchange, cause);
      if (answered) return answered;
      throw cause;
    });
    app.notFound((c) => plainErrors.notFound(c.env.exchange));
    return app;
  });
  return {
    page: (exchange) => {
      const suite = suiteUrl();
      const facts = { seed, base: api, part: name, ...(suite === undefined ? {} : { suite }) };
      return consolePage(exchange, { facts, files, control: locked ? undefined : inner });
    },
    mount(app) {
      fileRoutes(app, files);
      app.all(`${api}/*`, async (c) => {
        const { exchange } = c.env;
        const asked = retargeted(exchange, { target: `/_backlot${exchange.target.slice(api.length)}` });
        await passThrough(await inner(), asked);
        exchange.answered = asked.answered;
        return answeredElsewhere;
      });
    },
    guard: consoleGuard,
  };
}
