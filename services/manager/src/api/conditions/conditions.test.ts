import { describe, expect, test } from 'vitest';
import { type Moment, never } from '../../store/moment.ts';
import { scriptEndpoint, scriptNetwork, scriptNode } from '../../testing/view-script.ts';
import type { Condition, HostState, Progress } from './condition.ts';
import { type EndpointFacts, endpointConditions } from './endpoint.ts';
import { type NetworkFacts, networkConditions } from './network.ts';
import { type NetworkOnHost, type NodeFacts, nodeConditions } from './node.ts';

const host = (name: string, over: Partial<HostState> = {}): HostState => {
  return { name, session: 'ready', since: at(20n), drift: 0, driftSince: never, ...over };
};
const lost = (name: string, revision = 50n): HostState => host(name, { session: 'none', since: at(revision) });

/** Each revision has its own time. */
function at(revision: bigint): Moment {
  return { revision, time: 1_000 * Number(revision) };
}

/**
 * A line such as "Programmed false Waiting @42: waiting for h2". A time that is not the revision's time is printed, too.
 */
function texts(conditions: readonly Condition[]): string[] {
  return conditions.map(({ type, status, reason, since, message }) => {
    const { time } = since.revision === 0n ? never : at(since.revision);
    const wrong = since.time === time ? '' : ` at ${since.time}`;
    return `${type} ${status} ${reason} @${since.revision}${wrong}: ${message}`.replace(/: $/, '');
  });
}

const allocated = 'Allocated true Claimed @40: VNI 4103 and 10.7.0.0/16 are claimed';

