/** What a resource costs on a day: a pure function of the resource and the day, in millionths of a dollar. */
import { mix } from "./hash.ts";

interface Price {
  /** As Cost Management names the service. */
  readonly service: string;
  /** Millionths of a dollar a day, for the smallest size. */
  readonly daily: number;
  /** True for what people switch off at weekends. */
  readonly worked?: boolean;
}

const prices: Readonly<Record<string, Price>> = {
  storage: { service: "Storage", daily: 350_000 },
  vault: { service: "Key Vault", daily: 12_000 },
  app: { service: "Azure App Service", daily: 1_900_000, worked: true },
  function: { service: "Functions", daily: 140_000, worked: true },
  sqlServer: { service: "SQL Database", daily: 0 },
  sqlDatabase: { service: "SQL Database", daily: 4_800_000 },
  vm: { service: "Virtual Machines", daily: 2_300_000, worked: true },
  vmExtension: { service: "Virtual Machines", daily: 0 },
  subnet: { service: "Virtual Network", daily: 0 },
  registry: { service: "Container Registry", daily: 167_000 },
  cluster: { service: "Azure Kubernetes Service", daily: 7_200_000 },
  redis: { service: "Redis Cache", daily: 530_000 },
  nic: { service: "Virtual Network", daily: 0 },
  disk: { service: "Storage", daily: 640_000 },
  publicIp: { service: "Virtual Network", daily: 120_000 },
  insights: { service: "Azure Monitor", daily: 260_000 },
  securityGroup: { service: "Virtual Network", daily: 0 },
  network: { service: "Virtual Network", daily: 0 },
  balancer: { service: "Load Balancer", daily: 600_000 },
  plan: { service: "Azure App Service", daily: 1_800_000 },
  snapshot: { service: "Storage", daily: 210_000 },
  workspace: { service: "Log Analytics", daily: 900_000 },
  identity: { service: "Microsoft Entra ID", daily: 0 },
  serviceBus: { service: "Service Bus", daily: 330_000 },
  cosmos: { service: "Azure Cosmos DB", daily: 780_000 },
};
const other: Price = { service: "Others", daily: 50_000 };

export function serviceOf(typeKey: string): string {
  return (prices[typeKey] ?? other).service;
}

/** Resource groups and subscriptions cost nothing themselves. */
export function isBilled(typeKey: string): boolean {
  return typeKey !== "group" && typeKey !== "subscription";
}

/** `day` counts from 1970-01-01, a Thursday. */
export function costOn(typeKey: string, hash: number, day: number): number {
  const { daily, worked } = prices[typeKey] ?? other;
  if (daily === 0) return 0;
  const size = 2 ** ((hash >>> 5) % 4);
  const weekday = (day + 4) % 7;
  const share = worked && (weekday === 0 || weekday === 6) ? 55 : 100;
  // From 92 to 107 % of the usual day.
  const usage = 92 + (mix(hash, day) % 16);
  return Math.round((daily * size * share * usage) / 10_000);
}
