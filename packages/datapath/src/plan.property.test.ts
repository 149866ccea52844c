import { FakeClock } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { it } from 'vitest';
import { numbers } from './testing/arbitraries.ts';
import { FakeKernel } from './testing/fake-kernel.ts';
import { containerPath, vtep } from './testing/fixtures.ts';
import { driftedHost, reach } from './testing/reach.ts';

it('a kernel in memory: from any drift, one plan leads to the desired state, and then there is nothing to do', async () => {
  await fc.assert(
    fc.asyncProperty(...driftedHost, async (before, done, after) => {
      const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: vtep(1) });
      for (const number of numbers) kernel.foreignNetns(containerPath(number));
      await reach(kernel, before);
      await kernel.apply(done);
      await reach(kernel, after);
    }),
    { numRuns: 300 },
  );
});
