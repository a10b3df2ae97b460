import { expect, test } from "vitest";
import { definitions } from "../../emulators/kernel/setting-definitions.ts";
import { readSettings } from "../../emulators/kernel/settings.ts";

test("every default is itself a value that is allowed", () => {
  expect(readSettings([{}]).problems).toEqual([]);
});

test("every setting has its own variable and a help text", () => {
  const all = Object.values(definitions);
  expect(new Set(all.map(({ env }) => env)).size).toBe(all.length);
  for (const { env, help } of all) expect(help.length, env).toBeGreaterThan(10);
});

test.each([
  ["BACKLOT_PORT", "65536"],
  ["BACKLOT_PORT", "-1"],
  ["BACKLOT_MODE", "maybe"],
  ["BACKLOT_CLOCK", "frozen@2025-01-15T12:00:00"],
  ["BACKLOT_CLOCK", "frozen@15 January 2025"],
  ["BACKLOT_SEED", ""],
  ["BACKLOT_BODY_LIMIT", "many"],
  ["FEATURE_RATE_LIMIT", "perhaps"],
  ["BACKLOT_WEBHOOK_ALLOW", "app,http://app:3000"],
  ["BACKLOT_WEBHOOK_ALLOW", "app:3000"],
  ["BACKLOT_ALLOWED_HOSTS", "https://backlot.test"],
  ["BACKLOT_CORS_ORIGINS", "localhost:5173"],
  ["BACKLOT_CORS_ORIGINS", "http://localhost:5173/"],
])("%s=%s is refused", (env, value) => {
  expect(readSettings([{ [env]: value }]).problems).toMatchObject([{ env, value }]);
});

test.each([
  [{}, undefined],
  [{ BACKLOT_MODE: "real" }, "BACKLOT_MODE=real"],
  [{ USE_REAL_DATA: "TRUE" }, "USE_REAL_DATA=TRUE"],
  [{ APP_MODE: "live", BACKLOT_MODE: "mock" }, "APP_MODE=live"],
  [{ APP_MODE: "development", USE_REAL_DATA: "false" }, undefined],
] as [Record<string, string>, string | undefined][])("%o asks for real mode by %s", (environment, asked) => {
  expect(readSettings([environment]).settings.realAskedBy).toBe(asked);
});

test.each([
  ["BACKLOT_CLOCK", "frozen@2025-01-15"],
  ["BACKLOT_CLOCK", "ticking@2025-01-15T12:00:00.5+01:00"],
  ["BACKLOT_WEBHOOK_ALLOW", "app,host.docker.internal,,2001:db8::1,[::2],hooks.test=127.0.0.1:3000"],
  ["BACKLOT_ALLOWED_HOSTS", "*"],
  ["BACKLOT_CORS_ORIGINS", "http://localhost:5173, https://console.example.test, chrome-extension://abc"],
])("%s=%s can be used", (env, value) => {
  expect(readSettings([{ [env]: value }]).problems).toEqual([]);
});

test("an empty port switches a service off, a size may have a unit", () => {
  const { settings } = readSettings([{ BACKLOT_SMTP_PORT: "", BACKLOT_BODY_LIMIT: "2MiB" }]);
  expect(settings.smtpPort).toBeUndefined();
  expect(settings.bodyLimit).toBe(2 * 1024 * 1024);
});

test.each([
  ["BACKLOT_PORT", "65536", "a port from 0 to 65535, 0 for a free one, empty to switch it off"],
  ["BACKLOT_MODE", "maybe", "one of mock, real"],
  ["BACKLOT_PACE", "", "a number, 0 or more"],
  ["BACKLOT_WEBHOOK_QUEUE", "1.5", "a whole number, 1 or more"],
  ["BACKLOT_JOURNAL_BYTES", "0", "more than 0 bytes"],
])("of %s=%s it is said what is allowed: %s", (env, value, allowed) => {
  expect(readSettings([{ [env]: value }]).problems).toEqual([{ env, value, allowed }]);
});
