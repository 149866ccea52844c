import { describe, expect, test } from 'vitest';
import type { Evidence } from './evidence.ts';
import { a, b, bystander, expectVerdict, type Wrong } from './testing/expect-verdict.ts';
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
import { judge } from './verdict.ts';

describe('good runs', () => {
  test.each<[string, readonly Deed[]]>([
    [
      'claimed, released, claimed again after it has cooled',
      [
        deed(call('claim', 'a', [1, 2], done('n 10.0.0.2')), born(a)),
        deed(call('release', 'a', [3, 4], done('n 10.0.0.2')), gone(a)),
        deed(warm(a.ip)),
        deed(call('claim', 'b', [5, 6], done('n 10.0.0.2')), born(b)),
      ],
    ],
    [
      'an address given on within a millisecond, after its cooldown',
      [
        deed(call('claim', 'a', [1, 2], done('n 10.0.0.2')), born(a)),
        deed(call('release', 'a', [3, 3.1], done('n 10.0.0.2')), gone(a)),
        deed(warm(a.ip)),
        deed(call('claim', 'b', [3.2, 3.3], done('n 10.0.0.2')), born(b)),
      ],
    ],
    [
      'a claim without an answer that was carried out',
      [...bystander, deed(call('claim', 'a', [1, 2], unknown), born(a))],
    ],
    [
      'a pool said to be exhausted while an earlier try of a call may still take its last address',
      [
        ...[2, 3, 4, 5].map((i) =>
          deed(
            call('claim', `e${i}`, [0, 1], done(`small 10.9.0.${i}`)),
            born({ name: `e${i}`, ip: `10.9.0.${i}`, network: 'small' }),
          ),
        ),
        deed(call('claim', 'f', [2, 13_000], refused('address-in-use'), { network: 'small', addresses: ['10.9.0.2'] })),
        deed(call('claim', 'g', [20_000, 20_001], refused('address-exhausted'), { network: 'small' })),
      ],
    ],
    ['a claim without an answer that was never carried out', [...bystander, deed(call('claim', 'a', [1, 2], unknown))]],
    [
      'a release without an answer, and then another claim',
      [
        deed(call('claim', 'a', [1, 2], done('n 10.0.0.2')), born(a)),
        deed(call('release', 'a', [3, 4], unknown), gone(a)),
        deed(warm(a.ip)),
        deed(call('claim', 'b', [9, 10], done('n 10.0.0.2')), born(b)),
      ],
    ],
    [
      'a release without an answer that was never carried out: the clean-up finds the endpoint',
      [deed(call('claim', 'a', [1, 2], done('n 10.0.0.2')), born(a)), deed(call('release', 'a', [3, 4], unknown))],
    ],
    [
      'a release of what is gone is refused',
      [
        deed(call('claim', 'a', [1, 2], done('n 10.0.0.2')), born(a)),
        deed(call('release', 'a', [3, 4], unknown), gone(a)),
        deed(call('release', 'a', [5, 6], refused('endpoint-unknown'))),
      ],
    ],
    [
      'an address refused that another endpoint has',
      [
        deed(call('claim', 'a', [1, 2], done('n 10.0.0.2')), born(a)),
        deed(call('claim', 'b', [3, 4], refused('address-in-use'), { network: 'blue', addresses: ['10.0.0.2'] })),
      ],
    ],
    [
      'an address refused that cools',
      [
        deed(call('claim', 'a', [1, 2], done('n 10.0.0.2')), born(a)),
        deed(call('release', 'a', [3, 4], done('n 10.0.0.2')), gone(a)),
        deed(call('claim', 'b', [5, 6], refused('address-in-use'), { network: 'blue', addresses: ['10.0.0.2'] })),
      ],
    ],
    [
      'a network that comes and goes, another with its VNI and subnet after it',
      [
        ...bystander,
        deed(
          call('create', 'x', [1, 2], done('vni 9', 'subnet 10.7.0.0/24')),
          made({ name: 'x', vni: 9, prefix: '10.7.0.0/24' }),
        ),
        deed(call('create', 'y', [2, 3], refused('subnet-overlap'), { subnets: ['10.7.0.0/16'] })),
        deed(call('create', 'y', [2, 3], refused('vni-taken'), { vni: 9 })),
        deed(
          call('delete', 'x', [3, 4], done('vni 9', 'subnet 10.7.0.0/24')),
          unmade({ name: 'x', vni: 9, prefix: '10.7.0.0/24' }),
        ),
        deed(cooled('vni/9')),
        deed(
          call('create', 'w', [5, 6], done('vni 9', 'subnet 10.7.0.0/24')),
          made({ name: 'w', vni: 9, prefix: '10.7.0.0/24' }),
        ),
      ],
    ],
  ])('%s', (_, deeds) => {
    expectVerdict(evidenceOf(deeds), {});
  });
});

