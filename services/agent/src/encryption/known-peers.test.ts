import { publicHalf, signKeys, type Unsigned } from '@causeway/encryption';
import { createNodeKey } from '@causeway/encryption/io';
import { Ip, type NodeId, type NodeKeys } from '@causeway/model';
import { minutes, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryMember, memberCluster } from '../testing/encryption.ts';
import { KnownPeers } from './known-peers.ts';
import type { SentKeys } from './news.ts';

const own = 'a1a1a1a1a1a1a1a1' as NodeId;
const [b, c] = ['b2b2b2b2b2b2b2b2', 'c3c3c3c3c3c3c3c3'] as NodeId[] as [NodeId, NodeId];
const address = Ip('192.0.2.1');
const publicKey = publicHalf(createNodeKey());
const receipt = { version: 1, receives: [] };

let clock: FakeClock;
let log: MemoryLog;
let peers: KnownPeers;
let signers: Map<NodeId, MemoryMember>;

function fresh(): KnownPeers {
  return new KnownPeers({ member: new MemoryMember(clock, own), clock, log }, { node: own, cluster: memberCluster });
}

beforeEach(() => {
  clock = new FakeClock();
  log = new MemoryLog();
  signers = new Map([b, c].map((node) => [node, new MemoryMember(clock, node)]));
  peers = fresh();
});

/** What the host has signed. */
function record(node: NodeId, version: number, over: Partial<Unsigned> = {}): NodeKeys {
  const generations = [{ generation: 1, publicKey, createdAt: clock.wall() }];
  const signer = signers.get(node)?.current;
  if (signer === undefined) throw new Error('no signer');
  return signKeys({ node, index: node === b ? 0x200 : 0x201, version, generations, ...over }, memberCluster, signer);
}

const at = (keys: NodeKeys, dataPath = '192.0.2.2'): SentKeys => ({ keys, dataPath });

async function hear(sent: readonly SentKeys[], over: { isComplete?: boolean; removed?: NodeId[] } = {}) {
  await peers.heardPeers({ kind: 'peers', isComplete: false, peers: sent, removed: [], ...over });
}

/** Each peer as "node version address". */
const known = (): string[] =>
  [...peers.reachableFrom(address)].map(([node, { keys, address }]) => `${node} ${keys.version} ${address}`);

