import { defineConfig } from "vitest/config";

const shared = {
  environment: "node" as const,
  testTimeout: 20_000,
  hookTimeout: 30_000,
  allowOnly: false,
  setupFiles: ["tests/support/fixed-seed.ts"],
};

export default defineConfig({
  test: {
    // Every core: much of a test's time is spent waiting for the processes and sockets it talks to.
    maxWorkers: "100%",
    projects: [
      {
        test: {
          ...shared,
          name: "quick",
          include: ["tests/**/*.test.ts"],
          exclude: [
            "tests/**/*.slow.test.ts",
            "tests/**/*.console.test.ts",
            "tests/**/*.clients.test.ts",
            "**/node_modules/**",
          ],
        },
      },
      {
        test: {
          ...shared,
          name: "clients",
          include: ["tests/**/*.clients.test.ts"],
          exclude: ["**/node_modules/**"],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          ...shared,
          name: "slow",
          include: ["tests/**/*.slow.test.ts"],
          exclude: ["**/node_modules/**"],
          testTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...shared,
          name: "console",
          include: ["tests/**/*.console.test.ts"],
          exclude: ["**/node_modules/**"],
          testTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
