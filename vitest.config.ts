import { defineConfig } from "vitest/config";

// Tiers by file name: *.test.ts (unit), *.ref.test.ts (oracle numbers), *.scale.test.ts (minutes, gigabytes).
const scale = process.env.X_TEST_TIER === "scale";

export default defineConfig({
  test: {
    include: [`{packages,native,scripts,fixtures,benchmarks}/**/*${scale ? ".scale" : ""}.test.ts`],
    exclude: ["**/node_modules/**", "**/dist/**", ...(scale ? [] : ["**/*.scale.test.ts"])],
    setupFiles: ["scripts/property-seed.ts"],
    // Against a hang only: a busy machine must not decide a test.
    testTimeout: scale ? 1_800_000 : 600_000,
    hookTimeout: 600_000,
    // One line a file: a test of some seconds is ordinary here, and a log that lists them all hides the failures.
    slowTestThreshold: 60_000,
    // Tests start processes of their own; two files at once fill the two cores of a small machine.
    maxWorkers: 2,
  },
});
