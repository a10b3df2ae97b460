/** The resource types of the estate: what the built-in definitions look at, and neighbours that only general ones see. */

export interface ResourceType {
  readonly key: string;
  /** As Azure writes it; nested types have one slash more. */
  readonly type: string;
  /** How often it occurs in a resource group; 0 for what is not drawn. */
  readonly weight: number;
  /** Azure's recommended abbreviation, first part of the name. */
  readonly abbreviation: string;
  /** Abbreviation of the parent of a nested type. */
  readonly parent?: string;
  /** Definitions of mode Indexed only see types with tags and a location. */
  readonly indexed: boolean;
}

const top = (key: string, type: string, weight: number, abbreviation: string): ResourceType => ({
  key,
  type,
  weight,
  abbreviation,
  indexed: true,
});

export const resourceTypes: readonly ResourceType[] = [
  { key: "subscription", type: "Microsoft.Resources/subscriptions", weight: 0, abbreviation: "sub", indexed: false },
  {
    key: "group",
    type: "Microsoft.Resources/subscriptions/resourceGroups",
    weight: 0,
    abbreviation: "rg",
    indexed: false,
  },
  top("storage", "Microsoft.Storage/storageAccounts", 9, "st"),
  top("vault", "Microsoft.KeyVault/vaults", 7, "kv-"),
  top("app", "Microsoft.Web/sites", 8, "app-"),
  top("function", "Microsoft.Web/sites", 5, "func-"),
  top("sqlServer", "Microsoft.Sql/servers", 3, "sql-"),
  {
    key: "sqlDatabase",
    type: "Microsoft.Sql/servers/databases",
    weight: 5,
    abbreviation: "sqldb-",
    parent: "sql-",
    indexed: true,
  },
  top("vm", "Microsoft.Compute/virtualMachines", 12, "vm-"),
  {
    key: "vmExtension",
    type: "Microsoft.Compute/virtualMachines/extensions",
    weight: 7,
    abbreviation: "ext-",
    parent: "vm-",
    indexed: true,
  },
  {
    key: "subnet",
    type: "Microsoft.Network/virtualNetworks/subnets",
    weight: 7,
    abbreviation: "snet-",
    parent: "vnet-",
    indexed: false,
  },
  top("registry", "Microsoft.ContainerRegistry/registries", 2, "cr"),
  top("cluster", "Microsoft.ContainerService/managedClusters", 2, "aks-"),
  top("redis", "Microsoft.Cache/redis", 3, "redis-"),
  top("nic", "Microsoft.Network/networkInterfaces", 6, "nic-"),
  top("disk", "Microsoft.Compute/disks", 6, "disk-"),
  top("publicIp", "Microsoft.Network/publicIPAddresses", 3, "pip-"),
  top("insights", "Microsoft.Insights/components", 3, "appi-"),
  top("securityGroup", "Microsoft.Network/networkSecurityGroups", 3, "nsg-"),
  top("network", "Microsoft.Network/virtualNetworks", 1, "vnet-"),
  top("balancer", "Microsoft.Network/loadBalancers", 1, "lbi-"),
  top("plan", "Microsoft.Web/serverfarms", 2, "asp-"),
  top("snapshot", "Microsoft.Compute/snapshots", 1, "snap-"),
  top("workspace", "Microsoft.OperationalInsights/workspaces", 1, "log-"),
  top("identity", "Microsoft.ManagedIdentity/userAssignedIdentities", 1, "id-"),
  top("serviceBus", "Microsoft.ServiceBus/namespaces", 1, "sbns-"),
  top("cosmos", "Microsoft.DocumentDB/databaseAccounts", 1, "cosmos-"),
];

export const subscriptionType = 0;
export const groupType = 1;
export const locations = ["", "westeurope", "northeurope", "eastus", "eastus2"] as const;

/** Type codes by weight: draw one with a hash modulo its length. */
export function drawnTypes(): Uint8Array {
  return Uint8Array.from(resourceTypes.flatMap((type, code) => new Array<number>(type.weight).fill(code)));
}