describe('evidence that can bear no verdict', () => {
  const good = evidenceOf(bystander);
  test.each<[string, Evidence, Wrong]>([
    [
      'nothing at all',
      { journal: [], before: [], rested: 100, cleaned: [], marks: { beginning: 1, rested: 1, end: 1 } },
      { incomplete: [/the journal is empty/, /the record of the store is empty/] },
    ],
    [
      'a record that ends before the store did',
      { ...good, marks: { ...good.marks, rested: good.marks.rested + 5, end: good.marks.end + 5 } },
      { incomplete: [/the store rested at/, /the store at/] },
    ],
    [
      'a gap in the record',
      { ...good, cleaned: good.cleaned.map((one) => ({ ...one, revision: one.revision + 899 })) },
      { inconsistent: [/the record has a gap/] },
    ],
    [
      'a record that begins late',
      { ...good, marks: { ...good.marks, beginning: 0 } },
      { inconsistent: [/revision 2: comes after revision 0: the record has a gap/] },
    ],
    [
      'a call under way when all were said to be over',
      evidenceOf([...bystander, deed(call('claim', 'a', [9, 1e9], unknown))]),
      { incomplete: [/claim of a was still under way/] },
    ],
  ])('%s', (_, evidence, wrong) => {
    expectVerdict(evidence, wrong);
  });
});

describe('what a clean-up leaves', () => {
  test.each<[string, readonly Deed[], readonly RegExp[]]>([
    ['an endpoint', [deed(call('claim', 'a', [1, 2], done('n 10.0.0.2')), born(a))], [/endpoint a is left/]],
    [
      'an address that cools for ever',
      [
        deed(call('claim', 'a', [1, 2], done('n 10.0.0.2')), born(a)),
        deed(call('release', 'a', [3, 4], done('n 10.0.0.2')), gone(a)),
      ],
      [/addr\/n\/10\.0\.0\.2 cools for ever after a/],
    ],
    [
      'a network',
      [
        ...bystander,
        deed(
          call('create', 'x', [1, 2], done('vni 8', 'subnet 10.7.0.0/24')),
          made({ name: 'x', vni: 8, prefix: '10.7.0.0/24' }),
        ),
      ],
      [/network x is left/],
    ],
    [
      'a VNI that cools for ever',
      [
        ...bystander,
        deed(
          call('create', 'x', [1, 2], done('vni 8', 'subnet 10.7.0.0/24')),
          made({ name: 'x', vni: 8, prefix: '10.7.0.0/24' }),
        ),
        deed(
          call('delete', 'x', [3, 4], done('vni 8', 'subnet 10.7.0.0/24')),
          unmade({ name: 'x', vni: 8, prefix: '10.7.0.0/24' }),
        ),
      ],
      [/vni\/8 cools for ever after x/],
    ],
    [
      'a gateway of nothing',
      [...bystander, deed({ puts: [['addr/q/10.0.0.1', '{"gateway":true}']] })],
      [/addr\/q\/10\.0\.0\.1 is left/],
    ],
  ])('%s', (_, deeds, left) => {
    const { leaked } = judge(evidenceOf(deeds, { clean: false }));
    expect(leaked).toEqual(expect.arrayContaining(left.map((one) => expect.stringMatching(one))));
  });

  test('a name of an endpoint that is gone', () => {
    const evidence = evidenceOf([...bystander, deed({ puts: [['endpoint-name/n/a', 'a']] })]);
    expectVerdict(evidence, {
      inconsistent: [/endpoint-name\/n\/a is claimed by a, which does not hold it/],
      leaked: [/endpoint-name\/n\/a is left to a/],
    });
  });
});
