/** cypress-mailhog as it is published, with just enough of Cypress around it to run outside a browser. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { runInThisContext } from "node:vm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { queuedId, rawClient } from "../smtp/raw-client.ts";

interface Mail {
  readonly ID: string;
}
type Command = (...args: readonly unknown[]) => unknown;

let server: Awaited<ReturnType<typeof mailServer>>;
const commands = new Map<string, Command>();

/** A promise with the two methods of Cypress's chains that the plug-in uses. */
class Chain<T> extends Promise<T> {
  its(name: keyof T): Chain<T[keyof T]> {
    return chained(this.then((value) => value[name]));
  }
}
const chained = <T>(value: T | PromiseLike<T>): Chain<T> => new Chain((resolve) => resolve(value));

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly failOnStatusCode?: boolean;
}

/** As Cypress does it: the body is parsed where its type says JSON, and a failure throws unless it is wanted. */
async function request({ method, url, failOnStatusCode = true }: Asked) {
  const response = await fetch(url, { method });
  if (failOnStatusCode && !response.ok) throw new Error(`${method} ${url}: ${response.status}`);
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("application/json") === true;
  return { status: response.status, body: json ? (JSON.parse(text) as unknown) : text };
}

beforeAll(async () => {
  server = await mailServer({ BACKLOT_MAILHOG_PORT: "0" });
  const settings: Readonly<Record<string, unknown>> = {
    mailHogUrl: `${server.url}/mailhog/`,
    defaultCommandTimeout: 1_000,
  };
  const cypress = {
    env: () => undefined,
    config: (name: string) => settings[name],
    Commands: {
      add(name: string, ...rest: readonly unknown[]) {
        commands.set(name, rest.at(-1) as Command);
      },
    },
  };
  const cy = {
    request: (asked: Asked) => chained(request(asked)),
    wrap: (value: unknown) => chained(value),
    verifyUpcomingAssertions: (value: unknown) => value,
  };
  const source = await readFile(createRequire(import.meta.url).resolve("cypress-mailhog"), "utf8");
  const load = runInThisContext(`(Cypress, cy, chai, expect) => {${source}\n}`) as (...args: unknown[]) => void;
  load(cypress, cy, {}, expect);
});
afterAll(() => server.close());
beforeEach(() => server.reset());

async function run<T>(name: string, ...args: readonly unknown[]): Promise<T> {
  const command = commands.get(name);
  if (command === undefined) throw new Error(`cypress-mailhog has no command ${name}`);
  return (await command(...args)) as T;
}

async function send(subject: string, to: string): Promise<string> {
  const client = await rawClient(server.port);
  const content = `Subject: ${subject}\r\nFrom: ann@example.com\r\nTo: ${to}\r\n\r\nbody of ${subject}\r\n`;
  const id = queuedId(await client.mail("ann@example.com", [to], content));
  client.end();
  return `${id}@mailhog.example`;
}

test("all, by subject, recipient and sender, search, and what it reads of one", async () => {
  const one = await send("one", "bob@example.org");
  const two = await send("two", "cy@example.org");
  const ids = async (name: string, ...args: readonly unknown[]) =>
    (await run<readonly Mail[]>(name, ...args)).map(({ ID }) => ID);
  expect(await ids("mhGetAllMails")).toEqual([two, one]);
  expect(await ids("mhGetMailsBySubject", "one")).toEqual([one]);
  expect(await ids("mhGetMailsByRecipient", "cy@example.org")).toEqual([two]);
  expect(await ids("mhGetMailsBySender", "ann@example.com")).toEqual([two, one]);
  expect(await ids("mhSearchMails", "to", "bob@")).toEqual([one]);
  expect(await ids("mhSearchMails", "containing", "body of two")).toEqual([two]);
  const mail = await run<Mail>("mhFirst", await run("mhGetAllMails"));
  expect(await run("mhGetSubject", mail)).toBe("two");
  expect(await run("mhGetBody", mail)).toBe("body of two");
  expect(await run("mhGetSender", mail)).toBe("ann@example.com");
  expect(await run("mhGetRecipients", mail)).toEqual(["cy@example.org"]);
});

test("Jim comes and goes; everything is deleted", async () => {
  expect(await run("mhGetJimMode")).toBe(false);
  await run("mhSetJimMode", true);
  expect(await run("mhGetJimMode")).toBe(true);
  await run("mhSetJimMode", false);
  expect(await run("mhGetJimMode")).toBe(false);
  await send("one", "bob@example.org");
  await run("mhDeleteAll");
  expect(await run("mhGetAllMails")).toEqual([]);
});
