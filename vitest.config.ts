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

export default defineConfig({
  test: {
    projects: [
      { ...shared, test: unit },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['e2e/**/*.e2e.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
