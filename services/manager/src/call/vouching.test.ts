import { CausewayError, type NodeId } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import type { Identity } from './identity.ts';
import { callerOf, formatVoucher, type Known } from './vouching.ts';

const now = 1_795_737_600_000;
const minute = 60_000;
const known: Known = { now, removals: { peers: new Map(), serials: new Set() } };
const certificate = { issued: now - 60 * minute, expires: now + 60 * minute };

const operator: Identity = { kind: 'operator', name: 'ops' };
const agent: Identity = { kind: 'agent', node: '0123456789abcdef' as NodeId };
const manager: Identity = { kind: 'manager', name: 'm2' };
const joiner: Identity = { kind: 'joiner', address: 'fd00::7' };
const vouch = (caller: Identity): string => formatVoucher({ caller, certificate, at: now });

/** The caller, or the code of the refusal. */
function found(peer: Identity, voucher: string | undefined, as = known): unknown {
  try {
    return callerOf(peer, voucher, as);
  } catch (error) {
    return error instanceof CausewayError ? error.code : error;
  }
}

describe('who a call is from', () => {
  test.each<[string, Identity, string | undefined, Identity | 'permission-denied']>([
    ['the process at the other end', operator, undefined, operator],
    ['a manager, for itself', manager, undefined, manager],
    ['a manager that sends an operator’s call on', manager, vouch(operator), operator],
    ['a manager that sends an agent’s call on', manager, vouch(agent), agent],
    ['a manager that sends a joiner’s call on', manager, formatVoucher({ caller: joiner, at: now }), joiner],
    ['an agent that says that it sends an operator’s call on', agent, vouch(operator), agent],
    ['a host that wants to join, whatever it says', joiner, vouch(operator), joiner],
    ['a manager that vouches for nothing', manager, '', 'permission-denied'],
    ['a manager that vouches for another kind', manager, `robot/r2 ${now}`, 'permission-denied'],
    ['a manager that vouches for an agent of no node', manager, `agent/x ${now} 1 2`, 'permission-denied'],
    ['a manager that says nothing of the certificate', manager, `operator/ops ${now}`, 'permission-denied'],
    ['a manager that says nothing of the time', manager, 'operator/ops', 'permission-denied'],
  ])('%s', (_, peer, voucher, from) => {
    expect(found(peer, voucher)).toEqual(from);
  });
});

describe('a voucher does not last', () => {
  test.each<[string, number, unknown]>([
    ['ten minutes old', 10 * minute, operator],
    ['older', 10 * minute + 1, 'permission-denied'],
    ['from a clock that is ten minutes ahead', -10 * minute, operator],
    ['from a clock that is further ahead', -10 * minute - 1, 'permission-denied'],
    ['older than the caller’s certificate lives', 61 * minute, 'permission-denied'],
  ])('%s', (_, age, outcome) => {
    expect(found(manager, vouch(operator), { ...known, now: now + age })).toEqual(outcome);
  });

  test('for a certificate that has expired', () => {
    const voucher = formatVoucher({ caller: agent, certificate: { ...certificate, expires: now - 1 }, at: now });
    expect(found(manager, voucher)).toBe('certificate-expired');
  });

  test.each<[string, number, boolean, unknown]>([
    ['a caller that was removed', now, false, 'node-removed'],
    ['a caller that was removed, and has made itself a certificate', certificate.issued - 1, true, 'node-removed'],
    ['a caller that has joined again since', certificate.issued - 1, false, agent],
  ])('for %s, by what the leader knows', (_, at, isUntilJoin, outcome) => {
    const removals = { peers: new Map([['agent/0123456789abcdef', { at, isUntilJoin }]]), serials: new Set<string>() };
    expect(found(manager, vouch(agent), { ...known, removals })).toEqual(outcome);
  });
});
