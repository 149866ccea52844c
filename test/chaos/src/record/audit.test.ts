import { Event, Event_EventType } from '@causeway/proto/gen/etcd/kv.js';
import { describe, expect, test } from 'vitest';
import { born, type Change, cooled, gone, made, unmade, warm } from '../testing/story.ts';
import { Audit } from './audit.ts';
import { revisionsOf } from './revision.ts';

const network = { name: 'blue', vni: 1, prefix: '10.0.0.0/24', id: 'n' };
const a = { name: 'a', ip: '10.0.0.2' };
const b = { name: 'b', ip: '10.0.0.3' };

/** Revisions from 2 on. The first one makes the network. */
function audit(...changes: readonly Change[]): Audit {
  const audit = new Audit();
  for (const [i, { puts = [], deletes = [] }] of [made(network), ...changes].entries()) {
    audit.take({ revision: i + 2, seen: i, puts, deletes });
  }
  return audit;
}

const both = (...changes: readonly Change[]): Change => ({
  puts: changes.flatMap(({ puts = [] }) => puts),
  deletes: changes.flatMap(({ deletes = [] }) => deletes),
});

describe('nothing wrong with', () => {
  test.each<[string, readonly Change[]]>([
    ['an address that cools before another has it', [born(a), gone(a), warm(a.ip), born({ ...b, ip: a.ip })]],
    ['one that cools and goes back to its name', [born(a), gone(a), born({ ...a, id: 'a2' })]],
    ['plain claims, as the first version wrote them', [both(born(a), { puts: [['addr/n/10.0.0.2', 'a']] })]],
    [
      'gateways of both forms',
      [
        {
          puts: [
            ['addr/n/10.0.0.5', 'gateway'],
            ['addr/n/fd00::1', '{"gateway":true}'],
          ],
        },
      ],
    ],
    ['one released and another claimed at one revision', [born(a), both(gone(a), born(b))]],
    ['a record written again', [born(a), { puts: (born(a).puts ?? []).slice(0, 1) }]],
    [
      'an Ethernet address that two networks have',
      [made({ name: 'x', vni: 2, prefix: '10.1.0.0/24' }), both(born(a), born({ ...a, network: 'x', id: 'c' }))],
    ],
    [
      'equal subnets in two address spaces',
      [both(made({ name: 'x', vni: 2, prefix: '10.1.0.0/24' }), inSpace('y', '10.0.0.0/24'))],
    ],
    ['a VNI that cools before another has it', [unmade(network), cooled('vni/1'), made({ ...network, id: 'm' })]],
  ])('%s', (_, changes) => {
    expect(audit(...changes).faults).toEqual([]);
  });
});

function inSpace(addressSpace: string, prefix: string): Change {
  const record = { id: 'z', name: 'z', addressSpace, vni: 3, subnets: [{ prefix }] };
  return {
    puts: [
      ['network/z', JSON.stringify(record)],
      ['network-name/z', 'z'],
      ['vni/3', '{"network":"z"}'],
      [`pool/${addressSpace}/${prefix.replace('/', '_')}`, 'z'],
    ],
  };
}

