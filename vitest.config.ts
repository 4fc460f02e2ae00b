import { defineConfig } from "vitest/config";

const minutes = 60_000;

/** unit: seconds, no VM. disk: real tools in a small VM. conversion: whole gateways, one VM at a time. */
export default defineConfig({
  test: {
    reporters: ["default"],
    globalSetup: "test/setup/temporary-folder.ts",
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000 } },
      {
        test: {
          name: "disk",
          include: ["test/disk/**/*.test.ts"],
          testTimeout: 10 * minutes,
          hookTimeout: 20 * minutes,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "conversion",
          include: ["test/conversion/**/*.test.ts"],
          testTimeout: 30 * minutes,
          hookTimeout: 30 * minutes,
          fileParallelism: false,
        },
      },
    ],
  },
});
