import { policyKey, type XfrmPolicy } from '../../kinds/xfrm-policy.ts';
import { hostNetns, type NetnsPath } from '../../state.ts';
import { block, demand, encryptedPort, ends } from '../xfrm-fixtures.ts';
import { type ContractCase, type ContractHost, must, outcome, read, same } from './host.ts';

const [v4, v6] = [ends[4], ends[6]];

export const xfrmPolicyCases: readonly ContractCase[] = [
  {
    name: 'policies are found as they were set, and are deleted: of each direction, action and family',
    async run(host) {
      const netns = await namespace(host);
      const policies = [
        ...[block('in'), block('out'), block('fwd'), block('in', 6), block('out', 6)],
        demand('out', v4.here, v4.there, { spi: 0x1200_0001 }),
        demand('in', v4.there, v4.here),
        demand('out', v6.here, v6.there, { spi: 0xffff_ffff }),
        withSport(block('out')),
      ];
      await must(host, ...policies.map((policy) => ({ op: 'xfrmPolicy.set', netns, policy }) as const));
      same((await read(host, netns)).xfrmPolicies, byKey(policies), 'found');
      await must(host, ...policies.map((policy) => ({ op: 'xfrmPolicy.delete', netns, policy }) as const));
      same((await read(host, netns)).xfrmPolicies, new Map(), 'deleted');
    },
  },
  {
    name: 'a policy that is set again is changed: its SPI, its action, its priority',
    async run(host) {
      const netns = await namespace(host);
      const first = demand('out', v4.here, v4.there, { spi: 0x1100_0001 });
      const changes: XfrmPolicy[] = [
        first,
        demand('out', v4.here, v4.there, { spi: 0x1200_0001 }),
        { ...first, action: { kind: 'block' } },
        { ...first, priority: first.priority + 1 },
      ];
      for (const policy of changes) {
        await must(host, { op: 'xfrmPolicy.set', netns, policy });
        same((await read(host, netns)).xfrmPolicies, byKey([policy]), policyKey(policy));
      }
    },
  },
  {
    name: 'a policy of another program is not found, and is replaced only by one of its direction and selector',
    async run(host) {
      const netns = await namespace(host);
      const ours = demand('out', v4.here, v4.there);
      const foreign = [
        demand('out', v4.here, v4.there, { priority: 5 }),
        demand('in', v4.there, v4.here, { reqid: 7 }),
      ];
      await host.foreign(...foreign.map((policy) => ({ op: 'xfrmPolicy.set', netns, policy }) as const));
      same((await read(host, netns)).xfrmPolicies, new Map(), 'found');
      for (const policy of foreign) await must(host, { op: 'xfrmPolicy.delete', netns, policy });
      await must(host, { op: 'xfrmPolicy.set', netns, policy: ours });
      same((await read(host, netns)).xfrmPolicies, byKey([ours]), 'set');
      await must(host, { op: 'xfrmPolicy.delete', netns, policy: ours });
      same((await read(host, netns)).xfrmPolicies, new Map(), 'deleted');
    },
  },
  {
    name: 'a policy: deleting succeeds when it is absent, or its namespace; setting without the namespace is ENOENT',
    async run(host) {
      const netns = await namespace(host);
      const gone = host.freshPath();
      same(await outcome(host, { op: 'xfrmPolicy.delete', netns, policy: block('in') }), 'ok', 'absent');
      same(await outcome(host, { op: 'xfrmPolicy.delete', netns: gone, policy: block('in') }), 'ok', 'no namespace');
      same(await outcome(host, { op: 'xfrmPolicy.set', netns: gone, policy: block('in') }), 'ENOENT', 'set');
    },
  },
  {
    name: 'a watch of the host namespace reports that another program deletes a policy of ours',
    async run(host) {
      const policy = withSport(block('fwd'));
      await must(host, { op: 'xfrmPolicy.set', netns: hostNetns, policy });
      let isReported = false;
      const watch = host.kernel.watch(hostNetns, (_, { more }) => {
        isReported ||= more;
      });
      await host.foreign({ op: 'xfrmPolicy.delete', netns: hostNetns, policy });
      await host.until(() => isReported);
      watch?.close();
      same((await read(host, hostNetns)).xfrmPolicies, new Map(), 'found');
    },
  },
  {
    name: 'a watch of the host namespace reports that another program replaces a policy of ours, which can then be set again',
    async run(host) {
      const policy = withSport(block('fwd'));
      let reports = 0;
      const watch = host.kernel.watch(hostNetns, (_, { more }) => {
        reports += more ? 1 : 0;
      });
      await must(host, { op: 'xfrmPolicy.set', netns: hostNetns, policy });
      // It takes time: what was to be reported is reported by then.
      await namespace(host);
      same(reports, 0, 'own write');
      await host.foreign({ op: 'xfrmPolicy.set', netns: hostNetns, policy: { ...policy, priority: 5 } });
      await host.until(() => reports > 0);
      same((await read(host, hostNetns)).xfrmPolicies, new Map(), 'replaced');
      watch?.close();
      await must(host, { op: 'xfrmPolicy.set', netns: hostNetns, policy });
      same((await read(host, hostNetns)).xfrmPolicies, byKey([policy]), 'set again');
      await must(host, { op: 'xfrmPolicy.delete', netns: hostNetns, policy });
    },
  },
];

/** A namespace without policies. */
export async function namespace(host: ContractHost): Promise<NetnsPath> {
  const netns = host.freshPath();
  await must(host, { op: 'netns.add', netns });
  return netns;
}

function withSport(policy: XfrmPolicy): XfrmPolicy {
  return { ...policy, selector: { ...policy.selector, sport: encryptedPort } };
}

function byKey(policies: readonly XfrmPolicy[]): Map<string, XfrmPolicy> {
  return new Map(policies.map((policy) => [policyKey(policy), policy]));
}