describe('it finds', () => {
  test.each<[string, readonly Change[], RegExp]>([
    [
      'two holders',
      [born(a), both({ puts: (born({ ...b, ip: a.ip }).puts ?? []).slice(0, 1) })],
      /4: addr\/n\/10\.0\.0\.2 is held by a and b/,
    ],
    ['a claim taken from its owner', [born(a), { puts: [['addr/n/10.0.0.2', 'b']] }], /goes from a to b/],
    [
      'a record without claim',
      [{ puts: (born(a).puts ?? []).slice(0, 2) }],
      /10\.0\.0\.2 is held by a and claimed by none/,
    ],
    [
      'a record without its name',
      [{ puts: (born(a).puts ?? []).filter(([key]) => !key.includes('name')) }],
      /endpoint-name\/n\/a is held by a and claimed by none/,
    ],
    ['a claim deleted under its holder', [born(a), warm(a.ip)], /claimed by none/],
    ['a claim that stays', [born(a), { deletes: ['endpoint/n/a'] }], /claimed by a, which does not hold it/],
    ['a claim that cools under its holder', [born(a), { puts: gone(a).puts ?? [] }], /claimed by none/],
    [
      'an address free without having cooled',
      [born(a), { deletes: [...(gone(a).deletes ?? []), 'addr/n/10.0.0.2'] }],
      /given up without cooling/,
    ],
    [
      'an address that goes on while it cools',
      [born(a), gone(a), born({ ...b, ip: a.ip })],
      /goes to b while it cools after a/,
    ],
    [
      'one Ethernet address twice',
      [born({ ...a, mac: '02:00:00:00:00:01' }), born({ ...b, mac: '02:00:00:00:00:01' })],
      /mac\/n\/02:00:00:00:00:01 is held by a and b/,
    ],
    [
      'one name twice',
      [born(a), { puts: born({ ...b, name: 'a', id: 'b' }).puts ?? [] }],
      /endpoint-name\/n\/a is held by a and b/,
    ],
    ['one VNI twice', [made({ name: 'x', vni: 1, prefix: '10.1.0.0/24' })], /vni\/1 is held by n and x/],
    [
      'a network without its VNI',
      [
        {
          puts: (made({ name: 'x', vni: 2, prefix: '10.1.0.0/24' }).puts ?? []).filter(
            ([key]) => !key.startsWith('vni'),
          ),
        },
      ],
      /vni\/2 is held by x and claimed by none/,
    ],
    [
      'overlapping subnets',
      [made({ name: 'x', vni: 2, prefix: '10.0.0.128/25' })],
      /10\.0\.0\.128\/25 of network x overlaps 10\.0\.0\.0\/24 of network blue/,
    ],
    [
      'overlapping IPv6 subnets',
      [made({ name: 'x', vni: 2, prefix: 'fd00::/48' }), made({ name: 'y', vni: 3, prefix: 'fd00:0:0:7::/64' })],
      /overlaps fd00::\/48 of network x/,
    ],
    ['an endpoint of no network', [born({ ...a, network: 'q' })], /endpoint a has no network q/],
    ['a network gone under its endpoint', [born(a), unmade(network)], /endpoint a has no network n any more/],
  ])('%s', (_, changes, fault) => {
    expect(audit(...changes).faults.join('\n')).toMatch(fault);
  });

  test.each<[string, readonly number[], string]>([
    ['revisions out of order', [2, 2], 'revision 2: comes after revision 2'],
    ['a gap', [2, 4], 'revision 4: comes after revision 2: the record has a gap'],
    ['a late beginning', [3], 'revision 3: comes after revision 1: the record has a gap'],
  ])('%s', (_, revisions, fault) => {
    const audit = new Audit();
    for (const revision of revisions) audit.take({ revision, seen: 0, puts: [], deletes: [] });
    expect(audit.faults).toEqual([fault]);
  });
});

test('who was ever there, and who is', () => {
  const found = audit(born(a), gone(a), warm(a.ip), born({ ...b, ip: a.ip }));
  expect(found.lives.map(({ name, born: { revision }, died }) => [name, revision, died?.revision])).toEqual([
    ['blue', 2, undefined],
    ['a', 3, 4],
    ['b', 6, undefined],
  ]);
  expect(found.endpoints.map(({ id }) => id)).toEqual(['b']);
  expect(found.networks.map(({ id }) => id)).toEqual(['n']);
  expect([found.revisions, found.revision]).toEqual([5, 6]);
});

describe('what was claimed when', () => {
  const { claims } = audit(born(a), born(b), gone(a), warm(a.ip));
  test.each<[first: number, last: number, taken: boolean, most: number]>([
    [2, 2, false, 0],
    [2, 3, true, 1],
    [3, 4, true, 2],
    [5, 5, true, 2],
    [6, 6, false, 1],
    [5, 6, true, 2],
  ])('from revision %i to %i', (first, last, taken, most) => {
    expect(claims.wasTaken('addr/n/10.0.0.2', first, last)).toBe(taken);
    expect(claims.mostTaken('addr/n', (ip) => ip !== '10.0.0.1', first, last)).toBe(most);
  });
});

test('events of a watch, by revision', () => {
  const event = (type: Event_EventType, key: string, value: string, modRevision: bigint): Event =>
    Event.create({ type, kv: { key: Buffer.from(key), value: Buffer.from(value), createRevision: 1n, modRevision } });
  const put = event(Event_EventType.PUT, '/p/a', '1', 7n);
  const gap = event(Event_EventType.DELETE, '/p/b', '', 8n);
  const empty = event(Event_EventType.PUT, '/p/c', '', 7n);
  const foreign = event(Event_EventType.PUT, '/p-events/c', '2', 9n);
  expect(revisionsOf([put, empty, gap, foreign], '/p/', 5)).toEqual([
    {
      revision: 7,
      seen: 5,
      puts: [
        ['a', '1'],
        ['c', ''],
      ],
      deletes: [],
    },
    { revision: 8, seen: 5, puts: [], deletes: ['b'] },
    { revision: 9, seen: 5, puts: [], deletes: [] },
  ]);
});