describe('peers', () => {
  it('are those that the managers name, from the first complete message on', async () => {
    await hear([at(record(b, 1))]);
    expect([known(), peers.isComplete]).toEqual([[`${b} 1 192.0.2.2`], false]);
    await hear([at(record(c, 1), '192.0.2.3')], { isComplete: true });
    expect([known(), peers.isComplete]).toEqual([[`${c} 1 192.0.2.3`], true]);
    await hear([at(record(b, 1))]);
    await hear([], { removed: [c] });
    expect(known()).toEqual([`${b} 1 192.0.2.2`]);
  });

  it('are known again from what was written down, though their certificates have expired since', async () => {
    await hear([at(record(b, 3))]);
    const { records } = peers;
    await clock.advance(minutes(60 * 24 * 40));
    peers = fresh();
    peers.restore(records);
    await hear(records, { isComplete: true });
    expect([known(), log.lines]).toEqual([[`${b} 3 192.0.2.2`], []]);
  });

  it('are known when the clock of this host is right again, though the managers send their keys only once', async () => {
    const sent = at(record(b, 1));
    clock.stepWall(-minutes(60));
    await hear([sent]);
    expect([known(), peers.refusedCount]).toEqual([[], 1]);
    peers.lookAgain();
    expect(known()).toEqual([]);
    clock.stepWall(minutes(60));
    peers.lookAgain();
    expect(known()).toEqual([]);
    await clock.advance(seconds(10));
    peers.lookAgain();
    expect([known(), peers.refusedCount]).toEqual([[`${b} 1 192.0.2.2`], 1]);
  });

  it('whose refused keys may be right later are forgotten when the managers name them no more', async () => {
    const sent = at(record(b, 1));
    clock.stepWall(-minutes(60));
    await hear([sent]);
    await hear([], { removed: [b] });
    clock.stepWall(minutes(60));
    peers.lookAgain();
    expect(known()).toEqual([]);
  });

  it('with addresses that no SA can connect are left out', async () => {
    await hear([at(record(b, 1), '2001:db8::2'), at(record(c, 1), address)]);
    expect(known()).toEqual([]);
  });

  it('that say to have the same address are left out, both, until only one does', async () => {
    await hear([at(record(b, 1))]);
    const other = at(record(c, 1));
    for (let times = 0; times < 2; times++) {
      await hear([other]);
      expect(known()).toEqual([]);
    }
    expect(log.lines.map(({ event, fields }) => [event, fields['nodeId'], fields['code']])).toEqual([
      ['keys.refused', b, 'address-in-use'],
      ['keys.refused', c, 'address-in-use'],
    ]);
    await hear([], { removed: [c] });
    expect(known()).toEqual([`${b} 1 192.0.2.2`]);
  });

  it('that say to have the same index are left out, both, until only one does', async () => {
    await hear([at(record(b, 1)), at(record(c, 1, { index: 0x200 }), '192.0.2.3')]);
    expect(known()).toEqual([]);
    expect(log.lines.map(({ fields }) => fields['message'])).toEqual([
      ...Array(2).fill('several hosts say to have the index 512; nothing is sent there until only one does'),
    ]);
    await hear([at(record(c, 2), '192.0.2.3')]);
    expect(known()).toEqual([`${b} 1 192.0.2.2`, `${c} 2 192.0.2.3`]);
  });

  it('keep their keys when they move', async () => {
    await hear([at(record(b, 1))]);
    const before = peers.reachableFrom(address).get(b)?.keys;
    await hear([at(peers.records[0]?.keys as NodeKeys, '192.0.2.9')]);
    expect(known()).toEqual([`${b} 1 192.0.2.9`]);
    expect(peers.reachableFrom(address).get(b)?.keys).toBe(before);
  });

  it('have the last receipt that came since they are peers', async () => {
    peers.heardReceipts([[b, receipt]]);
    await hear([at(record(b, 1))]);
    expect(peers.reachableFrom(address).get(b)?.receipt).toBeUndefined();
    peers.heardReceipts([[b, receipt]]);
    expect(peers.reachableFrom(address).get(b)?.receipt).toEqual(receipt);
    await hear([], { removed: [b] });
    await hear([at(record(b, 1))]);
    expect(peers.reachableFrom(address).get(b)?.receipt).toBeUndefined();
  });
});

describe('a record that changes nothing', () => {
  const cases: readonly [string, () => SentKeys, string][] = [
    ['changed after it was signed', () => at({ ...record(b, 5), index: 0x201 }), 'certificate-invalid'],
    ['signed by another host', () => at({ ...record(c, 5), node: b }), 'certificate-invalid'],
    [
      'of a host with a certificate of another CA',
      () => {
        signers.get(b)?.renew(2);
        return at(record(b, 5));
      },
      'certificate-untrusted',
    ],
    ['older than the known one', () => at(record(b, 1)), 'revision-conflict'],
    ['of no address', () => at(record(b, 5), 'nowhere'), 'address-invalid'],
  ];
  it.each(cases)('%s', async (_, bad, code) => {
    await hear([at(record(b, 2))]);
    const before = peers.reachableFrom(address).get(b);
    const sent = bad();
    for (let times = 0; times < 2; times++) await hear([sent], { isComplete: true });
    expect(peers.reachableFrom(address).get(b)).toEqual(before);
    expect(peers.refusedCount).toBe(2);
    expect(log.lines).toMatchObject([{ level: 'warn', event: 'keys.refused', fields: { nodeId: b, code } }]);
  });

  it('is followed by one that is right', async () => {
    await hear([at({ ...record(b, 2), signature: Uint8Array.of(1) })]);
    peers.heardReceipts([[b, receipt]]);
    await hear([at(record(b, 3))]);
    expect(known()).toEqual([`${b} 3 192.0.2.2`]);
    expect(peers.reachableFrom(address).get(b)?.receipt).toEqual(receipt);
  });
});

it('new keys of a host that has lost its keys, at managers that have lost its last record, are accepted', async () => {
  await hear([at(record(b, 9))]);
  await clock.advance(minutes(1));
  await hear([at(record(b, 4))]);
  expect(known()).toEqual([`${b} 4 192.0.2.2`]);
});

it('the own record of the host is none of a peer', async () => {
  signers.set(own, new MemoryMember(clock, own));
  await hear([at(record(own, 1))], { isComplete: true });
  expect(known()).toEqual([]);
});
