import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const conditions = ['source', 'module', 'node', 'development|production'];
export const shared = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } } };

export const unit = {
  name: 'unit',
  include: [
    '{packages,services}/*/src/**/*.test.ts',
    'proto/{convert,failover,io}/**/*.test.ts',
    'test/*/{src,scenarios}/**/*.test.ts',
  ],
  setupFiles: ['test/property-seed.ts'],
  testTimeout: 120_000,
};

const e2e = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      // By default, vitest leaves one core to itself: half of a machine with two.
      { ...shared, test: { ...unit, maxWorkers: availableParallelism() } },
      {
        ...shared,
        test: {
          ...e2e,
          name: 'uml',
          include: ['e2e/uml-*.e2e.ts'],
          // Guests share nothing but the machine's files, and each uses one core.
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...shared,
        test: {
          ...e2e,
          name: 'e2e',
          include: ['e2e/**/*.e2e.ts'],
          exclude: ['e2e/uml-*.e2e.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
});
