import { newNamespace, ourReqid, SaKey, saKeySize, stateKey, type XfrmState } from '@causeway/datapath';
import { type FoundIpsec, type HostView, PossibleSas, planHost, publicHalf, spiOf } from '@causeway/encryption';
import { createNodeKey } from '@causeway/encryption/io';
import { type ClusterId, Ip, type NodeId } from '@causeway/model';
import { minutes, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { nextKeyIn, peersOf } from './status.ts';

const peer = 'b2b2b2b2b2b2b2b2' as NodeId;
const [here, there] = [Ip('192.0.2.1'), Ip('192.0.2.2')];
const pair = { sender: 1, receiver: 1 };
const now = 1_795_000_060_000;
const counts = { bytes: 0, packets: 0, addedAt: now / 1_000 - 60, replays: 3 };

const host: HostView = {
  own: { cluster: '0123456789abcdef' as ClusterId, node: 'a1a1a1a1a1a1a1a1' as NodeId, index: 0x101, address: here },
  stored: {
    keyring: {
      version: 1,
      generations: [{ generation: 1, createdAt: 0, offeredIn: 1 }],
      made: new Map(),
      confirmed: new Map(),
    },
    keys: new Map([[1, createNodeKey()]]),
  },
  sas: new PossibleSas(),
  published: { version: 1, newest: 1 },
  peers: new Map([
    [
      peer,
      {
        keys: {
          ...{ node: peer, index: 0x102, version: 1 },
          generations: [{ generation: 1, publicKey: publicHalf(createNodeKey()), createdAt: 0 }],
        },
        address: there,
        receipt: { version: 1, receives: [pair], sends: pair },
      },
    ],
  ]),
  period: minutes(480),
};

const { keyring, desired } = planHost(host, newNamespace(), undefined, now);
/** The host, when it has carried this out. */
const after = { ...host, stored: { ...host.stored, keyring } };

/** All that the host wants, as the kernel counts it. */
function found(over: (state: XfrmState) => XfrmState | undefined = (state) => state): FoundIpsec {
  const { xfrmStates, xfrmPolicies } = desired;
  const states = [...xfrmStates.values()].flatMap((state) => over({ ...state, counts }) ?? []);
  return { ...newNamespace(), xfrmPolicies, xfrmStates: new Map(states.map((state) => [stateKey(state), state])) };
}

const replays = { of: (address: Ip) => (address === there ? 3 : 0) };
const status = (ipsec: FoundIpsec) => peersOf(after, { found: ipsec, replays, now });

describe('the status of a peer', () => {
  it('is what the kernel has', () => {
    expect(status(found())).toEqual([
      { node: peer, sends: pair, receives: [pair], age: seconds(60), esn: true, replayDrops: 3 },
    ]);
  });

  it('without anything in the kernel', () => {
    expect(status(newNamespace())).toEqual([
      { node: peer, sends: undefined, receives: [], age: undefined, esn: true, replayDrops: 3 },
    ]);
  });

  it.each<[string, (state: XfrmState) => XfrmState | undefined]>([
    ['is gone', (state) => (state.direction === 'out' ? undefined : state)],
    ['has another key', (state) => ({ ...state, key: SaKey.of(new Uint8Array(saKeySize)) })],
  ])('names no pair whose SA %s', (_, over) => expect(status(found(over))[0]?.sends).toBeUndefined());

  it('says that an SA has no extended sequence numbers, also of another program', () => {
    const spi = spiOf({ sender: 2, receiver: 1 }, 0x102);
    const weak: XfrmState = {
      ...{ direction: 'in', src: there, dst: here, spi, reqid: ourReqid, limits: {}, isStrict: false },
      key: SaKey.of(new Uint8Array(saKeySize)),
    };
    const { xfrmStates, xfrmPolicies } = found();
    const both = new Map([...xfrmStates, [stateKey(weak), weak]]);
    expect(status({ ...newNamespace(), xfrmStates: both, xfrmPolicies })[0]?.esn).toBe(false);
  });
});

it('the next key is due when the period of the newest is over', () => {
  const newest = { generation: 1, publicKey: new Uint8Array(32), createdAt: now };
  expect(nextKeyIn(newest, minutes(1), now + 10_000)).toBe(seconds(50));
  expect(nextKeyIn(newest, minutes(1), now + 100_000)).toBe(seconds(0));
  expect(nextKeyIn(undefined, minutes(1), now)).toBeUndefined();
});
