/**
 * Built-in policy definitions and initiatives of Azure, with their real ids, versions, reference ids and groups.
 * Source: github.com/Azure/azure-policy (MIT), built-in-policies and built-in-references, April 2026. Policy rules are
 * not copied: `on` names the resource types a definition looks at.
 */

import type { Json } from "./json.ts";

export interface BuiltIn {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly version: string;
  /** Default effect as the definition writes it. */
  readonly effect: string;
  /** Keys of resource types, every type with tags and a location, or every type. */
  readonly on: readonly string[] | "indexed" | "all";
  /** Reference id and controls in Microsoft cloud security benchmark. */
  readonly mcsb?: readonly [reference: string, ...controls: string[]];
  /** Control in CIS Microsoft Azure Foundations Benchmark v2.0.0. */
  readonly cis?: string;
  /** Where a client made it; absent for what is built in. */
  readonly scope?: string;
  /** `policyRule` and `parameters` of what a client made. */
  readonly rule?: Json;
  readonly parameters?: Json;
}

export const builtIns: readonly BuiltIn[] = [
  {
    id: "404c3081-a854-4457-ae30-26a93ef643f9",
    name: "Secure transfer to storage accounts should be enabled",
    category: "Storage",
    version: "2.0.0",
    effect: "Audit",
    on: ["storage"],
    mcsb: ["secureTransferToStorageAccountMonitoring", "DP-3"],
    cis: "3.1",
  },
  {
    id: "34c877ad-507e-4c82-993e-3452a6e0ad3c",
    name: "Storage accounts should restrict network access",
    category: "Storage",
    version: "1.1.1",
    effect: "Audit",
    on: ["storage"],
    mcsb: ["disableUnrestrictedNetworkToStorageAccountMonitoring", "NS-2"],
    cis: "3.8",
  },
  {
    id: "6edd7eda-6dd8-40f7-810d-67160c639cd9",
    name: "Storage accounts should use private link",
    category: "Storage",
    version: "2.0.0",
    effect: "AuditIfNotExists",
    on: ["storage"],
    mcsb: ["storageAccountShouldUseAPrivateLinkConnectionMonitoringEffect", "NS-2"],
    cis: "3.10",
  },
  {
    id: "4fa4b6c0-31ca-4c0d-b10d-24b96f62a751",
    name: "Storage account public access should be disallowed",
    category: "Storage",
    version: "3.1.1",
    effect: "Audit",
    on: ["storage"],
    mcsb: ["StorageDisallowPublicAccess", "NS-2"],
    cis: "3.7",
  },
  {
    id: "2a1a9cdf-e04d-429a-8416-3bfb72a1b26f",
    name: "Storage accounts should restrict network access using virtual network rules",
    category: "Storage",
    version: "1.0.1",
    effect: "Audit",
    on: ["storage"],
    mcsb: ["storageAccountsShouldRestrictNetworkAccessUsingVirtualNetworkRulesMonitoringEffect", "NS-2"],
    cis: "3.8",
  },
  {
    id: "c9d007d0-c057-4772-b18c-01e546713bcd",
    name: "Storage accounts should allow access from trusted Microsoft services",
    category: "Storage",
    version: "1.0.0",
    effect: "Audit",
    on: ["storage"],
    cis: "3.9",
  },
  {
    id: "9f766f00-8d11-464e-80e1-4091d7874074",
    name: "Configure Storage account to use a private link connection",
    category: "Storage",
    version: "1.0.0",
    effect: "DeployIfNotExists",
    on: ["storage"],
  },
  {
    id: "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53",
    name: "Key vaults should have deletion protection enabled",
    category: "Key Vault",
    version: "2.1.0",
    effect: "Audit",
    on: ["vault"],
    mcsb: ["keyVaultsShouldHavePurgeProtectionEnabledMonitoringEffect", "DP-8"],
    cis: "8.5",
  },
  {
    id: "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d",
    name: "Key vaults should have soft delete enabled",
    category: "Key Vault",
    version: "3.1.0",
    effect: "Audit",
    on: ["vault"],
    mcsb: ["keyVaultsShouldHaveSoftDeleteEnabledMonitoringEffect", "DP-8"],
    cis: "8.5",
  },
  {
    id: "55615ac9-af46-4a59-874e-391cc3dfb490",
    name: "Azure Key Vault should have firewall enabled or public network access disabled",
    category: "Key Vault",
    version: "3.3.0",
    effect: "Audit",
    on: ["vault"],
    mcsb: ["firewallShouldBeEnabledOnKeyVaultMonitoringEffect", "NS-2", "DP-8"],
  },
  {
    id: "cf820ca0-f99e-4f3e-84fb-66e913812d21",
    name: "Resource logs in Key Vault should be enabled",
    category: "Key Vault",
    version: "5.0.0",
    effect: "AuditIfNotExists",
    on: ["vault"],
    mcsb: ["diagnosticsLogsInKeyVaultMonitoring", "DP-8", "LT-3"],
    cis: "5.4",
  },
  {
    id: "951af2fa-529b-416e-ab6e-066fd85ac459",
    name: "Deploy - Configure diagnostic settings for Azure Key Vault to Log Analytics workspace",
    category: "Key Vault",
    version: "2.0.1",
    effect: "DeployIfNotExists",
    on: ["vault"],
  },
  {
    id: "a4af4a39-4135-47fb-b175-47fbdf85311d",
    name: "App Service apps should only be accessible over HTTPS",
    category: "App Service",
    version: "4.0.0",
    effect: "Audit",
    on: ["app", "function"],
    mcsb: ["webAppEnforceHttpsMonitoring", "DP-3"],
    cis: "9.2",
  },
  {
    id: "f0e6e85b-9b9f-4a4b-b67b-f730d42f1b0b",
    name: "App Service apps should use the latest TLS version",
    category: "App Service",
    version: "2.2.0",
    effect: "AuditIfNotExists",
    on: ["app"],
    mcsb: ["latestTLSVersionShouldBeUsedInYourWebAppMonitoringEffect", "NS-8", "DP-3"],
    cis: "9.3",
  },
  {
    id: "f9d614c5-c173-4d56-95a7-b4437057d193",
    name: "Function apps should use the latest TLS version",
    category: "App Service",
    version: "2.3.0",
    effect: "AuditIfNotExists",
    on: ["function"],
    mcsb: ["latestTLSVersionShouldBeUsedInYourFunctionAppMonitoringEffect", "NS-8", "DP-3"],
    cis: "9.3",
  },
  {
    id: "2b9ad585-36bc-4615-b300-fd4435808332",
    name: "App Service apps should use managed identity",
    category: "App Service",
    version: "3.0.0",
    effect: "AuditIfNotExists",
    on: ["app"],
    mcsb: ["managedIdentityShouldBeUsedInYourWebAppMonitoringEffect", "IM-3"],
    cis: "9.5",
  },
  {
    id: "1b8ca024-1d5c-4dec-8995-b1a932b41780",
    name: "Public network access on Azure SQL Database should be disabled",
    category: "SQL",
    version: "1.1.0",
    effect: "Audit",
    on: ["sqlServer"],
    mcsb: ["publicNetworkAccessOnAzureSQLDatabaseShouldBeDisabledMonitoringEffect", "NS-2"],
    cis: "4.1.2",
  },
  {
    id: "17k78e20-9358-41c9-923c-fb736d382a12",
    name: "Transparent Data Encryption on SQL databases should be enabled",
    category: "SQL",
    version: "2.0.0",
    effect: "AuditIfNotExists",
    on: ["sqlDatabase"],
    mcsb: ["sqlDbEncryptionMonitoring", "DP-4"],
    cis: "4.1.5",
  },
  {
    id: "abfb4388-5bf4-4ad7-ba82-2cd2f41ceae9",
    name: "Azure Defender for SQL should be enabled for unprotected Azure SQL servers",
    category: "SQL",
    version: "2.0.1",
    effect: "AuditIfNotExists",
    on: ["sqlServer"],
    mcsb: ["sqlServerAdvancedDataSecurityMonitoring", "LT-1", "LT-2", "IR-3", "IR-5"],
    cis: "4.2.1",
  },
  {
    id: "06a78e20-9358-41c9-923c-fb736d382a4d",
    name: "Audit VMs that do not use managed disks",
    category: "Compute",
    version: "1.0.0",
    effect: "audit",
    on: ["vm"],
    cis: "7.2",
  },
  {
    id: "013e242c-8828-4970-87b3-ab247555486d",
    name: "Azure Backup should be enabled for Virtual Machines",
    category: "Backup",
    version: "3.0.0",
    effect: "AuditIfNotExists",
    on: ["vm"],
    mcsb: ["azureBackupShouldBeEnabledForVirtualMachinesMonitoringEffect", "BR-1", "BR-2"],
  },
  {
    id: "f6de0be7-9a8a-4b8a-b349-43cf02d22f7c",
    name: "Internet-facing virtual machines should be protected with network security groups",
    category: "Security Center",
    version: "3.0.0",
    effect: "AuditIfNotExists",
    on: ["vm"],
    mcsb: ["networkSecurityGroupsOnVirtualMachinesMonitoring", "NS-1"],
  },
  {
    id: "9daedab3-fb2d-461e-b861-71790eead4f6",
    name: "All network ports should be restricted on network security groups associated to your virtual machine",
    category: "Security Center",
    version: "3.0.0",
    effect: "AuditIfNotExists",
    on: ["vm"],
    mcsb: ["nextGenerationFirewallMonitoring", "NS-1"],
  },
  {
    id: "cccc23c7-8427-4f53-ad12-b6a63eb452b3",
    name: "Allowed virtual machine size SKUs",
    category: "Compute",
    version: "1.0.1",
    effect: "Deny",
    on: ["vm"],
  },
  {
    id: "c0e996f8-39cf-4af9-9f45-83fbde810432",
    name: "Only approved VM extensions should be installed",
    category: "Compute",
    version: "1.0.0",
    effect: "Audit",
    on: ["vmExtension"],
    cis: "7.5",
  },
  {
    id: "e71308d3-144b-4262-b144-efdc3cc90517",
    name: "Subnets should be associated with a Network Security Group",
    category: "Security Center",
    version: "3.0.0",
    effect: "AuditIfNotExists",
    on: ["subnet"],
    mcsb: ["networkSecurityGroupsOnSubnetsMonitoring", "NS-1"],
  },
  {
    id: "d0793b48-0edc-4296-a390-4c75d1bdfd71",
    name: "Container registries should not allow unrestricted network access",
    category: "Container Registry",
    version: "2.0.0",
    effect: "Audit",
    on: ["registry"],
    mcsb: ["containerRegistriesShouldNotAllowUnrestrictedNetworkAccessMonitoringEffect", "NS-2"],
  },
  {
    id: "ac4a19c2-fa67-49b4-8ae5-0b2e78c49457",
    name: "Role-Based Access Control (RBAC) should be used on Kubernetes Services",
    category: "Security Center",
    version: "1.1.0",
    effect: "Audit",
    on: ["cluster"],
    mcsb: ["kubernetesServiceRbacEnabledMonitoring", "PA-7"],
  },
  {
    id: "0a15ec92-a229-4763-bb14-0ea34a568f8d",
    name: "Azure Policy Add-on for Kubernetes service (AKS) should be installed and enabled on your clusters",
    category: "Kubernetes",
    version: "1.0.2",
    effect: "Audit",
    on: ["cluster"],
    mcsb: ["azurePolicyAddonStatus", "PV-2"],
  },
  {
    id: "95edb821-ddaf-4404-9732-666045e056b4",
    name: "Kubernetes cluster should not allow privileged containers",
    category: "Kubernetes",
    version: "9.2.0",
    effect: "Deny",
    on: ["cluster"],
    mcsb: ["privilegedContainersShouldBeAvoided", "PV-2"],
  },
  {
    id: "22bee202-a82f-4305-9a2a-6d7f44d4dedb",
    name: "Only secure connections to your Azure Cache for Redis should be enabled",
    category: "Cache",
    version: "1.0.0",
    effect: "Audit",
    on: ["redis"],
    mcsb: ["diagnosticsLogsInRedisCacheMonitoring", "DP-3"],
  },
  {
    id: "0e6763cc-5078-4e64-889d-ff4d9a839047",
    name: "Azure Defender for Key Vault should be enabled",
    category: "Security Center",
    version: "1.0.3",
    effect: "AuditIfNotExists",
    on: ["subscription"],
    mcsb: ["keyVaultsAdvancedDataSecurityMonitoringEffect", "DP-8", "LT-1", "LT-2", "IR-3", "IR-5"],
    cis: "2.1.10",
  },
  {
    id: "e56962a6-4747-49cd-b67b-bf8b01975c4c",
    name: "Allowed locations",
    category: "General",
    version: "1.1.0",
    effect: "Deny",
    on: "indexed",
  },
  {
    id: "0a914e76-4921-4c19-b460-a2d36003525a",
    name: "Audit resource location matches resource group location",
    category: "General",
    version: "2.1.0",
    effect: "Audit",
    on: "indexed",
  },
  {
    id: "871b6d14-10aa-478d-b590-94f262ecfa99",
    name: "Require a tag on resources",
    category: "Tags",
    version: "1.0.1",
    effect: "deny",
    on: "indexed",
  },
  {
    id: "96670d01-0a4d-4649-9c89-2d3abc0a5025",
    name: "Require a tag on resource groups",
    category: "Tags",
    version: "1.0.0",
    effect: "deny",
    on: ["group"],
  },
  {
    id: "ea3f2387-9b95-492a-a190-fcdc54f7b070",
    name: "Inherit a tag from the resource group if missing",
    category: "Tags",
    version: "1.0.0",
    effect: "modify",
    on: "indexed",
  },
  {
    id: "2a0e14a6-b0a6-4fab-991a-187a4f81c498",
    name: "Append a tag and its value to resources",
    category: "Tags",
    version: "1.0.1",
    effect: "append",
    on: "indexed",
  },
  {
    id: "6c112d4e-5bc7-47ae-a041-ea2d9dccd749",
    name: "Not allowed resource types",
    category: "General",
    version: "2.0.0",
    effect: "Deny",
    on: "indexed",
  },
  {
    id: "78460a36-508a-49a4-b2b2-2f5ec564f4bb",
    name: "Do not allow deletion of resource types",
    category: "General",
    version: "1.0.1",
    effect: "DenyAction",
    on: "indexed",
  },
  {
    id: "318b2bd9-9c39-9f8b-46a7-048401f33476",
    name: "Address coding vulnerabilities",
    category: "Regulatory Compliance",
    version: "1.1.0",
    effect: "Manual",
    on: ["subscription"],
  },
];

