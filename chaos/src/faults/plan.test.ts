import { SeededRandom } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { managerHosts } from '../lab.ts';
import { type Fault, planFaults } from './plan.ts';

const settings = { hosts: managerHosts, ttl: 3_000, span: 90_000 };
const plan = (seed: number): readonly Fault[] => planFaults(new SeededRandom(seed), settings);
const plans = Array.from({ length: 200 }, (_, seed) => plan(seed));

test('a seed is a plan', () => {
  expect(plan(7)).toEqual(plan(7));
  expect(plan(7)).not.toEqual(plan(8));
});

test('every sort of fault comes, on every host', () => {
  const sorts = new Set(plans.flat().map(({ kind, target, host }) => `${kind} ${target} ${host}`));
  expect(sorts.size).toBe(3 * 3 * 3);
});

test('one every 3 to 5 seconds, over before the run is', () => {
  for (const faults of plans) {
    expect(faults.length).toBeGreaterThan(12);
    for (const { from, to } of faults) {
      expect(to).toBeGreaterThan(from);
      expect(to).toBeLessThanOrEqual(settings.span);
    }
  }
});

test('a pause lasts two leases', () => {
  for (const { from, to } of plans.flat().filter(({ kind }) => kind === 'pause')) expect(to - from).toBe(6_000);
});

test('nothing befalls a process that is down or paused', () => {
  const processes = ({ target, host }: Fault): string[] => {
    return (target === 'both' ? ['manager', 'etcd'] : [target]).map((kind) => `${host} ${kind}`);
  };
  for (const faults of plans) {
    const befalls = faults.filter(({ kind }) => kind !== 'cut');
    for (const [i, a] of befalls.entries()) {
      for (const b of befalls.slice(i + 1)) {
        const same = processes(a).some((one) => processes(b).includes(one));
        if (same) expect(b.from).toBeGreaterThan(a.to);
      }
    }
  }
});

test('faults overlap, up to the loss of a majority', () => {
  const down = (faults: readonly Fault[], at: number): number => {
    const hit = faults.filter(({ from, to, target }) => target !== 'manager' && from <= at && at < to);
    return new Set(hit.map(({ host }) => host)).size;
  };
  const worst = plans.map((faults) => Math.max(...faults.map(({ from }) => down(faults, from))));
  expect(worst).toContain(2);
});
