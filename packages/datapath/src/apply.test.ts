import { FakeClock } from '@causeway/runtime/testing';
import { expect, it } from 'vitest';
import { applyPlan, readState, teardown } from './apply.ts';
import { newNamespace } from './draft.ts';
import type { Kernel, OpResult } from './kernel.ts';
import type { Op } from './kinds/table.ts';
import { hostNetns, type NetnsPath } from './state.ts';
import { FakeKernel } from './testing/fake-kernel.ts';
import { vtep } from './testing/fixtures.ts';

const [first, second] = ['/run/netns/cw-0123456789', '/run/netns/cw-9876543210'] as [NetnsPath, NetnsPath];
const ops: readonly Op[] = [first, second].map((netns) => ({ op: 'netns.add', netns }));

/** A kernel that answers with these results, and how often it is asked. */
function kernelWith(...results: readonly OpResult[]): Pick<Kernel, 'apply'> & { calls: number } {
  const kernel = {
    calls: 0,
    apply: () => {
      kernel.calls++;
      return Promise.resolve(results);
    },
  };
  return kernel;
}

it('a failure is reported with its op, and only that', async () => {
  const refused = { ok: false, errno: 'EPERM', message: 'not allowed' } as const;
  expect(await applyPlan(kernelWith({ ok: true }, refused), ops)).toEqual([
    { op: ops[1], errno: 'EPERM', message: 'not allowed' },
  ]);
  expect(await applyPlan(kernelWith({ ok: true }, { ok: true }), ops)).toEqual([]);
});

it('an op without a result has not failed', async () => {
  expect(await applyPlan(kernelWith({ ok: true }), ops)).toEqual([]);
});

it('the kernel is not asked for an empty plan', async () => {
  const kernel = kernelWith();
  expect(await applyPlan(kernel, [])).toEqual([]);
  expect(kernel.calls).toBe(0);
});

it('of a desired state the namespaces that exist are read, each in its own scope', async () => {
  const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: vtep(1) });
  await kernel.apply([
    { op: 'netns.add', netns: first },
    { op: 'sysctl.set', netns: first, key: 'net.ipv4.ip_forward', value: '1' },
  ]);
  const desired = new Map([first, second].map((netns) => [netns, newNamespace()]));
  const whole = await readState(kernel, desired);
  expect([...whole.keys()]).toEqual([first]);
  expect(whole.get(first)?.sysctls).toEqual(new Map());
  const scopes = new Map([[first, { sysctls: ['net.ipv4.ip_forward'] }]]);
  expect((await readState(kernel, desired, scopes)).get(first)?.sysctls.get('net.ipv4.ip_forward')).toBe('1');
  expect([...(await readState(kernel, new Map([[hostNetns, newNamespace()]]))).keys()]).toEqual([hostNetns]);
});

it('a namespace that is absent needs no teardown', async () => {
  const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: vtep(1) });
  await kernel.apply([{ op: 'netns.add', netns: first }]);
  expect([await teardown(kernel, second), await kernel.ownNetns()]).toEqual([[], [first]]);
  expect([await teardown(kernel, first), await kernel.ownNetns()]).toEqual([[], []]);
});
