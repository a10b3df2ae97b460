/** The environment in which `backlot exec` runs a command. Pure. */

type Environment = Readonly<Record<string, string | undefined>>;

export interface RunEnvironment {
  readonly variables: Record<string, string>;
  /** Names, never values, of inherited variables that got a seeded value that means nothing elsewhere. */
  readonly replaced: readonly string[];
  /** Names of those that were taken away. */
  readonly removed: readonly string[];
}

/** Telemetry and update checks would fail a run that is otherwise clean; each tool has its own switch. */
const quiet: Readonly<Record<string, string>> = {
  AZURE_CORE_COLLECT_TELEMETRY: "false",
  AZURE_CORE_SURVEY_MESSAGE: "false",
  AZURE_AUTO_UPGRADE_ENABLE: "false",
  AZURE_EXTENSION_USE_DYNAMIC_INSTALL: "no",
  AZURE_DEV_COLLECT_TELEMETRY: "no", // azd
  AWS_CLI_AUTO_PROMPT: "off",
  SAM_CLI_TELEMETRY: "0",
  TWILIO_SKIP_NEW_VERSION_CHECK: "true",
  NO_UPDATE_NOTIFIER: "1", // npm and what uses update-notifier
  npm_config_update_notifier: "false",
  npm_config_audit: "false",
  npm_config_fund: "false",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  CHECKPOINT_DISABLE: "1", // Terraform
  DOTNET_CLI_TELEMETRY_OPTOUT: "1",
  POWERSHELL_TELEMETRY_OPTOUT: "1",
  NEXT_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
};

const provider = /^(AWS|AZURE|ARM|TWILIO)_/;
/** Variables that say who one is, or lead elsewhere than to the emulators. The rest (regions, retries) is the user's. */
const telling =
  /(KEY|SECRET|TOKEN|PASSWORD|PROFILE|CREDENTIAL|CERTIFICATE|ROLE|SID|CLIENT|TENANT|SUBSCRIPTION|USERNAME|USER_NAME|ACCOUNT|CONFIG_FILE|CONFIG_DIR|AUTHORITY|PHONE_NUMBER|METADATA|CLOUD)/;
/** An address set for one of these services, or a switch that ignores addresses, would lead past the emulators. */
const leadsElsewhere =
  /^AWS_(ENDPOINT_URL|ENDPOINT_URL_(EC2|STS|PRICING|FIS)|IGNORE_CONFIGURED_ENDPOINT_URLS)$|^TWILIO_(REGION|EDGE)$/;
/** Other proxies; ours are set in their place. */
const otherProxies = ["ALL_PROXY", "all_proxy"];

/**
 * @param seeded what `backlot env` prints: addresses, proxies, bundles, credentials
 * @param folder the run's own folder: tools keep their sign-ins there and not in the user's home
 */
export function runEnvironment(inherited: Environment, seeded: Environment, folder: string): RunEnvironment {
  const variables: Record<string, string> = {};
  const replaced: string[] = [];
  const removed: string[] = [];
  const own: Record<string, string | undefined> = {
    ...quiet,
    ...seeded,
    AZURE_CONFIG_DIR: `${folder}/azure`,
    AWS_CONFIG_FILE: `${folder}/aws-config`,
    AWS_SHARED_CREDENTIALS_FILE: `${folder}/aws-credentials`,
    BACKLOT_EXEC: "1",
  };
  // The public authority is what unmodified clients know, and the gateway leads it to the emulator.
  if (own.HTTPS_PROXY !== undefined) delete own.AZURE_AUTHORITY_HOST;
  // A region is a choice, not a credential. Older SDKs read the second name only.
  own.AWS_REGION = inherited.AWS_REGION ?? inherited.AWS_DEFAULT_REGION ?? own.AWS_REGION;
  own.AWS_DEFAULT_REGION = inherited.AWS_DEFAULT_REGION ?? inherited.AWS_REGION ?? own.AWS_DEFAULT_REGION;

  for (const [name, value] of Object.entries(inherited)) {
    if (value === undefined || own[name] !== undefined) {
      if (value !== undefined && provider.test(name) && telling.test(name) && value !== own[name]) replaced.push(name);
    } else if (otherProxies.includes(name)) removed.push(name);
    else if (provider.test(name) && (telling.test(name) || leadsElsewhere.test(name))) removed.push(name);
    else variables[name] = value;
  }
  for (const [name, value] of Object.entries(own)) if (value !== undefined) variables[name] = value;
  return { variables, replaced: replaced.sort(), removed: removed.sort() };
}