describe('networks', () => {
  const network = { value: scriptNetwork(7), written: at(40n) };
  const roomy = { prefix: '10.7.0.0/16', size: 100n, free: 50n };
  const progress: Progress = { revision: 42n, since: at(42n), have: 2, waiting: [], unreachable: [] };
  const hosts = { progress, states: [host('h1'), host('h2', { driftSince: at(30n) })] };
  const facts: NetworkFacts = { network, holdsVni: true, subnets: [roomy], exceedsUnderlay: false, small: [], hosts };
  const withHosts = (over: Partial<Progress>, states: HostState[] = hosts.states): NetworkFacts => {
    return { ...facts, hosts: { progress: { ...progress, ...over }, states } };
  };
  const leaderless = (({ hosts: _, ...rest }) => rest)(facts);
  const applied = 'Programmed true AllApplied @42: 2 hosts have applied revision 42';
  const healthy = 'Degraded false Healthy @42';

  test.each<[string, NetworkFacts, string[]]>([
    ['all is well', facts, [allocated, applied, healthy]],
    [
      'no manager leads',
      leaderless,
      [
        allocated,
        'Programmed unknown NoLeader @0: no manager leads at this moment',
        'Degraded unknown NoLeader @0: no manager leads at this moment',
      ],
    ],
    [
      'no manager leads, and a subnet is full all the same',
      { ...leaderless, subnets: [{ ...roomy, free: 0n }] },
      [
        allocated,
        'Programmed unknown NoLeader @0: no manager leads at this moment',
        'Degraded true SubnetExhausted @40: 10.7.0.0/16 has no free address',
      ],
    ],
    [
      'its VNI is claimed by something else',
      { ...facts, holdsVni: false },
      ['Allocated false ClaimMissing @40: VNI 4103 is not claimed by it', applied, healthy],
    ],
    [
      'no host has an endpoint of it',
      withHosts({ have: 0 }, []),
      [allocated, 'Programmed true NoHosts @42: no host needs it', healthy],
    ],
    [
      'two hosts are waited for, one since its session began',
      withHosts({ have: 1, waiting: [host('h3', { since: at(60n) }), host('h2')] }),
      [allocated, 'Programmed false Waiting @42: waiting for h2, h3 to apply revision 42', healthy],
    ],
    [
      'the only one that is waited for has just come back',
      withHosts({ waiting: [host('h3', { since: at(60n) })] }),
      [allocated, 'Programmed false Waiting @60: waiting for h3 to apply revision 42', healthy],
    ],
    [
      'a host is lost, the others have it',
      withHosts({ unreachable: [lost('h2')] }, [host('h1'), lost('h2')]),
      [
        allocated,
        'Programmed true AllApplied @50: 2 hosts have applied revision 42; no session with h2',
        'Degraded true HostLost @50: no session with h2',
      ],
    ],
    [
      'all hosts are lost',
      withHosts({ have: 0, unreachable: [lost('h1', 51n), lost('h2')] }, [lost('h1', 51n), lost('h2')]),
      [
        allocated,
        'Programmed unknown HostsLost @51: no session with h1, h2',
        'Degraded true HostLost @50: no session with h1; no session with h2',
      ],
    ],
    [
      'drift stands, a subnet runs out, the MTU is too large: all are named, the worst first',
      {
        ...withHosts({}, [host('h1', { drift: 3, driftSince: at(45n) })]),
        subnets: [
          { ...roomy, free: 4n },
          { prefix: 'fd07::/64', size: 8n, free: 0n },
        ],
        exceedsUnderlay: true,
      },
      [
        allocated,
        applied,
        'Degraded true Drift @40: 3 differences from the desired state remain on h1; 10.7.0.0/16 has 4 free addresses of 100; fd07::/64 has no free address; MTU 1450 is more than every host carries: it is being lowered',
      ],
    ],
    [
      'its fixed MTU is more than two hosts carry, one of which came later',
      {
        ...facts,
        small: [
          { name: 'h9', room: 1450, written: at(60n) },
          { name: 'h8', room: 1400, written: at(3n) },
        ],
      },
      [
        allocated,
        applied,
        `Degraded true UnderlayTooSmall @40: MTU 1450 of ${network.value.name} is more than h8, h9 carry, 1400 or 1450: full-size frames are lost or cut there`,
      ],
    ],
    [
      'no manager leads, and its MTU is more than a host carries since that came',
      { ...leaderless, small: [{ name: 'h9', room: 1400, written: at(60n) }] },
      [
        allocated,
        'Programmed unknown NoLeader @0: no manager leads at this moment',
        `Degraded true UnderlayTooSmall @60: MTU 1450 of ${network.value.name} is more than h9 carries, 1400: full-size frames are lost or cut there`,
      ],
    ],
    [
      'five in a hundred free is enough',
      { ...facts, subnets: [{ ...roomy, free: 5n }] },
      [allocated, applied, healthy],
    ],
    [
      'drift of a host that is lost is not known to stand',
      withHosts({}, [host('h1', { session: 'none', drift: 3 })]),
      [allocated, applied, 'Degraded true HostLost @20: no session with h1'],
    ],
    [
      'many hosts are waited for',
      withHosts({ waiting: ['h9', 'h8', 'h7', 'h6', 'h5', 'h4', 'h3'].map((name) => host(name)) }),
      [
        allocated,
        'Programmed false Waiting @42: waiting for h3, h4, h5, h6, h7 and 2 more to apply revision 42',
        healthy,
      ],
    ],
  ])('%s', (_, given, expected) => expect(texts(networkConditions(given))).toEqual(expected));
});

