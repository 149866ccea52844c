import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { managerHosts } from '../topology.ts';
import { type Fault, faultKinds, planFaults } from './plan.ts';

const settings = { hosts: managerHosts, ttl: 3_000, span: 90_000 };
const seeds = Array.from({ length: 200 }, (_, seed) => seed);
const processes = ({ target, host }: Fault): string[] => {
  return (target === 'both' ? ['manager', 'etcd'] : [target]).map((kind) => `${host} ${kind}`);
};

describe.each(['separate', 'embedded'] as const)('with %s etcd members', (etcd) => {
  const plan = (seed: number): readonly Fault[] => planFaults(new SeededRandom(seed), { ...settings, etcd });
  const plans = seeds.map(plan);

  test('a seed is a plan', () => {
    expect(plan(7)).toEqual(plan(7));
    expect(plan(7)).not.toEqual(plan(8));
  });

  test('every sort of fault comes, on every host', () => {
    const sorts = new Set(plans.flat().map(({ kind, target, host }) => `${kind} ${target} ${host}`));
    const wipes = [...sorts].filter((sort) => sort.startsWith('wipe'));
    expect(sorts.size - wipes.length).toBe(managerHosts.length * (3 + 4 + 3 + 4));
    expect(wipes.length).toBe(etcd === 'embedded' ? managerHosts.length : 0);
    const kinds = new Set(plans.flat().map(({ kind }) => kind));
    expect(faultKinds.filter((kind) => !kinds.has(kind))).toEqual(etcd === 'embedded' ? [] : ['wipe']);
  });

  test('one every 3 to 5 seconds, over before the run is, in the order of their beginnings', () => {
    for (const faults of plans) {
      expect(faults.length).toBeGreaterThan(etcd === 'embedded' ? 6 : 10);
      expect(faults.map(({ from }) => from)).toEqual(faults.map(({ from }) => from).sort((a, b) => a - b));
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
    for (const faults of plans) {
      const befalls = faults.filter(({ kind }) => ['kill', 'pause', 'wipe'].includes(kind));
      for (const [i, a] of befalls.entries()) {
        for (const b of befalls.slice(i + 1)) {
          const same = processes(a).some((one) => processes(b).includes(one));
          if (same) expect(b.from).toBeGreaterThan(a.to);
        }
      }
    }
  });

  test('no link is healed by the end of another fault', () => {
    const isOfLink = ({ kind, target }: Fault): boolean => target === 'link' || (kind === 'cut' && target === 'both');
    for (const faults of plans) {
      const links = faults.filter(isOfLink);
      for (const [i, a] of links.entries()) {
        for (const b of links.slice(i + 1)) {
          const pairs = ['cut', 'black-hole', 'one-way'];
          const shared = a.host === b.host || (pairs.includes(a.kind) && pairs.includes(b.kind));
          if (shared && a.kind !== 'cut' && b.kind !== 'cut') expect(b.from).toBeGreaterThan(a.to);
          if (pairs.includes(a.kind) && pairs.includes(b.kind)) expect(b.from).toBeGreaterThan(a.to);
        }
      }
    }
  });

  test('a member that is replaced has a whole cluster beside it', () => {
    for (const faults of plans) {
      for (const wipe of faults.filter(({ kind }) => kind === 'wipe')) {
        for (const other of faults.filter((fault) => fault !== wipe)) {
          expect(other.to < wipe.from || other.from >= wipe.to).toBe(true);
        }
      }
    }
  });

  test('faults overlap, up to the loss of a majority', () => {
    const down = (faults: readonly Fault[], at: number): number => {
      const hit = faults.filter(
        ({ from, to, target }) => !['manager', 'agent'].includes(target) && from <= at && at < to,
      );
      return new Set(hit.map(({ host }) => host)).size;
    };
    const worst = plans.map((faults) => Math.max(...faults.map(({ from }) => down(faults, from))));
    expect(worst).toContain(2);
  });
});
