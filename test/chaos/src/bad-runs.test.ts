import { describe, test } from 'vitest';
import { a, b, bystander, expectVerdict, other, type Wrong } from './testing/expect-verdict.ts';
import {
  born,
  call,
  cooled,
  type Deed,
  deed,
  done,
  evidenceOf,
  gone,
  made,
  refused,
  unknown,
  unmade,
  warm,
} from './testing/story.ts';

describe('bad runs', () => {
  test.each<[string, readonly Deed[], Wrong]>([
    [
      'an address given to two, one after the other, though each left in time',
      [
        deed(call('claim', 'a', [0, 1], done('n 10.0.0.2')), born(a)),
        deed(gone(a)),
        deed(warm(a.ip)),
        deed(call('claim', 'b', [2, 3], done('n 10.0.0.2')), born(b)),
        deed(call('release', 'a', [4, 5], done('n 10.0.0.2'))),
      ],
      {
        notLinearizable: [/claim b/],
        unasked: [
          /endpoint a is gone at revision 4, before a call asked for that/,
          /claim of endpoint b was answered before/,
        ],
      },
    ],
    [
      'an address other than the one that was answered',
      [deed(call('claim', 'a', [0, 1], done('n 10.0.0.9')), born(a))],
      {
        notLinearizable: [/n 10\.0\.0\.9 .*read none/s, /n 10\.0\.0\.2 .*read a/s],
        unasked: [/claim of endpoint a was answered n 10\.0\.0\.9, its record has n 10\.0\.0\.2/],
      },
    ],
    [
      'every claim refused though the pool is empty',
      [
        deed(call('claim', 'a', [0, 1], refused('address-exhausted'), { network: 'blue' })),
        deed(call('claim', 'b', [2, 3], refused('address-in-use'), { network: 'blue', addresses: ['10.0.0.7'] })),
      ],
      {
        incomplete: [/no claim was ever done/],
        unexplained: [
          /claim of a \(blue\) was answered address-exhausted/,
          /claim of b \(blue, 10\.0\.0\.7\) was answered address-in-use/,
        ],
      },
    ],
    [
      'a pool said to be exhausted that has had one address left for a while',
      [
        ...[2, 3, 4, 5, 6].map((i) =>
          deed(
            call('claim', `e${i}`, [0, 1], done(`small 10.9.0.${i}`)),
            born({ name: `e${i}`, ip: `10.9.0.${i}`, network: 'small' }),
          ),
        ),
        deed(
          call('release', 'e6', [2, 3], done('small 10.9.0.6')),
          gone({ name: 'e6', ip: '10.9.0.6', network: 'small' }),
        ),
        deed(call('claim', 'f', [4, 5], refused('address-exhausted'), { network: 'small' })),
        deed(warm('10.9.0.6', 'small')),
        deed(call('claim', 'g', [60_000, 60_001], refused('address-exhausted'), { network: 'small' })),
      ],
      { unexplained: [/claim of g \(small\) was answered address-exhausted/] },
    ],
    [
      'a pool said to be exhausted when a try that was not answered at once is over for long',
      [
        ...[2, 3, 4, 5].map((i) =>
          deed(
            call('claim', `e${i}`, [0, 1], done(`small 10.9.0.${i}`)),
            born({ name: `e${i}`, ip: `10.9.0.${i}`, network: 'small' }),
          ),
        ),
        deed(call('claim', 'f', [2, 13_000], refused('address-in-use'), { network: 'small', addresses: ['10.9.0.2'] })),
        deed(call('claim', 'g', [24_000, 24_001], refused('address-exhausted'), { network: 'small' })),
      ],
      { unexplained: [/claim of g \(small\) was answered address-exhausted/] },
    ],
    [
      'one call carried out twice, one after the other',
      [
        ...bystander,
        deed(call('claim', 'a', [0, 1], unknown), born(a)),
        deed(call('release', 'a', [2, 3], unknown), gone(a)),
        deed(warm(a.ip)),
        deed(born({ ...a, id: 'a2' })),
      ],
      { unasked: [/endpoint a was made 2 times, at revisions 6, 9/] },
    ],
    [
      'an unacknowledged claim that vanishes without a release',
      [...bystander, deed(call('claim', 'a', [0, 1], unknown), born(a)), deed(gone(a))],
      { unasked: [/endpoint a is gone at revision 7, and no call took it away/] },
    ],
    [
      'a release refused for what is there',
      [
        deed(call('claim', 'a', [0, 1], done('n 10.0.0.2')), born(a)),
        deed(call('release', 'a', [2, 3], refused('endpoint-unknown'))),
      ],
      { notLinearizable: [/absent a/] },
    ],
    [
      'an address freed without cooling',
      [
        deed(call('claim', 'a', [0, 1], done('n 10.0.0.2')), born(a)),
        deed(call('release', 'a', [2, 3], done('n 10.0.0.2')), {
          deletes: [...(gone(a).deletes ?? []), `addr/n/${a.ip}`],
        }),
      ],
      { inconsistent: [/addr\/n\/10\.0\.0\.2 is given up without cooling/] },
    ],
    [
      'an address that cools, given to another name',
      [
        deed(call('claim', 'a', [0, 1], done('n 10.0.0.2')), born(a)),
        deed(call('release', 'a', [2, 3], done('n 10.0.0.2')), gone(a)),
        deed(call('claim', 'b', [4, 5], done('n 10.0.0.2')), born(b)),
      ],
      { inconsistent: [/addr\/n\/10\.0\.0\.2 goes to b while it cools after a/] },
    ],
    [
      // A release of an absent endpoint is answered endpoint-unknown. So two successful releases must have freed two things.
      'released twice, both done',
      [
        deed(call('claim', 'a', [0, 1], done('n 10.0.0.2')), born(a)),
        deed(call('release', 'a', [2, 3], done('n 10.0.0.2')), gone(a)),
        deed(call('release', 'a', [4, 5], done('n 10.0.0.2'))),
      ],
      { notLinearizable: [/release a/] },
    ],
    [
      'two endpoints with one Ethernet address',
      [
        deed(call('claim', 'a', [0, 1], done('n 10.0.0.2')), born({ ...a, mac: '02:00:00:00:00:01' })),
        deed(call('claim', 'b', [0, 1], done('n 10.0.0.3')), born({ ...other, mac: '02:00:00:00:00:01' })),
      ],
      { inconsistent: [/mac\/n\/02:00:00:00:00:01 is held by a and b/] },
    ],
    [
      'two endpoints with one name in a network',
      [
        deed(call('claim', 'a', [0, 1], done('n 10.0.0.2')), born(a)),
        deed(born({ name: 'a', ip: '10.0.0.3', id: 'a2' })),
      ],
      {
        inconsistent: [
          /endpoint-name\/n\/a goes from a to a2/,
          /endpoint-name\/n\/a is held by a and a2/,
          /endpoint-name\/n\/a is held by a and claimed by a2/,
          /endpoint-name\/n\/a is held by a2 and claimed by none/,
        ],
        notLinearizable: [/n 10\.0\.0\.3/],
        unasked: [/endpoint a was made 2 times/],
      },
    ],
    [
      'a claim that was done with nothing',
      [deed(call('claim', 'a', [0, 1], done()), born(a))],
      { unasked: [/claim of endpoint a was answered with nothing it has/], notLinearizable: [/n 10\.0\.0\.2/] },
    ],
    [
      'an acknowledged claim that was never made',
      [deed(call('claim', 'a', [0, 1], done('n 10.0.0.2')))],
      { lost: [/endpoint a was acknowledged and is not there/], notLinearizable: [/read none/] },
    ],
    [
      'an acknowledged claim that vanished by itself',
      [deed(call('claim', 'a', [0, 1], done('n 10.0.0.2')), born(a)), deed(gone(a))],
      {
        lost: [/endpoint a was acknowledged and is not there/],
        notLinearizable: [/read none/],
        unasked: [/endpoint a is gone at revision 4, and no call took it away/],
      },
    ],
    [
      'a claim acknowledged before the store had it',
      [
        deed(call('claim', 'a', [0, 1], done('n 10.0.0.2'))),
        deed(call('claim', 'b', [5, 6], done('n 10.0.0.3')), born(other)),
        deed(born(a)),
      ],
      { unasked: [/claim of endpoint a was answered before revision 4 did it/] },
    ],
    [
      'a refused claim that is there all the same',
      [
        deed(call('claim', 'b', [0, 1], done('n 10.0.0.2')), born(b)),
        deed(
          call('claim', 'a', [2, 3], refused('address-in-use'), { network: 'blue', addresses: ['10.0.0.2'] }),
          born({ name: 'a', ip: '10.0.0.3' }),
        ),
      ],
      { unasked: [/endpoint a is there at revision 4, and no call made it/], notLinearizable: [/n 10\.0\.0\.3/] },
    ],
    [
      'an endpoint made before it was asked for',
      [deed(born(a)), deed(call('claim', 'a', [9, 10], done('n 10.0.0.2')))],
      { unasked: [/endpoint a is there at revision 3, before it was asked for/] },
    ],
    [
      'an address given to two at once',
      [
        deed(call('claim', 'a', [0, 1], done('n 10.0.0.2')), born(a)),
        deed(call('claim', 'b', [2, 3], done('n 10.0.0.2')), born({ ...b, mac: '02:00:00:00:00:09' })),
      ],
      {
        inconsistent: [
          /addr\/n\/10\.0\.0\.2 goes from a to b/,
          /addr\/n\/10\.0\.0\.2 is held by a and b/,
          /addr\/n\/10\.0\.0\.2 is held by a and claimed by b/,
          /addr\/n\/10\.0\.0\.2 is held by b and claimed by none/,
        ],
        notLinearizable: [/claim b/],
      },
    ],
    [
      'a claim refused for its own name',
      [...bystander, deed(call('claim', 'a', [0, 1], refused('name-taken'), { network: 'blue' }))],
      { unexplained: [/claim of a \(blue\) was answered name-taken/] },
    ],
    [
      'two networks with one VNI',
      [
        ...bystander,
        deed(
          call('create', 'x', [1, 2], done('vni 9', 'subnet 10.7.0.0/24')),
          made({ name: 'x', vni: 9, prefix: '10.7.0.0/24' }),
        ),
        deed(
          call('create', 'y', [3, 4], done('vni 9', 'subnet 10.8.0.0/24')),
          made({ name: 'y', vni: 9, prefix: '10.8.0.0/24' }),
        ),
      ],
      {
        inconsistent: [
          /vni\/9 goes from x to y/,
          /vni\/9 is held by x and y/,
          /vni\/9 is held by x and claimed by y/,
          /vni\/9 is held by y and claimed by none/,
        ],
        notLinearizable: [/vni 9/],
      },
    ],
    [
      'two networks whose subnets overlap',
      [
        ...bystander,
        deed(
          call('create', 'x', [1, 2], done('vni 8', 'subnet 10.7.0.0/16')),
          made({ name: 'x', vni: 8, prefix: '10.7.0.0/16' }),
        ),
        deed(
          call('create', 'y', [3, 4], done('vni 9', 'subnet 10.7.8.0/24')),
          made({ name: 'y', vni: 9, prefix: '10.7.8.0/24' }),
        ),
      ],
      { inconsistent: [/10\.7\.8\.0\/24 of network y overlaps 10\.7\.0\.0\/16 of network x/] },
    ],
    [
      'a network created twice for one call',
      [
        ...bystander,
        deed(call('create', 'x', [1, 2], unknown), made({ name: 'x', vni: 8, prefix: '10.7.0.0/24' })),
        deed(call('delete', 'x', [3, 4], unknown), unmade({ name: 'x', vni: 8, prefix: '10.7.0.0/24' })),
        deed(cooled('vni/8')),
        deed(made({ name: 'x', vni: 9, prefix: '10.7.0.0/24', id: 'x2' })),
      ],
      { unasked: [/network x was made 2 times/] },
    ],
    [
      'an endpoint in a network that is gone',
      [
        deed(
          call('create', 'x', [1, 2], done('vni 8', 'subnet 10.7.0.0/24')),
          made({ name: 'x', vni: 8, prefix: '10.7.0.0/24' }),
        ),
        deed(call('claim', 'a', [3, 4], done('x 10.7.0.2')), born({ name: 'a', ip: '10.7.0.2', network: 'x' })),
        deed(
          call('delete', 'x', [5, 6], done('vni 8', 'subnet 10.7.0.0/24')),
          unmade({ name: 'x', vni: 8, prefix: '10.7.0.0/24' }),
        ),
      ],
      { inconsistent: [/endpoint a has no network x any more/] },
    ],
    [
      'a VNI that is free the moment its network goes',
      [
        ...bystander,
        deed(
          call('create', 'x', [1, 2], done('vni 8', 'subnet 10.7.0.0/24')),
          made({ name: 'x', vni: 8, prefix: '10.7.0.0/24' }),
        ),
        deed(call('delete', 'x', [3, 4], done('vni 8', 'subnet 10.7.0.0/24')), {
          deletes: [...(unmade({ name: 'x', vni: 8, prefix: '10.7.0.0/24' }).deletes ?? []), 'vni/8'],
        }),
      ],
      { inconsistent: [/vni\/8 is given up without cooling/] },
    ],
    [
      'networks refused for what no network has',
      [
        ...bystander,
        deed(call('create', 'x', [1, 2], refused('vni-taken'), { vni: 77 })),
        deed(call('create', 'y', [1, 2], refused('subnet-overlap'), { subnets: ['10.200.0.0/16'] })),
        deed(call('delete', 'blue', [60_000, 60_001], refused('network-in-use'))),
        deed(call('claim', 'a', [60_000, 60_001], refused('network-unknown'), { network: 'blue' })),
      ],
      {
        unexplained: [
          /create of x \(77\)/,
          /create of y \(10\.200/,
          /delete of blue was answered network-in-use/,
          /claim of a \(blue\) was answered network-unknown/,
        ],
      },
    ],
  ])('%s', (_, deeds, wrong) => {
    expectVerdict(evidenceOf(deeds), wrong);
  });
});
