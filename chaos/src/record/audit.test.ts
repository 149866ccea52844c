import { describe, expect, test } from 'vitest';
import { Audit } from './audit.ts';
import { encode, rangeEnd, revisionsOf } from './revision.ts';

const record = (id: string, ...ips: readonly string[]) =>
  [
    `endpoint/n/${id}`,
    JSON.stringify({ id, name: `name-${id}`, network: 'n', node: 'h', addresses: ips.map((ip) => `${ip}/24`) }),
  ] as const;
const claim = (ip: string, value: string) => [`addr/n/${ip}`, value] as const;

interface Change {
  readonly puts?: readonly (readonly [string, string])[];
  readonly deletes?: readonly string[];
}

function audit(...changes: readonly Change[]): Audit {
  const made = new Audit();
  for (const [i, { puts = [], deletes = [] }] of changes.entries()) made.take({ revision: i + 1, puts, deletes });
  return made;
}

const both = (id: string, ip: string): Change => ({ puts: [record(id, ip), claim(ip, id)] });
const gone = (id: string, ip: string): Change => ({ deletes: [`endpoint/n/${id}`, `addr/n/${ip}`] });
const cooling = '{"cooling":{"endpointName":"x","node":"h"}}';

describe('nothing wrong with', () => {
  test.each<[string, readonly Change[]]>([
    [
      'an address that changes hands by way of nobody',
      [both('a', '10.0.0.2'), gone('a', '10.0.0.2'), both('b', '10.0.0.2')],
    ],
    [
      'one that cools in between',
      [both('a', '10.0.0.2'), { deletes: ['endpoint/n/a'], puts: [claim('10.0.0.2', cooling)] }, both('b', '10.0.0.2')],
    ],
    ['claims in JSON', [{ puts: [record('a', '10.0.0.2'), claim('10.0.0.2', '{"endpoint":"a","asked":true}')] }]],
    ['gateways', [{ puts: [claim('10.0.0.1', 'gateway'), claim('fd00::1', '{"gateway":true}')] }]],
    [
      'one released and another claimed at one revision',
      [both('a', '10.0.0.2'), { ...gone('a', '10.0.0.2'), puts: both('b', '10.0.0.3').puts ?? [] }],
    ],
  ])('%s', (_, changes) => {
    const found = audit(...changes);
    expect([...found.faults, ...found.leaks()]).toEqual([]);
  });
});

describe('it finds', () => {
  test.each<[string, readonly Change[], RegExp]>([
    [
      'two holders',
      [both('a', '10.0.0.2'), { puts: [record('b', '10.0.0.2')] }],
      /2: n 10\.0\.0\.2 is held by a and b/,
    ],
    ['a claim taken from its owner', [both('a', '10.0.0.2'), { puts: [claim('10.0.0.2', 'b')] }], /goes from a to b/],
    [
      'a record without claim',
      [{ puts: [record('a', '10.0.0.2', '10.0.0.3'), claim('10.0.0.2', 'a')] }],
      /10\.0\.0\.3 is held by a and claimed by nobody/,
    ],
    [
      'a claim deleted under its holder',
      [both('a', '10.0.0.2'), { deletes: ['addr/n/10.0.0.2'] }],
      /claimed by nobody/,
    ],
    [
      'a claim that stays',
      [both('a', '10.0.0.2'), { deletes: ['endpoint/n/a'] }],
      /claimed by a, which does not hold it/,
    ],
    [
      'a claim that cools under its holder',
      [both('a', '10.0.0.2'), { puts: [claim('10.0.0.2', cooling)] }],
      /claimed by nobody/,
    ],
  ])('%s', (_, changes, fault) => {
    expect(audit(...changes).faults.join('\n')).toMatch(fault);
  });

  test('a name whose owner is gone', () => {
    const leaked = audit({ puts: [['endpoint-name/n/web', 'a']] });
    expect(leaked.leaks()).toEqual(['endpoint-name/n/web is claimed by a, which is not there']);
  });

  test('revisions out of order', () => {
    const made = new Audit();
    for (const revision of [2, 2]) made.take({ revision, puts: [], deletes: [] });
    expect(made.faults).toEqual(['revision 2: comes after revision 2']);
  });
});

test('who was ever there, and who is', () => {
  const found = audit(both('a', '10.0.0.2'), gone('a', '10.0.0.2'), both('b', '10.0.0.2'));
  expect([...found.born.keys()]).toEqual(['name-a', 'name-b']);
  expect(found.endpoints.map(({ id }) => id)).toEqual(['b']);
  expect(found.revisions).toBe(3);
});

test('events of a watch, by revision', () => {
  const put = { kv: { key: encode('/p/a'), value: encode('1'), mod_revision: '7' } };
  const gap = { type: 'DELETE', kv: { key: encode('/p/b'), mod_revision: '8' } } as const;
  const empty = { kv: { key: encode('/p/c'), mod_revision: '7' } };
  expect(revisionsOf([put, empty, gap], '/p/')).toEqual([
    {
      revision: 7,
      puts: [
        ['a', '1'],
        ['c', ''],
      ],
      deletes: [],
    },
    { revision: 8, puts: [], deletes: ['b'] },
  ]);
  expect(rangeEnd('/p/')).toBe('/p0');
});
