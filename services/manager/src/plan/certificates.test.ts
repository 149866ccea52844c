import { createToken as newToken, type Role, type TokenId, tokenBytes } from '@causeway/identity';
import type { Name } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { CertificateRecord } from '../store/records/certificate.ts';
import { records } from '../store/records/index.ts';
import { foundTestCluster } from '../testing/founded-cluster.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused } from '../testing/refusal.ts';
import { setAutolock } from './autolock.ts';
import { cleanUpCertificates } from './certificate-cleanup.ts';
import { expel } from './expel.ts';
import { expiryTime } from './expiry-time.ts';
import { nothingToDo } from './intent.ts';
import { revokeOperator } from './revoke-operator.ts';
import { createToken, revokeTokensOf } from './tokens.ts';

let desk: PlanHarness;
let now: number;
const day = 24 * 3_600_000;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  now = desk.clock.wall();
});

function certificate(
  role: Role,
  id: string,
  expires = now + 30 * day,
  issued = now - day,
  former?: CertificateRecord['former'],
): void {
  const value: CertificateRecord = {
    ...{ role, id, name: id, serial: 'a1', issued, expires, generation: 1, hosts: [] },
    ...(former !== undefined && { former }),
  };
  put(desk.keys.certificate(role, id), records.certificate.codec.encode(value));
}

function put(key: string, value: Uint8Array): void {
  desk.write({ ...nothingToDo(undefined), writes: [{ kind: 'put', key, value }] });
}

const left = (): readonly string[] => [...desk.written.keys()].map((key) => key.slice(desk.keys.prefix.length)).sort();

describe('a member that is put out', () => {
  test('is refused for the longest life of a certificate: an earlier one may be valid for longer than the last', () => {
    certificate('agent', 'a1a1a1a1a1a1a1a1');
    const { writes } = expel({ role: 'agent', id: 'a1a1a1a1a1a1a1a1' }, 'h1 was removed', desk);
    desk.write({ ...nothingToDo(undefined), writes });
    expect(left()).toEqual(['removed/agent/a1a1a1a1a1a1a1a1']);
    expect([...desk.view.removals.peers]).toEqual([['agent/a1a1a1a1a1a1a1a1', { at: now, isUntilJoin: false }]]);
    desk.make(cleanUpCertificates(now + 90 * day - 1));
    expect(desk.view.removals.peers.size).toBe(1);
    desk.make(cleanUpCertificates(now + 90 * day));
    expect(desk.view.removals.peers.size).toBe(0);
    expect(left()).toEqual([]);
  });

  test('is refused with its latest certificate, also when that is from a leader whose clock was ahead', () => {
    certificate('agent', 'a1a1a1a1a1a1a1a1', now + 30 * day, now + 180_000);
    const { writes } = expel({ role: 'agent', id: 'a1a1a1a1a1a1a1a1' }, 'h1 was removed', desk);
    desk.write({ ...nothingToDo(undefined), writes });
    expect([...desk.view.removals.peers]).toEqual([
      ['agent/a1a1a1a1a1a1a1a1', { at: now + 180_000, isUntilJoin: false }],
    ]);
  });

  test('is, if a manager, refused by the serial numbers of all certificates that it has had and may still use', () => {
    certificate('manager', 'm2', now + 30 * day, now, [{ serial: 'b2', expires: now + day }]);
    const { writes } = expel({ role: 'manager', id: 'm2' }, 'm2 was removed', desk);
    desk.write({ ...nothingToDo(undefined), writes });
    expect(desk.view.records('removed').revokedSerials).toEqual(['b2', 'a1']);
    certificate('manager', 'm2', now + 20 * day, now, []);
    desk.write({ ...nothingToDo(undefined), ...expel({ role: 'manager', id: 'm2' }, 'm2 was removed', desk) });
    expect(desk.view.records('removed').get({ role: 'manager', id: 'm2' })?.value).toMatchObject({
      until: now + 90 * day,
      serials: ['b2', 'a1'],
    });
  });

  test('is, if a manager, refused with certificates of any time, as long as it may know the key of a CA that members trust', () => {
    const { ca } = foundTestCluster(now).founding;
    const change = (fields: Partial<typeof ca>): void =>
      put(desk.keys.ca, records.ca.codec.encode({ ...ca, ...fields, life: milliseconds(30 * day) }));
    const refused = () => desk.view.removals.peers.get('manager/m2');
    change({ generation: 2 });
    // The record of its certificate was cleaned up.
    desk.write({ ...nothingToDo(undefined), ...expel({ role: 'manager', id: 'm2' }, 'm2 was removed', desk) });
    expect(refused()).toEqual({ at: now, isUntilJoin: true });
    const later = now + 1_000 * day;
    expect(desk.make(cleanUpCertificates(later))).toBe(0);
    change({ generation: 3, roots: [...ca.roots, ...ca.roots] }); // rotating: members trust both
    expect(desk.make(cleanUpCertificates(later))).toBe(0);
    change({ generation: 3 });
    expect(desk.make(cleanUpCertificates(later))).toBe(1);
    // Told to members once more, so that they accept a manager of this name that joins, then forgotten.
    expect(refused()).toEqual({ at: now + 1, isUntilJoin: false });
    expect(desk.make(cleanUpCertificates(later + 120 * day - 1))).toBe(0);
    expect(desk.make(cleanUpCertificates(later + 120 * day))).toBe(1);
    expect(refused()).toBeUndefined();
  });

  test('conflicts with a certificate that is issued at the same time', () => {
    const member = { role: 'agent', id: 'a1a1a1a1a1a1a1a1' } as const;
    const key = desk.keys.certificate(member.role, member.id);
    expect(expel(member, 'gone', desk).compares).toEqual([{ kind: 'absent', key }]);
    certificate('agent', member.id);
    const { revision: modRevision } = desk.view.records('certificate').get(member) ?? { revision: 0n };
    expect(expel(member, 'gone', desk).compares).toEqual([{ kind: 'unchanged', key, modRevision }]);
  });
});

