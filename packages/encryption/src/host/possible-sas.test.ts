import { type ClusterId, Ip, type NodeId } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { publicHalf } from '../node-key.ts';
import { emptyKeyring } from '../protocol/view.ts';
import { nodeKey } from '../testing/keys.ts';
import type { HostView, PeerOfHost } from './host-view.ts';
import { type PeerSas, PossibleSas, saOf } from './possible-sas.ts';

const [one, other] = ['b2b2b2b2b2b2b2b2', 'c3c3c3c3c3c3c3c3'] as NodeId[] as [NodeId, NodeId];
const keys = new Map([1, 2, 3].map((generation) => [generation, nodeKey(generation)]));

/** This host with these generations. */
function host(...generations: readonly number[]): Pick<HostView, 'own' | 'stored'> {
  const own = { cluster: '0123456789abcdef' as ClusterId, node: 'a1a1a1a1a1a1a1a1' as NodeId, index: 0x101 };
  const offered = generations.map((generation) => ({ generation, createdAt: 0, offeredIn: 1 }));
  return {
    own: { ...own, address: Ip('192.0.2.1') },
    stored: { keyring: { ...emptyKeyring, generations: offered }, keys },
  };
}

/** A peer with these generations, as they arrive: in bytes of their own. */
function peer(node: NodeId, ...generations: readonly number[]): PeerOfHost {
  const all = generations.map((generation) => {
    return { generation, publicKey: publicHalf(nodeKey(100 + generation)).slice(), createdAt: 0 };
  });
  return { keys: { node, index: 0x102, version: 1, generations: all }, address: Ip('192.0.2.2') };
}

const pair = { sender: 1, receiver: 1 };
const keyOf = ({ received }: PeerSas) => saOf(received, pair)?.meeting.saKey('in');
const pairs = ({ sent }: PeerSas) => sent.map((sa) => `${sa.pair.sender} ${sa.pair.receiver}`);

describe('the SAs that two hosts may have', () => {
  it('are of each generation of the one with each of the other', () => {
    const { received, sent } = new PossibleSas().of(host(1, 2), peer(one, 4, 5));
    const names = [...received, ...sent].map(({ name }) => name);
    expect(names).toEqual([
      ...['192.0.2.1 0x41000102', '192.0.2.1 0x42000102', '192.0.2.1 0x51000102', '192.0.2.1 0x52000102'],
      ...['192.0.2.2 0x14000101', '192.0.2.2 0x15000101', '192.0.2.2 0x24000101', '192.0.2.2 0x25000101'],
    ]);
  });

  it('have keys that are made once, also when other generations come and go', () => {
    const sas = new PossibleSas();
    const key = keyOf(sas.of(host(1), peer(one, 1)));
    expect(keyOf(sas.of(host(1), peer(one, 1)))).toBe(key);
    expect(keyOf(sas.of(host(1, 2), peer(one, 1, 2)))).toBe(key);
    expect(keyOf(sas.of(host(1), { ...peer(one, 1), address: Ip('192.0.2.9') }))).toBe(key);
  });

  it.each<[string, (sas: PossibleSas) => void]>([
    ['of this host', (sas) => sas.of(host(2), peer(one, 1))],
    ['of the peer', (sas) => sas.of(host(1), peer(one, 2))],
    ['and the peer itself', (sas) => sas.keep(new Set([other]))],
    ['and all peers', (sas) => sas.clear()],
  ])('forget their keys with the generation %s', (_, forget) => {
    const sas = new PossibleSas();
    const key = keyOf(sas.of(host(1), peer(one, 1)));
    forget(sas);
    const again = keyOf(sas.of(host(1), peer(one, 1)));
    expect(again).not.toBe(key);
    expect(again?.reveal()).toEqual(key?.reveal());
  });

  it('keep the keys with peers that stay', () => {
    const sas = new PossibleSas();
    const key = keyOf(sas.of(host(1), peer(one, 1)));
    sas.keep(new Set([one]));
    expect(keyOf(sas.of(host(1), peer(one, 1)))).toBe(key);
  });

  it('have other keys when the peer has another key of the same generation, or shows that of a third node', () => {
    const sas = new PossibleSas();
    const before = keyOf(sas.of(host(1), peer(one, 1)))?.reveal();
    const copied = keyOf(sas.of(host(1), peer(other, 1)))?.reveal();
    const [{ keys: record, address }] = [peer(one, 1)];
    const generations = record.generations.map((each) => ({ ...each, publicKey: publicHalf(nodeKey(50)) }));
    const changed = keyOf(sas.of(host(1), { keys: { ...record, generations }, address }))?.reveal();
    expect(new Set([before, copied, changed].map(String)).size).toBe(3);
  });

  it('are without keys if the public key of the peer is unusable', () => {
    const { keys: record, address } = peer(one, 1);
    const generations = record.generations.map((each) => ({ ...each, publicKey: new Uint8Array(32) }));
    const sas = new PossibleSas().of(host(1), { keys: { ...record, generations }, address });
    expect([keyOf(sas), pairs(sas)]).toEqual([undefined, ['1 1']]);
  });
});
