import type { NetworkId } from '@causeway/model';
import { createNetns, deleteNetns } from '@causeway/netlink/io';
import { describeOnKernel } from '@causeway/netlink/io/testing';
import { FakeClock } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { applyPlan, readState, teardown } from './apply.ts';
import { differences } from './difference.ts';
import { buildNetwork } from './drivers/build.ts';
import type { NetworkOnHost } from './drivers/driver.ts';
import { overlayNetns } from './drivers/overlay-names.ts';
import { createKernel } from './io/index.ts';
import type { Kernel } from './kernel.ts';
import { plan } from './plan.ts';
import { printOp } from './print.ts';
import type { NetnsPath } from './state.ts';
import { damage, networkOnHost, numbers } from './testing/arbitraries.ts';
import { FakeKernel } from './testing/fake-kernel.ts';
import { containerPath, vtep } from './testing/fixtures.ts';

const story = [networkOnHost, fc.array(damage, { maxLength: 12 }), networkOnHost] as const;
const claim = 'from whatever it was left in, one plan leads to what is desired, and then there is nothing to do';

it(`a kernel in memory: ${claim}`, async () => {
  await fc.assert(
    fc.asyncProperty(...story, async (before, done, after) => {
      const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: vtep(1) });
      for (const number of numbers) kernel.foreignNetns(containerPath(number));
      await reach(kernel, before);
      await kernel.apply(done);
      await reach(kernel, after);
    }),
    { numRuns: 300 },
  );
});

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

  it(claim, async () => {
    await fc.assert(
      fc.asyncProperty(...story, async (before, done, after) => {
        await teardown(kernel, netns);
        await reach(kernel, movedInput(before));
        await kernel.apply(done.map((op) => ({ ...op, netns: moved(op.netns) })));
        await reach(kernel, movedInput(after));
      }),
      { numRuns: 15 },
    );
  });
});

async function reach(kernel: Kernel, input: NetworkOnHost): Promise<void> {
  const desired = buildNetwork(input);
  const failures = await applyPlan(kernel, plan(await readState(kernel, desired), desired));
  expect(failures.map(({ op, errno }) => `${printOp(op)}: ${errno}`)).toEqual([]);
  const actual = await readState(kernel, desired);
  expect(plan(actual, desired).map(printOp)).toEqual([]);
  expect(differences(actual, desired)).toEqual([]);
}
