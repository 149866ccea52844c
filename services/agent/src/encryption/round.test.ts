import { hostNetns, policyKey, printOp, stateKey } from '@causeway/datapath';
import { xfrm } from '@causeway/datapath/testing';
import { blocks, type FoundIpsec, Secrets } from '@causeway/encryption';
import { createNodeKey } from '@causeway/encryption/io';
import { type ClusterId, Ip, type NodeId } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { noIpsec, planRound, type RoundView, withoutDemands } from './round.ts';

const keyring = { version: 4, generations: [{ generation: 2, createdAt: 0, offeredIn: 4 }], made: new Map() };
const view: RoundView = {
  own: {
    ...{ cluster: '0123456789abcdef' as ClusterId, node: 'a1a1a1a1a1a1a1a1' as NodeId },
    ...{ index: 0x101, address: Ip('192.0.2.1') },
  },
  stored: { keyring, keys: new Map([[2, createNodeKey()]]) },
  secrets: new Secrets(),
  published: { version: 4, newest: 2 },
  peers: new Map(),
  period: minutes(480),
  isComplete: true,
  isSigned: true,
};
const blocked = { ...noIpsec, xfrmPolicies: new Map(blocks.map((each) => [policyKey(each), each])) };
const left = {
  ...blocked,
  xfrmPolicies: new Map([
    ...blocked.xfrmPolicies,
    ...blocks.map((each) => {
      const policy = { ...each, selector: { ...each.selector, dport: 4794 } };
      return [policyKey(policy), policy] as const;
    }),
  ]),
};
const plan = (over: Partial<RoundView>, found: FoundIpsec = blocked, wanted?: 'due') =>
  planRound({ ...view, ...over }, found, wanted, 1);

describe('a host', () => {
  it('lets nothing pass the port while another process has it, and keeps its SAs', () => {
    const { here, there } = xfrm.ends[4];
    const demands = [xfrm.demand('in', there, here), xfrm.demand('out', here, there, { spi: 0x1100_0101 })];
    const sa = xfrm.state({ direction: 'out', src: here, dst: there, spi: 0x1100_0101 });
    const found = {
      xfrmStates: new Map([[stateKey(sa), sa]]),
      xfrmPolicies: new Map([...demands, ...blocks].map((each) => [policyKey(each), each])),
      encapSockets: new Map(),
    };
    expect(withoutDemands(found)).toEqual({ ...blocked, xfrmStates: found.xfrmStates });
  });

  it('sets the blocks before it has an index', () => {
    const { ops, held, keyring: kept } = plan({ own: { ...view.own, index: undefined } }, noIpsec);
    expect(ops).toEqual(blocks.map((policy) => ({ op: 'xfrmPolicy.set', netns: hostNetns, policy })));
    expect([held, kept]).toEqual([blocked, keyring]);
  });

  it('removes what it does not know once all peers are known, not before', () => {
    expect(plan({ isComplete: false }, left).ops).toEqual([]);
    expect(plan({}, left).ops.map(printOp)).toHaveLength(6);
  });

  it('makes no new key before all peers are known', () => {
    expect(plan({ isComplete: false }, blocked, 'due').create).toBeUndefined();
    expect(plan({}, blocked, 'due').create).toEqual({ reason: 'due', generation: 3, version: 5 });
  });

  it.each<[string, Partial<RoundView>, number | undefined]>([
    ['publishes nothing that the managers have', {}, undefined],
    ['signs its record again with another certificate, as the next version', { isSigned: false }, 5],
    ['does not sign it again before all peers are known', { isSigned: false, isComplete: false }, undefined],
    ['signs a record that the managers do not have once', { isSigned: false, published: { version: 3, newest: 2 } }, 4],
    [
      'signs nothing before it has been told what the managers have',
      { isSigned: false, published: 'unknown' },
      undefined,
    ],
  ])('%s', (_, over, version) => {
    const { publish, keyring: kept } = plan(over);
    expect([publish?.version, kept.version]).toEqual([version, version ?? 4]);
  });
});