/** An initiative: a set of definitions with groups. */
export interface Initiative {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly version: string;
  /** First part of every group name; what follows is the control. */
  readonly groupPrefix: string;
  /** Where a client made it; absent for what is built in. */
  readonly scope?: string;
  readonly members?: readonly Member[];
  /** `parameters` of what a client made. */
  readonly parameters?: Json;
}

export const cloudSecurityBenchmark: Initiative = {
  id: "1f3afdf9-d0c9-4c3d-847f-89da613e70a8",
  name: "Microsoft cloud security benchmark",
  category: "Security Center",
  version: "57.56.0",
  groupPrefix: "Azure_Security_Benchmark_v3.0_",
};

export const cisFoundations: Initiative = {
  id: "06f19060-9e68-4070-92ca-f15cc126059e",
  name: "CIS Microsoft Azure Foundations Benchmark v2.0.0",
  category: "Regulatory Compliance",
  version: "1.10.0",
  groupPrefix: "CIS_Azure_2.0.0_",
};

/** A definition inside an initiative. */
export interface Member {
  readonly definition: BuiltIn;
  readonly reference: string;
  readonly groups: readonly string[];
  /** `parameters` that the initiative gives it. */
  readonly parameters?: Json;
}

/** The definitions of an initiative that are shipped here, in the order of `builtIns`. */
export function membersOf(initiative: Initiative): readonly Member[] {
  if (initiative.members) return initiative.members;
  return builtIns.flatMap((definition): Member[] => {
    const [reference, controls] =
      initiative === cloudSecurityBenchmark
        ? [definition.mcsb?.[0], definition.mcsb?.slice(1)]
        : // This benchmark refers to its definitions by their names.
          [definition.id, definition.cis === undefined ? undefined : [definition.cis]];
    if (reference === undefined || controls === undefined) return [];
    return [{ definition, reference, groups: controls.map((control) => initiative.groupPrefix + control) }];
  });
}