describe('endpoints', () => {
  const endpoint = { value: scriptEndpoint(9, 7, 2), written: at(41n) };
  const progress = { revision: 41n, since: at(41n), have: 2, waiting: [], unreachable: [] };
  const facts: EndpointFacts = { endpoint, unclaimed: [], hosts: { progress, own: host('h2') } };
  const on = (own: HostState | undefined): EndpointFacts => ({ ...facts, hosts: { progress, own } });
  const claimed = 'Allocated true Claimed @41: 10.7.0.9/16 is claimed';
  const applied = 'Programmed true AllApplied @41: 2 hosts have applied revision 41';

  test.each<[string, EndpointFacts, string[]]>([
    ['all is well', facts, [claimed, applied, 'Degraded false Healthy @41']],
    ['its host came back later', on(host('h2', { since: at(70n) })), [claimed, applied, 'Degraded false Healthy @70']],
    [
      'no manager leads',
      { endpoint, unclaimed: [] },
      [
        claimed,
        'Programmed unknown NoLeader @0: no manager leads at this moment',
        'Degraded unknown NoLeader @0: no manager leads at this moment',
      ],
    ],
    [
      'its address is another’s',
      { ...facts, unclaimed: [{ address: '10.7.0.9', owner: 'gateway' }] },
      [
        'Allocated false ClaimMissing @41: 10.7.0.9 is claimed by gateway: see "causeway ipam check"',
        applied,
        'Degraded false Healthy @41',
      ],
    ],
    [
      'its address has no claim',
      { ...facts, unclaimed: [{ address: '10.7.0.9', owner: undefined }] },
      [
        'Allocated false ClaimMissing @41: 10.7.0.9 has no claim: see "causeway ipam check"',
        applied,
        'Degraded false Healthy @41',
      ],
    ],
    ['its host is lost', on(lost('h2')), [claimed, applied, 'Degraded true HostLost @50: no session with h2']],
    [
      'its host is gone',
      on(undefined),
      [claimed, applied, `Degraded true HostGone @41: host ${endpoint.value.node} does not exist any more`],
    ],
    [
      'its host carries less than its network sends',
      {
        ...facts,
        tooLarge: {
          network: { value: scriptNetwork(7), written: at(46n) },
          host: { name: 'h2', room: 1400, written: at(9n) },
        },
      },
      [
        claimed,
        applied,
        `Degraded true UnderlayTooSmall @46: MTU 1450 of ${scriptNetwork(7).name} is more than h2 carries, 1400: full-size frames are lost or cut there`,
      ],
    ],
    [
      'drift stands on its host',
      on(host('h2', { drift: 1, driftSince: at(47n) })),
      [claimed, applied, 'Degraded true Drift @47: 1 difference from the desired state remains on h2'],
    ],
  ])('%s', (_, given, expected) => expect(texts(endpointConditions(given))).toEqual(expected));
});

describe('hosts', () => {
  const node = { value: scriptNode(1), written: at(10n) };
  const blue: NetworkOnHost = { name: 'blue', changed: at(42n), applied: true, exceedsUnderlay: false };
  const red = { ...blue, name: 'red', changed: at(43n) };
  const facts: NodeFacts = { node, networks: [blue, red], state: host('h1') };
  const ready = 'Ready true Session @20: its agent has a session';
  const applied = 'Programmed true AllApplied @43: 2 networks applied';

  test.each<[string, NodeFacts, string[]]>([
    ['all is well', facts, [ready, applied, 'Degraded false Healthy @20']],
    [
      'no manager leads',
      { node, networks: [] },
      ['Ready', 'Programmed', 'Degraded'].map((type) => `${type} unknown NoLeader @0: no manager leads at this moment`),
    ],
    [
      'silent',
      { ...facts, state: lost('h1') },
      [
        'Ready false NoSession @50: its agent has no session',
        'Programmed unknown NoSession @50: its agent has no session',
        'Degraded unknown NoSession @50: its agent has no session',
      ],
    ],
    [
      'its agent gets what it missed',
      {
        ...facts,
        networks: [
          { ...red, applied: false },
          { ...blue, applied: false },
        ],
        state: host('h1', { session: 'syncing' }),
      },
      [
        'Ready false Syncing @20: its agent is catching up',
        'Programmed false Waiting @42: not yet applied: blue, red',
        'Degraded false Healthy @20',
      ],
    ],
    [
      'drift stands',
      { ...facts, state: host('h1', { drift: 2, driftSince: at(33n) }) },
      [ready, applied, 'Degraded true Drift @33: 2 differences from the desired state remain'],
    ],
    [
      'its underlay is too small',
      { ...facts, networks: [{ ...blue, exceedsUnderlay: true }] },
      [
        ready,
        'Programmed true AllApplied @42: 1 network applied',
        'Degraded true UnderlayTooSmall @42: its underlay is too small for blue',
      ],
    ],
  ])('%s', (_, given, expected) =>
    expect(texts(nodeConditions(given))).toEqual([...expected, 'Attachable true Open @10: it gets new endpoints']),
  );

  test('drained, also when no manager leads', () => {
    const drained = { value: { ...node.value, drained: true }, written: at(12n) };
    const expected = 'Attachable false Drained @12: it is drained: it gets no new endpoints';
    expect(texts(nodeConditions({ ...facts, node: drained }))).toContain(expected);
    expect(texts(nodeConditions({ node: drained, networks: [] }))).toContain(expected);
  });
});