test('an operator is revoked once', () => {
  certificate('operator', 'mary');
  desk.make(revokeOperator('mary' as Name));
  expect([...desk.view.removals.peers.keys()]).toEqual(['operator/mary']);
  expectRefused(
    desk,
    () => desk.make(revokeOperator('mary' as Name)),
    'operator-unknown',
    /there is no operator "mary"/,
  );
});

describe('with an operator', () => {
  const random = new SeededRandom(9);
  function token(by: string, uses = 1): TokenId {
    const made = newToken({ role: 'agent', pin: new Uint8Array(32) }, random.bytes(tokenBytes));
    return desk.make(createToken({ role: 'agent', uses, life: milliseconds(day) }, made, by)).id;
  }
  const revoked = (): readonly TokenId[] =>
    [...desk.view.records('token').all.values()].flatMap(({ value }) =>
      value.revoked === undefined ? [] : [value.id],
    );

  test('the tokens that the operator has created are revoked, and no others', () => {
    certificate('operator', 'mary');
    const [first, second] = [token('operator/mary'), token('operator/mary', 5)];
    for (const by of ['operator/mary2', 'manager/mary', 'operator/ops']) token(by);
    desk.make(revokeOperator('mary' as Name));
    expect([...revoked()].sort()).toEqual([first, second].sort());
    expect(desk.make(revokeTokensOf('mary' as Name))).toBe(false);
  });

  test('many tokens are revoked some at a time', () => {
    certificate('operator', 'mary');
    for (let i = 0; i < 100; i++) token('operator/mary');
    desk.make(revokeOperator('mary' as Name));
    expect(revoked()).toHaveLength(40);
    expect(desk.make(revokeTokensOf('mary' as Name))).toBe(true);
    expect(desk.make(revokeTokensOf('mary' as Name))).toBe(false);
    expect(revoked()).toHaveLength(100);
  });
});

test('a secret that follows from the id of a call is for its caller only: the same id from another caller is another call', () => {
  const token = newToken({ role: 'agent', pin: new Uint8Array(32) }, new Uint8Array(tokenBytes));
  const asked = { role: 'agent', uses: 1, life: milliseconds(day) } as const;
  const autolock = { id: 'a', file: '' };
  for (const call of [(by: string) => createToken(asked, token, by), (by: string) => setAutolock(autolock, by)]) {
    expect(call('operator/mary').content).toBe(call('operator/mary').content);
    expect(call('operator/mary').content).not.toBe(call('operator/eve').content);
  }
});

describe('by a clock that is ahead', () => {
  test('nothing has expired when the certificate of a manager that runs has', () => {
    const record = { name: 'm1', address: 'm1:7443', version: '1', etcdMember: '', schema: 1 };
    put(desk.keys.manager('m1' as Name), records.manager.codec.encode(record));
    certificate('manager', 'm1', now + 20 * day);
    certificate('manager', 'm2', now + 10 * day); // does not run
    certificate('agent', 'a1a1a1a1a1a1a1a1', now + 5 * day);
    const at = (days: number): number => expiryTime(desk.view, now + days * day);
    expect([0, 6, 11, 20, 21, 365].map(at)).toEqual([now, now + 6 * day, now + 11 * day, 0, 0, 0]);
    const before = left();
    desk.make(cleanUpCertificates(now + 365 * day));
    expect(left()).toEqual(before);
  });

  test('by less than that, a removal is kept: it is kept for the life of a certificate longer', () => {
    const { ca } = foundTestCluster(now).founding;
    put(desk.keys.ca, records.ca.codec.encode({ ...ca, life: milliseconds(30 * day) }));
    certificate('agent', 'a1a1a1a1a1a1a1a1');
    desk.write({ ...nothingToDo(undefined), ...expel({ role: 'agent', id: 'a1a1a1a1a1a1a1a1' }, 'removed', desk) });
    desk.make(cleanUpCertificates(now + 120 * day - 1));
    expect(desk.view.removals.peers.size).toBe(1);
    desk.make(cleanUpCertificates(now + 120 * day));
    expect(desk.view.removals.peers.size).toBe(0);
  });
});

describe('what has no effect any more is deleted', () => {
  test.each<[string, number, number]>([
    ['a token a day after its expiry', 1, 2],
    ['an expired certificate after a month', 31, 62],
  ])('%s', (_, before, after) => {
    certificate('agent', 'a1a1a1a1a1a1a1a1', now + 30 * day);
    const token = newToken({ role: 'agent', pin: new Uint8Array(32) }, new Uint8Array(tokenBytes));
    desk.make(createToken({ role: 'agent', uses: 1, life: milliseconds(day) }, token, 'operator/mary'));
    const kinds = { 2: ['certificate'], 62: [] } as Readonly<Record<number, readonly string[]>>;
    desk.make(cleanUpCertificates(now + before * day));
    desk.make(cleanUpCertificates(now + after * day));
    expect(left().map((key) => key.split('/')[0])).toEqual(kinds[after]);
  });

  test('many, some at a time', () => {
    for (let i = 0; i < 120; i++) certificate('operator', `op${i}`, now - 31 * day);
    const counts = Array.from({ length: 4 }, () => desk.make(cleanUpCertificates(now)));
    expect(counts).toEqual([50, 50, 20, 0]);
  });
});
