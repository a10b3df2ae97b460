/** The variables that point AWS SDKs and CLIs here. */
import type { Address, Runtime } from "../kernel/emulator.ts";
import type { SpotStore } from "./store.ts";

export function environment(
  runtime: Runtime<SpotStore>,
  addresses: readonly Address[],
): Readonly<Record<string, string>> {
  const { state } = runtime;
  const account = state.firstAccount();
  const key = account && state.firstAccessKey(account.id);
  const role = account && state.firstRole(account.id);
  const url = (name: string) => {
    const address = addresses.find((candidate) => candidate.name === name);
    return address && `${address.scheme}://${address.host}:${address.port}`;
  };
  const ec2 = url("ec2");
  const imds = url("imds");
  const { region } = state.settings();
  return {
    ...(key ? { AWS_ACCESS_KEY_ID: key.id, AWS_SECRET_ACCESS_KEY: key.secret } : {}),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    ...(ec2
      ? {
          AWS_ENDPOINT_URL: ec2,
          AWS_ENDPOINT_URL_EC2: ec2,
          AWS_ENDPOINT_URL_STS: ec2,
          AWS_ENDPOINT_URL_PRICING: ec2,
          AWS_ENDPOINT_URL_FIS: ec2,
          BACKLOT_SPOT_ADVISOR_URL: `${ec2}/spot-advisor-data.json`,
        }
      : {}),
    // Without the emulated service an SDK would wait for the real one, which is nowhere.
    ...(imds ? { AWS_EC2_METADATA_SERVICE_ENDPOINT: imds } : { AWS_EC2_METADATA_DISABLED: "true" }),
    ...(role ? { BACKLOT_ROLE_ARN: role.arn } : {}),
    ...(role?.externalId === undefined ? {} : { BACKLOT_EXTERNAL_ID: role.externalId }),
  };
}
