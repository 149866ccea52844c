import type { NetworkId } from '@causeway/model';
import { createNetns, deleteNetns } from '@causeway/netlink/io';
import { describeOnKernel } from '@causeway/netlink/io/testing';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, it } from 'vitest';
import { teardown } from './apply.ts';
import type { NetworkOnHost } from './drivers/driver.ts';
import { overlayNetns } from './drivers/overlay-names.ts';
import { createKernel } from './io/index.ts';
import type { NetnsPath } from './state.ts';
import { numbers } from './testing/arbitraries.ts';
import { containerPath } from './testing/fixtures.ts';
import { driftedHost, reach } from './testing/reach.ts';

describeOnKernel('a Linux kernel', () => {
  const kernel = createKernel();
  // All namespaces of the machine share one directory: another run of this test must use other names.
  const tag = process.pid.toString(16);
  const id = tag.padEnd(16, '0') as NetworkId;
  const netns = overlayNetns(id);
  const containers = new Map(numbers.map((n) => [containerPath(n), `/run/netns/cw-test-${tag}-${n}` as NetnsPath]));
  const moved = (path: NetnsPath): NetnsPath => containers.get(path) ?? netns;
  const movedInput = (input: NetworkOnHost): NetworkOnHost => ({
    ...input,
    network: { ...input.network, id },
    sandboxes: input.sandboxes.map((each) => ({ ...each, netns: moved(each.netns) })),
  });

  beforeEach(() => {
    for (const path of containers.values()) createNetns(path);
  });
  afterEach(async () => {
    await teardown(kernel, netns);
    for (const path of containers.values()) deleteNetns(path);
  });
  afterAll(() => kernel.close());

  it('from any drift, one plan leads to the desired state, and then there is nothing to do', async () => {
    await fc.assert(
      fc.asyncProperty(...driftedHost, async (before, done, after) => {
        await teardown(kernel, netns);
        await reach(kernel, movedInput(before));
        await kernel.apply(done.map((op) => ({ ...op, netns: moved(op.netns) })));
        await reach(kernel, movedInput(after));
      }),
      { numRuns: 15 },
    );
  });
});
