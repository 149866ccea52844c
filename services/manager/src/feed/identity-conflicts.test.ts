import { type CausewayError, Ip, type Name, type Node, type NodeId } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { absentAfter, checkIdentityConflicts } from './identity-conflicts.ts';

const node = (id: string, name: string, dataPath: string): Node => ({
  id: id as NodeId,
  name: name as Name,
  dataPath: Ip(dataPath),
  underlayMtu: 1500,
  version: '1.0.0',
});
const h1 = node('a1', 'h1', '10.0.0.1');
const now = 1_000_000;

/**
 * The manager's answer to a new host. `silentFor`: time since h1 lost its session; undefined: h1 has a session. `endpoints`: how many h1
 * has.
 */
function verdict(host: Node, silentFor: number | undefined, endpoints = 0): string {
  return refusal(host, silentFor, endpoints)?.code ?? 'admitted';
}

function refusal(host: Node, silentFor: number | undefined, endpoints: number): CausewayError | undefined {
  try {
    checkIdentityConflicts(host, {
      live: (id) => (id === h1.id && silentFor === undefined ? h1 : undefined),
      silentSince: (id) => (id === h1.id && silentFor === undefined ? undefined : now - (silentFor ?? now)),
      endpointsOn: (id) => (id === h1.id ? endpoints : 0),
      nodes: [h1],
      now,
    });
    return undefined;
  } catch (error) {
    return error as CausewayError;
  }
}

describe('a host that connects', () => {
  it.each<[string, Node, number | undefined, string]>([
    ['with an identity of its own', node('b2', 'h2', '10.0.0.2'), undefined, 'admitted'],
    ['that is the known host, restarted', h1, undefined, 'admitted'],
    ['that is the known host, after a time without a session', h1, 5_000, 'admitted'],
    [
      'with the identity of a host with a session, at another address',
      node('a1', 'h1', '10.0.0.9'),
      undefined,
      'node-in-use',
    ],
    [
      'with the identity of a host with a session, under another name',
      node('a1', 'h9', '10.0.0.1'),
      undefined,
      'node-in-use',
    ],
    ['with the identity of a host that has no session', node('a1', 'h1', '10.0.0.9'), 7_000, 'admitted'],
    ['with the data path of a host with a session', node('b2', 'h2', '10.0.0.1'), undefined, 'address-in-use'],
    ['with the data path of a host silent for a moment', node('b2', 'h2', '10.0.0.1'), absentAfter, 'address-in-use'],
    ['with the data path of a host silent for longer', node('b2', 'h2', '10.0.0.1'), absentAfter + 1, 'admitted'],
  ])('%s', (_, host, silentFor, expected) => {
    expect(verdict(host, silentFor)).toBe(expected);
  });

  it('does not get the data path of a host that is away as long as that host has endpoints, and learns what to do', () => {
    const other = node('b2', 'h2', '10.0.0.1');
    const away = absentAfter * 1_000;
    expect([verdict(other, away, 1), verdict(h1, away, 1), verdict(other, away, 0)]).toEqual([
      ...['address-in-use', 'admitted', 'admitted'],
    ]);
    expect(refusal(other, away, 2)?.message).toBe(
      'node.data_path 10.0.0.1 belongs to host h1 (a1), which is away and has 2 endpoints: give this host an address of its own ' +
        '(--data-path), or start the agent of that host, or remove that host if it is gone for good (causeway node remove h1 --force)',
    );
    expect(refusal(other, away, 1)?.message).toContain('has an endpoint:');
  });
});
