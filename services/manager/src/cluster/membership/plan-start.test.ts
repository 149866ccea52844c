import { describe, expect, test } from 'vitest';
import { type FoundManager, planStart, type StartFacts } from './plan-start.ts';

const nothing: StartFacts = { hasData: false, mayFound: false, dataDir: '/var/lib/cw', join: [] };
const joining = { ...nothing, join: ['10.0.0.1:7443', '10.0.0.2:7443'] };
const member = (host: number) => ({ name: `m${host}`, clientUrls: [`http://10.0.0.${host}:2379`] });
const at = (host: number, clusterId = 'a1', members = [member(1), member(2)]): FoundManager => ({
  address: `10.0.0.${host}:7443`,
  clusterId,
  members,
});
const urls = ['http://10.0.0.1:2379', 'http://10.0.0.2:2379'];

describe('planStart', () => {
  test.each<[string, StartFacts, readonly FoundManager[] | undefined, unknown]>([
    [
      'existing data decide, whatever else is set',
      { ...joining, hasData: true, mayFound: true },
      undefined,
      { kind: 'resume' },
    ],
    ['data without --join come back too', { ...nothing, hasData: true }, undefined, { kind: 'resume' }],
    ['a new cluster where the settings allow one', { ...nothing, mayFound: true }, undefined, { kind: 'found' }],
    ['the addresses of --join are asked first', joining, undefined, { kind: 'ask' }],
    ['also where a new cluster may begin', { ...joining, mayFound: true }, undefined, { kind: 'ask' }],
    ['joining is preferred to founding', { ...joining, mayFound: true }, [at(1)], { kind: 'join', urls }],
    [
      'without a cluster to join, the manager that may found a cluster founds one',
      { ...joining, mayFound: true },
      [],
      { kind: 'found' },
    ],
    ['and the other managers wait for it', joining, [], { kind: 'wait' }],
    ['one answer is enough', joining, [at(2)], { kind: 'join', urls }],
    ['members are named once', joining, [at(1), at(2)], { kind: 'join', urls }],
    [
      'a directory whose etcd was lost goes back where it belongs',
      { ...joining, belongsTo: 'a1' },
      [at(2)],
      { kind: 'join', urls },
    ],
    [
      'several managers on one host reach each other by its loopback',
      { ...nothing, join: ['127.0.0.1:7443'] },
      [
        {
          address: '127.0.0.1:7443',
          clusterId: 'a1',
          members: [{ name: 'm1', clientUrls: ['http://127.0.0.1:2379'] }],
        },
      ],
      { kind: 'join', urls: ['http://127.0.0.1:2379'] },
    ],
  ])('%s', (_, facts, answers, step) => {
    expect(planStart(facts, answers)).toEqual({ ok: true, value: step });
  });

  test.each<[string, StartFacts, readonly FoundManager[] | undefined, string, RegExp]>([
    [
      'no setting says what to do',
      nothing,
      undefined,
      'invalid-argument',
      /causeway-manager init --data-dir \/var\/lib\/cw.*--join/,
    ],
    [
      'the directory belonged to a cluster and no setting says what to do',
      { ...nothing, belongsTo: 'a1' },
      undefined,
      'invalid-argument',
      /init/,
    ],
    [
      'two clusters answer',
      joining,
      [at(1), at(2, 'b2')],
      'cluster-mismatch',
      /10\.0\.0\.1:7443 to a1, 10\.0\.0\.2:7443 to b2/,
    ],
    ['another cluster answers', { ...joining, belongsTo: 'b2' }, [at(1)], 'cluster-mismatch', /belongs to cluster b2/],
    [
      'the member is on its own host only',
      joining,
      [at(1, 'a1', [{ name: 'm1', clientUrls: ['http://127.0.0.1:2379'] }])],
      'invalid-argument',
      /m1 is at http:\/\/127\.0\.0\.1:2379, which no other host reaches: restart that manager with --etcd-peer-address/,
    ],
    [
      'the same in IPv6',
      joining,
      [at(1, 'a1', [{ name: 'm1', clientUrls: ['http://[::1]:2379'] }])],
      'invalid-argument',
      /no other host reaches/,
    ],
  ])('is refused when %s', (_, facts, answers, code, message) => {
    expect(planStart(facts, answers)).toMatchObject({
      ok: false,
      error: { code, message: expect.stringMatching(message) },
    });
  });
});
