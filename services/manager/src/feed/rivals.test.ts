import { Ip, type Name, type Node, type NodeId } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { absentAfter, checkRivals } from './rivals.ts';

const node = (id: string, name: string, dataPath: string): Node => ({
  id: id as NodeId,
  name: name as Name,
  dataPath: Ip(dataPath),
  underlayMtu: 1500,
  version: '1.0.0',
});
const h1 = node('a1', 'h1', '10.0.0.1');
const now = 1_000_000;

/** The manager's answer to a new host. `silentFor`: time since h1 lost its session; undefined: h1 has a session. */
function verdict(newcomer: Node, silentFor: number | undefined): string {
  try {
    checkRivals(newcomer, {
      live: (id) => (id === h1.id && silentFor === undefined ? h1 : undefined),
      silentSince: (id) => (id === h1.id && silentFor === undefined ? undefined : now - (silentFor ?? now)),
      nodes: [h1],
      now,
    });
    return 'welcome';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a newcomer', () => {
  it.each<[string, Node, number | undefined, string]>([
    ['of its own', node('b2', 'h2', '10.0.0.2'), undefined, 'welcome'],
    ['that is the host itself, begun anew', h1, undefined, 'welcome'],
    ['that is the host itself, come back', h1, 5_000, 'welcome'],
    ['with the identity of a host that is there, elsewhere', node('a1', 'h1', '10.0.0.9'), undefined, 'node-in-use'],
    [
      'with the identity of a host that is there, by another name',
      node('a1', 'h9', '10.0.0.1'),
      undefined,
      'node-in-use',
    ],
    ['with the identity of a host that has no session', node('a1', 'h1', '10.0.0.9'), 7_000, 'welcome'],
    ['with the data path of a host that is there', node('b2', 'h2', '10.0.0.1'), undefined, 'address-in-use'],
    ['with the data path of a host silent for a moment', node('b2', 'h2', '10.0.0.1'), absentAfter, 'address-in-use'],
    ['with the data path of a host silent for longer', node('b2', 'h2', '10.0.0.1'), absentAfter + 1, 'welcome'],
  ])('%s', (_, newcomer, silentFor, expected) => {
    expect(verdict(newcomer, silentFor)).toBe(expected);
  });
});
