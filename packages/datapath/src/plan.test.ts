import { InterfaceAddress, Ip, Prefix, Vni } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { applyPlan, readState, teardown } from './apply.ts';
import { differences } from './difference.ts';
import { buildNetwork } from './drivers/build.ts';
import { overlayNetns } from './drivers/overlay-names.ts';
import { plan, planSliced } from './plan.ts';
import { printState } from './print.ts';
import { blue, containerPath, onHost, row, sandbox, vtep } from './testing/fixtures.ts';
import { both, goldenOf, hostAfter, peer, runStory, type Story, withNetwork } from './testing/story.ts';

const netns = overlayNetns(blue.id);
const eth0 = containerPath(2);

const changes: readonly Story[] = [
  { name: 'first attach', after: both },
  { name: 'second attach', before: both, after: onHost([row(2, 1), row(3, 1), peer]) },
  { name: 'peer joins', before: onHost([row(2, 1)]), after: both },
  { name: 'peer moves to another host', before: both, after: onHost([row(2, 1), row(9, 3)]) },
  { name: 'peer leaves', before: both, after: onHost([row(2, 1)]) },
  { name: 'detach of one of two', before: onHost([row(2, 1), row(3, 1), peer]), after: both },
  { name: 'MTU lowered', before: both, after: withNetwork({ mtu: { kind: 'automatic', bytes: 1400 } }) },
  { name: 'an encrypted network', after: withNetwork({ driver: 'encrypted-overlay' }) },
  {
    name: 'a network that is to be encrypted',
    before: both,
    after: withNetwork({ driver: 'dual-overlay', mtu: { kind: 'automatic', bytes: 1416 } }),
  },
  {
    name: 'a network whose hosts begin to send in ESP',
    before: withNetwork({ driver: 'dual-overlay' }),
    after: withNetwork({ driver: 'dual-encrypted-overlay' }),
  },
  {
    name: 'a network that is encrypted from now on',
    before: withNetwork({ driver: 'dual-encrypted-overlay' }),
    after: withNetwork({ driver: 'encrypted-overlay' }),
  },
  { name: 'another VNI', before: both, after: withNetwork({ vni: Vni(4097) }) },
  { name: 'another VTEP of this host', before: both, after: { ...both, vtep: vtep(7) } },
  {
    name: 'two subnets of each family',
    after: onHost(
      [
        row(2, 1, ['10.66.0.2/16', 'fd66::2/64']),
        row(3, 1, ['10.77.0.3/24', 'fd77::3/64']),
        row(9, 2, ['10.77.0.9/24', 'fd77::9/64']),
      ],
      {
        network: {
          ...blue,
          subnets: [
            ...blue.subnets,
            { prefix: Prefix('10.77.0.0/24'), gateway: Ip('10.77.0.254') },
            { prefix: Prefix('fd77::/64'), gateway: Ip('fd77::1') },
          ],
        },
      },
    ),
  },
  {
    name: 'no gateways, IPv4 alone, an MTU too small for IPv6',
    after: onHost([row(2, 1, ['10.66.0.2/16']), row(9, 2, ['10.66.0.9/16'])], {
      network: {
        ...blue,
        mtu: { kind: 'fixed', bytes: 1200 },
        subnets: [{ prefix: Prefix('10.66.0.0/16') }],
      },
    }),
  },
  { name: 'an interface name with a dot', after: { ...both, sandboxes: [{ ...sandbox(2), ifname: 'eth0.7' }] } },
  {
    name: 'two endpoints of one container',
    after: onHost([row(2, 1), row(3, 1), peer], {
      sandboxes: [sandbox(2), { ...sandbox(3), netns: eth0, ifname: 'eth1' }],
    }),
  },
  {
    name: 'a sandbox of an unknown endpoint, and of an endpoint of another host',
    after: { ...both, sandboxes: [sandbox(2), sandbox(5), sandbox(9)] },
  },
  { name: 'an endpoint of this host without a sandbox', after: { ...both, sandboxes: [] } },
];

