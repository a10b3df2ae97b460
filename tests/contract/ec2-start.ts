/** One EC2 spot emulator on free ports, and AWS SDK clients that are pointed at it by its environment alone. */
import { EC2Client } from "@aws-sdk/client-ec2";
import { STSClient } from "@aws-sdk/client-sts";
import { ec2Spot } from "../../emulators/ec2-spot/index.ts";
import { createSeals } from "../../emulators/ec2-spot/seals.ts";
import { openSessionAs } from "../../emulators/ec2-spot/sessions.ts";
import type { SpotStore } from "../../emulators/ec2-spot/store.ts";
import { type RunningEmulator, startEmulator } from "../../emulators/kernel/start.ts";

export const frozenAt = "2026-11-20T10:00:00Z";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Started {
  readonly emulator: RunningEmulator<SpotStore>;
  readonly url: string;
  readonly imds: string;
  readonly user: Credentials;
  readonly roleArn: string;
  readonly externalId: string;
  ec2(options?: { credentials?: Credentials; region?: string }): EC2Client;
  sts(options?: { credentials?: Credentials; region?: string }): STSClient;
  /** A hand-made query. */
  query(
    parameters: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: string; headers: Headers }>;
  close(): Promise<void>;
}

export async function startEc2(environment: Record<string, string> = {}): Promise<Started> {
  const emulator = await startEmulator(ec2Spot, {
    environment: {
      BACKLOT_EC2_PORT: "0",
      BACKLOT_IMDS_PORT: "0",
      BACKLOT_CLOCK: `frozen@${frozenAt}`,
      BACKLOT_LOG_LEVEL: "silent",
      ...environment,
    },
    processEnvironment: {},
  });
  const given = emulator.environment();
  const text = (name: string) => {
    const value = given[name];
    if (value === undefined) throw new Error(`the environment lacks ${name}`);
    return value;
  };
  const url = text("AWS_ENDPOINT_URL");
  const user = { accessKeyId: text("AWS_ACCESS_KEY_ID"), secretAccessKey: text("AWS_SECRET_ACCESS_KEY") };
  const settings = (options: { credentials?: Credentials; region?: string }) => ({
    endpoint: url,
    region: options.region ?? text("AWS_REGION"),
    credentials: options.credentials ?? user,
    maxAttempts: 1,
  });
  const clients: { destroy(): void }[] = [];
  const keep = <Client extends { destroy(): void }>(client: Client): Client => {
    clients.push(client);
    return client;
  };
  return {
    emulator,
    url,
    imds: text("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
    user,
    roleArn: text("BACKLOT_ROLE_ARN"),
    externalId: text("BACKLOT_EXTERNAL_ID"),
    ec2: (options = {}) => keep(new EC2Client(settings(options))),
    sts: (options = {}) => keep(new STSClient(settings(options))),
    async query(parameters, headers = {}) {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        body: new URLSearchParams(parameters).toString(),
      });
      return { status: answer.status, body: await answer.text(), headers: answer.headers };
    },
    async close() {
      for (const client of clients) client.destroy();
      await emulator.close();
    },
  };
}

/** A session that ended a moment ago on the wall clock, as any emulator with the same seed would have opened it. */
export function expiredSession(
  of: Started,
): Readonly<Record<"EXPIRED_KEY_ID" | "EXPIRED_SECRET" | "EXPIRED_TOKEN", string>> {
  const session = openSessionAs(createSeals(of.emulator.runtime.ids), {
    account: "111122223333",
    roleArn: of.roleArn,
    arn: "arn:aws:sts::111122223333:assumed-role/backlot-spot-switcher/old",
    userId: "AROAOLDOLDOLDOLDOLDOL:old",
    derived: new Uint8Array(5),
    expires: Date.now() - 1,
  });
  return { EXPIRED_KEY_ID: session.accessKeyId, EXPIRED_SECRET: session.secretAccessKey, EXPIRED_TOKEN: session.token };
}
