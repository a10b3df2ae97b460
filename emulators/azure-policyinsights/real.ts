export const real = {
  service: "Azure Policy Insights",
  required: [
    { env: "AZURE_TENANT_ID", about: "Directory (tenant) id", example: "00000000-0000-0000-0000-000000000000" },
    { env: "AZURE_CLIENT_ID", about: "Application (client) id", example: "00000000-0000-0000-0000-000000000000" },
    { env: "AZURE_CLIENT_SECRET", about: "A secret of that application", example: "your-client-secret" },
    {
      env: "AZURE_SUBSCRIPTION_ID",
      about: "The subscription that is asked about",
      example: "00000000-0000-0000-0000-000000000000",
    },
  ],
  docs: "README.md#real-mode",
} as const;