describe('plan', () => {
  for (const story of changes) {
    it(story.name, async () => {
      const { report, failures, left } = await runStory(story);
      expect(failures).toEqual([]);
      expect(left).toEqual([]);
      await expect(report).toMatchFileSnapshot(goldenOf(story));
    });
  }

  it('of a state with itself is empty', () => {
    const state = buildNetwork(both);
    expect(plan(state, state)).toEqual([]);
    expect(differences(state, state)).toEqual([]);
  });

  it('holds what the first attach promises', async () => {
    await expect(printState(buildNetwork(both))).toMatchFileSnapshot('golden/state.txt');
  });

  it("leaves alone what a container's owner did to it", async () => {
    const { kernel } = await hostAfter({ name: 'adoption', before: both, after: both });
    kernel.foreignLink(eth0, 'dummy0');
    const address = InterfaceAddress('10.66.9.9/16');
    kernel.foreign({ op: 'address.add', netns: eth0, dev: 'eth0', address });
    const route = { dst: Prefix('10.99.0.0/16'), gateway: Ip('10.66.0.50'), dev: 'eth0', metric: 0 };
    kernel.foreign({ op: 'route.set', netns: eth0, route });
    const desired = buildNetwork(both);
    const actual = await readState(kernel, desired);
    expect(plan(actual, desired)).toEqual([]);
    expect(differences(actual, desired)).toEqual([]);
  });

  it('does not touch a foreign interface that has the desired name: the kernel refuses the new interface', async () => {
    const { kernel } = await hostAfter({ name: 'taken', after: both });
    kernel.foreignLink(eth0, 'eth0');
    const desired = buildNetwork(both);
    const failures = await applyPlan(kernel, plan(await readState(kernel, desired), desired));
    expect(failures.map(({ op, errno }) => `${op.op} ${errno}`)).toContain('link.add EEXIST');
    expect((await kernel.read(eth0, { sysctls: [] }))?.links.get('eth0')?.kind).toBe('foreign');
  });

  it('keeps a pair whose container namespace outlives its path', async () => {
    const { kernel } = await hostAfter({ name: 'unmounted', before: both, after: both });
    const desired = buildNetwork(both);
    const actual = new Map(await readState(kernel, desired));
    actual.delete(eth0);
    expect(plan(actual, desired)).toEqual([]);
    expect(differences(actual, desired).map(({ kind, key, actual: is }) => [kind, key, is])).toEqual([
      ['netns', eth0, 'absent'],
    ]);
  });

  it('succeeds once a namespace that is being destroyed has given its VNI back', async () => {
    const { kernel, clock } = await hostAfter({
      name: 'dying',
      before: both,
      after: both,
      meanwhile: (host) => host.foreign({ op: 'netns.delete', netns }),
    });
    const desired = buildNetwork(both);
    const pass = async () => applyPlan(kernel, plan(await readState(kernel, desired), desired));
    expect((await pass()).map(({ op, errno }) => `${op.op} ${errno}`)).toContain('link.add EEXIST');
    await clock.advance(seconds(1));
    expect(await pass()).toEqual([]);
    expect(plan(await readState(kernel, desired), desired)).toEqual([]);
  });

  it('pauses while it goes through a large table, whether or not anything differs', () => {
    const rows = Array.from({ length: 250 }, (_, n) => row(n + 1, 2));
    const [none, whole] = [buildNetwork(onHost([row(255, 1)])), buildNetwork(onHost([row(255, 1), ...rows]))];
    for (const [actual, desired] of [
      [none, whole],
      [whole, none],
      [whole, whole],
    ] as const) {
      const work = planSliced(actual, desired);
      let step = work.next();
      let pauses = 0;
      for (; step.done !== true; step = work.next()) pauses++;
      expect(step.value).toEqual(plan(actual, desired));
      // There are 500 neighbours, in two families.
      expect(pauses).toBeGreaterThanOrEqual(1);
    }
  });

  it('teardown leaves nothing in the kernel', async () => {
    const { kernel } = await hostAfter({ name: 'teardown', before: both, after: both });
    expect(await teardown(kernel, netns)).toEqual([]);
    expect(await kernel.ownNetns()).toEqual([]);
    expect((await kernel.read(eth0, { sysctls: [] }))?.links.size).toBe(0);
    expect(await teardown(kernel, netns)).toEqual([]);
  });
});
