import { defineConfig } from 'vitest/config';
import { shared, unit } from '../vitest.config.ts';

// The unit tests of one folder, as tools/mutation.mjs runs them. Left out are tests of the real kernel and of files, which decide
// nothing, and simulations and sets of millions, which take seconds for each change: a change that only they notice lacks a
// unit test.
const folder = process.env['CAUSEWAY_MUTATION_FOLDER'] ?? '.';

export default defineConfig({
  ...shared,
  test: {
    ...unit,
    include: [`${folder}/**/*.test.ts`],
    exclude: ['**/*.kernel.test.ts', '**/*simulation.test.ts', '**/large.test.ts', '**/io/**'],
    // The files share one worker and its modules: to load the modules anew for each change would take most of the time.
    isolate: false,
  },
});
