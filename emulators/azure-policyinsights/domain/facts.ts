/**
 * What each built-in definition looks at: one member of a resource, with the value that complies and the one that does
 * not. It is a compact rule of our own, not a copy of Azure's. Seeded resources are given their members by the same hash
 * that decides their states, so that the rule agrees with the states.
 */
import type { BuiltIn } from "./built-ins.ts";

export interface Fact {
  /** Where in the resource's body, dots between names; `related.*` counts resources that belong to it. */
  readonly path: string;
  /** As policy rules name it. */
  readonly alias: string;
  readonly good: unknown;
  readonly bad: unknown;
}

/** The tag that the seeded tag policies ask for. */
export const seededTag = "costCenter";

const property = (type: string, path: string, good: unknown, bad: unknown): Fact => ({
  path: `properties.${path}`,
  alias: `Microsoft.${type}/${path}`,
  good,
  bad,
});
const related = (type: string): Fact => ({ path: `related.${type}`, alias: type, good: 1, bad: 0 });
const tag: Fact = {
  path: `tags.${seededTag}`,
  alias: `tags['${seededTag}']`,
  good: "4711",
  bad: undefined,
};

const facts: Readonly<Record<string, Fact>> = {
  "404c3081-a854-4457-ae30-26a93ef643f9": property("Storage/storageAccounts", "supportsHttpsTrafficOnly", true, false),
  "34c877ad-507e-4c82-993e-3452a6e0ad3c": property(
    "Storage/storageAccounts",
    "networkAcls.defaultAction",
    "Deny",
    "Allow",
  ),
  "6edd7eda-6dd8-40f7-810d-67160c639cd9": related("Microsoft.Storage/storageAccounts/privateEndpointConnections"),
  "4fa4b6c0-31ca-4c0d-b10d-24b96f62a751": property("Storage/storageAccounts", "allowBlobPublicAccess", false, true),
  "2a1a9cdf-e04d-429a-8416-3bfb72a1b26f": property(
    "Storage/storageAccounts",
    "networkAcls.virtualNetworkRules",
    [{ action: "Allow" }],
    [],
  ),
  "c9d007d0-c057-4772-b18c-01e546713bcd": property(
    "Storage/storageAccounts",
    "networkAcls.bypass",
    "AzureServices",
    "None",
  ),
  "9f766f00-8d11-464e-80e1-4091d7874074": related("Microsoft.Storage/storageAccounts/privateEndpointConnections"),
  "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53": property("KeyVault/vaults", "enablePurgeProtection", true, false),
  "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d": property("KeyVault/vaults", "enableSoftDelete", true, false),
  "55615ac9-af46-4a59-874e-391cc3dfb490": property("KeyVault/vaults", "networkAcls.defaultAction", "Deny", "Allow"),
  "cf820ca0-f99e-4f3e-84fb-66e913812d21": related("Microsoft.Insights/diagnosticSettings"),
  "951af2fa-529b-416e-ab6e-066fd85ac459": related("Microsoft.Insights/diagnosticSettings"),
  "a4af4a39-4135-47fb-b175-47fbdf85311d": property("Web/sites", "httpsOnly", true, false),
  "f0e6e85b-9b9f-4a4b-b67b-f730d42f1b0b": property("Web/sites", "siteConfig.minTlsVersion", "1.3", "1.1"),
  "f9d614c5-c173-4d56-95a7-b4437057d193": property("Web/sites", "siteConfig.minTlsVersion", "1.3", "1.1"),
  "2b9ad585-36bc-4615-b300-fd4435808332": {
    path: "identity.type",
    alias: "identity.type",
    good: "SystemAssigned",
    bad: "None",
  },
  "1b8ca024-1d5c-4dec-8995-b1a932b41780": property("Sql/servers", "publicNetworkAccess", "Disabled", "Enabled"),
  "17k78e20-9358-41c9-923c-fb736d382a12": related("Microsoft.Sql/servers/databases/transparentDataEncryption"),
  "abfb4388-5bf4-4ad7-ba82-2cd2f41ceae9": related("Microsoft.Sql/servers/securityAlertPolicies"),
  "06a78e20-9358-41c9-923c-fb736d382a4d": property(
    "Compute/virtualMachines",
    "storageProfile.osDisk.managedDisk",
    { storageAccountType: "Premium_LRS" },
    undefined,
  ),
  "013e242c-8828-4970-87b3-ab247555486d": related("Microsoft.RecoveryServices/backupprotecteditems"),
  "f6de0be7-9a8a-4b8a-b349-43cf02d22f7c": related("Microsoft.Security/assessments/internetFacing"),
  "9daedab3-fb2d-461e-b861-71790eead4f6": related("Microsoft.Security/assessments/networkPorts"),
  "cccc23c7-8427-4f53-ad12-b6a63eb452b3": property(
    "Compute/virtualMachines",
    "hardwareProfile.vmSize",
    "Standard_D2s_v5",
    "Standard_M128s",
  ),
  "c0e996f8-39cf-4af9-9f45-83fbde810432": property(
    "Compute/virtualMachines/extensions",
    "publisher",
    "Microsoft.Azure.Monitor",
    "Contoso.Unapproved",
  ),
  "e71308d3-144b-4262-b144-efdc3cc90517": property(
    "Network/virtualNetworks/subnets",
    "networkSecurityGroup",
    { id: "nsg-default" },
    undefined,
  ),
  "d0793b48-0edc-4296-a390-4c75d1bdfd71": property(
    "ContainerRegistry/registries",
    "publicNetworkAccess",
    "Disabled",
    "Enabled",
  ),
  "ac4a19c2-fa67-49b4-8ae5-0b2e78c49457": property("ContainerService/managedClusters", "enableRBAC", true, false),
  "0a15ec92-a229-4763-bb14-0ea34a568f8d": property(
    "ContainerService/managedClusters",
    "addonProfiles.azurePolicy.enabled",
    true,
    false,
  ),
  "95edb821-ddaf-4404-9732-666045e056b4": property(
    "ContainerService/managedClusters",
    "privilegedContainers",
    false,
    true,
  ),
  "22bee202-a82f-4305-9a2a-6d7f44d4dedb": property("Cache/redis", "enableNonSslPort", false, true),
  "0e6763cc-5078-4e64-889d-ff4d9a839047": related("Microsoft.Security/pricings"),
  "e56962a6-4747-49cd-b67b-bf8b01975c4c": {
    path: "location",
    alias: "location",
    good: "westeurope",
    bad: "antarctica",
  },
  "871b6d14-10aa-478d-b590-94f262ecfa99": tag,
  "96670d01-0a4d-4649-9c89-2d3abc0a5025": tag,
  "ea3f2387-9b95-492a-a190-fcdc54f7b070": tag,
  "2a0e14a6-b0a6-4fab-991a-187a4f81c498": tag,
};

/** What a definition looks at; undefined for one that looks at something else than a single member. */
export function factFor(definition: BuiltIn): Fact | undefined {
  return definition.scope === undefined ? facts[definition.id] : undefined;
}

/** Definitions with one key look at one member of a resource. */
export function factOf(definition: BuiltIn): string {
  return factFor(definition)?.path ?? definition.id;
}
