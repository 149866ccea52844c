import { FakeKernel } from '@causeway/datapath/testing';
import { Ip } from '@causeway/model';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import { expect, it } from 'vitest';
import { whyNoEsp } from './esp.ts';

const random = new SeededRandom(1);
const kernelWith = (hasEsp: boolean): FakeKernel =>
  new FakeKernel({ clock: new FakeClock() }, { underlay: Ip('192.0.2.1'), hasEsp });

it.each([
  [true, undefined],
  [false, 'its kernel has no ESP with AES-GCM (ENOSYS); the kernel modules are esp4, esp6, xfrm_user and gcm'],
])('a kernel with ESP: %s, and nothing is left of the question', async (hasEsp, why) => {
  const kernel = kernelWith(hasEsp);
  const before = [...kernel.namespaces.keys()];
  for (let times = 0; times < 2; times++) expect(await whyNoEsp({ kernel, random })).toBe(why);
  expect([...kernel.namespaces.keys()]).toEqual(before);
});

it('what an agent that ended in the middle has left is no reason', async () => {
  const kernel = kernelWith(true);
  await kernel.apply([{ op: 'netns.add', netns: '/run/netns/cw-ffffffffff' as never }]);
  expect(await whyNoEsp({ kernel, random })).toBeUndefined();
});
