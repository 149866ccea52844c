import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fullSize, ProbedHosts, type Underlay } from '../testing/probed-hosts.ts';
import { restOf, sendRate } from './rules.ts';

const healthy: Underlay = () => ({ delay: 1 });
const small = 100;

/** Three hosts whose paths are all up. */
function three(seed = 1): ProbedHosts {
  const hosts = new ProbedHosts(seed, 3, healthy);
  hosts.run(2_000);
  expect(hosts.states()).toEqual(['0>1 up', '0>2 up', '1>0 up', '1>2 up', '2>0 up', '2>1 up']);
  return hosts;
}

describe('a path', () => {
  test('is up with the first answer, and knows its round trip and its largest packet', () => {
    const hosts = new ProbedHosts(1, 2, healthy);
    expect(hosts.path(0, 1)).toMatchObject({ state: 'unknown', largest: 0, rtt: undefined });
    expect(hosts.run(5_000, () => hosts.path(0, 1).state === 'up')).toBeLessThan(1_100);
    expect(hosts.path(0, 1)).toMatchObject({ largest: fullSize, rtt: 2 });
  });

  test('on which one direction is broken: one host is not heard, the other one hears nothing', () => {
    const hosts = three();
    hosts.underlay = ({ from, to }) => (from === 0 && to === 2 ? 'lost' : { delay: 1 });
    hosts.run(5_000);
    const broken = ['0>2 not-heard', '2>0 hears-nothing'];
    expect(hosts.states()).toEqual(['0>1 up', broken[0], '1>0 up', '1>2 up', broken[1], '2>1 up']);
    expect(hosts.path(0, 2)).toMatchObject({ largest: 0, rtt: undefined });
    hosts.underlay = healthy;
    hosts.run(2_000);
    expect(hosts.states().filter((state) => !state.endsWith(' up'))).toEqual([]);
  });

  test('of a host that a firewall silences: that host hears nothing from any peer', () => {
    const hosts = three();
    hosts.underlay = ({ to }) => (to === 2 ? 'lost' : { delay: 1 });
    hosts.run(5_000);
    expect(hosts.states().filter((state) => !state.endsWith(' up'))).toEqual([
      '0>2 not-heard',
      '1>2 not-heard',
      '2>0 hears-nothing',
      '2>1 hears-nothing',
    ]);
  });

  test('that loses one direction, and later the other: it stays broken since the first', () => {
    const hosts = three();
    hosts.underlay = ({ from }) => (from === 0 ? 'lost' : { delay: 1 });
    hosts.run(5_000);
    const { age } = hosts.path(0, 2);
    expect(hosts.path(0, 2).state).toBe('not-heard');
    hosts.underlay = () => 'lost';
    hosts.run(5_000);
    expect(hosts.path(0, 2)).toMatchObject({ state: 'hears-nothing', age: age + 5_000 });
  });

  test('that loses large packets is small-only, its largest packet is found, and it heals', () => {
    fc.assert(
      fc.property(fc.integer({ min: small, max: fullSize - 1 }), (passes) => {
        const hosts = three();
        hosts.underlay = ({ size }) => (size > passes ? 'lost' : { delay: 1 });
        expect(hosts.run(5_000, () => hosts.path(0, 1).state !== 'up')).toBeLessThan(5_000);
        expect(hosts.path(0, 1).state).toBe('small-only');
        hosts.run(20_000);
        const { largest, state } = hosts.path(0, 1);
        expect(state).toBe('small-only');
        expect(largest).toBeLessThanOrEqual(passes);
        expect(passes - largest).toBeLessThan(8);
        hosts.underlay = healthy;
        expect(hosts.run(5_000, () => hosts.path(0, 1).state === 'up')).toBeLessThan(3_000);
      }),
      { numRuns: 40 },
    );
  });

  test('that comes back for small packets only is small-only, and was never up', () => {
    const hosts = three();
    hosts.underlay = () => 'lost';
    hosts.run(6_000);
    hosts.underlay = ({ size }) => (size > 900 ? 'lost' : { delay: 1 });
    const seen = new Set<string>();
    hosts.run(8_000, () => {
      seen.add(hosts.path(0, 1).state);
      return false;
    });
    seen.delete('not-heard');
    expect([...seen]).toEqual(['hears-nothing', 'small-only']);
  });
});

describe('a prober', () => {
  test('whose process stood still breaks no path of its own', () => {
    const hosts = three();
    hosts.sleep(0);
    hosts.run(30_000);
    expect(hosts.states().filter((state) => state.startsWith('0'))).toEqual(['0>1 up', '0>2 up']);
    hosts.wake(0);
    const broken = hosts.run(5_000, () => hosts.states().some((state) => /^0.*(heard|nothing)/.test(state)));
    expect(broken).toBeUndefined();
    expect(hosts.states().filter((state) => !state.endsWith(' up'))).toEqual([]);
  });

  test('sends at most its rate, also when no path works', () => {
    const hosts = new ProbedHosts(3, 150, healthy, (from, to) => from * to === 0);
    hosts.run(3_000);
    hosts.underlay = () => 'lost';
    hosts.run(8_000);
    const requests = hosts.sent.filter(({ from, isAnswer }) => from === 0 && !isAnswer).map(({ at }) => at);
    for (const [place, at] of requests.entries()) {
      const within = requests.slice(place).filter((each) => each < at + 1_000).length;
      expect(within).toBeLessThanOrEqual(sendRate.perSecond + sendRate.burst);
    }
    expect(hosts.states().every((state) => state.endsWith('hears-nothing'))).toBe(true);
  });
});

/** What the paths of some hosts go through: for each direction what it loses for good, and the odd packet that it loses. */
const stories = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  hosts: fc.integer({ min: 2, max: 6 }),
  delay: fc.integer({ min: 0, max: 150 }),
  oddLoss: fc.integer({ min: 0, max: 5 }),
  broken: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 8 }),
});

test('whatever breaks: known within five seconds, nothing else is broken, and all heals', () => {
  fc.assert(
    fc.property(stories, ({ seed, hosts: count, delay, oddLoss, broken }) => {
      const odd = new Set(broken.map(([from, to]) => `${from}>${to}`));
      const isBroken = (from: number, to: number): boolean => odd.has(`${from}>${to}`) || odd.has(`${to}>${from}`);
      const hosts = new ProbedHosts(seed, count, healthy);
      const lossy: Underlay = () => (hosts.random.float() * 100 < oddLoss ? 'lost' : { delay });
      hosts.underlay = lossy;
      hosts.run(restOf(count) + 2_000);
      hosts.underlay = (way) => (odd.has(`${way.from}>${way.to}`) ? 'lost' : lossy(way));
      hosts.run(5_000);
      for (const state of hosts.states()) {
        const [from = 0, to = 0] = (state.split(' ')[0] ?? '').split('>').map(Number);
        expect(`${state} ${/heard|nothing/.test(state)}`).toBe(`${state} ${isBroken(from, to)}`);
      }
      hosts.underlay = lossy;
      hosts.run(5_000);
      expect(hosts.states().filter((state) => !state.endsWith(' up'))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
