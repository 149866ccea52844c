import { hostNetns, policyKey, printOp, stateKey } from '@causeway/datapath';
import { xfrm } from '@causeway/datapath/testing';
import { blocks, PossibleSas } from '@causeway/encryption';
import { createNodeKey } from '@causeway/encryption/io';
import { type ClusterId, Ip, type NodeId } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import type { Ipsec } from './ipsec.ts';
import { guards, noIpsec, planRound, type RoundView, withoutDemands } from './round.ts';

const keyring = {
  version: 4,
  generations: [{ generation: 2, createdAt: 0, offeredIn: 4 }],
  made: new Map(),
  confirmed: new Map(),
};
const view: RoundView = {
  own: {
    ...{ cluster: '0123456789abcdef' as ClusterId, node: 'a1a1a1a1a1a1a1a1' as NodeId },
    ...{ index: 0x101, address: Ip('192.0.2.1') },
  },
  stored: { keyring, keys: new Map([[2, createNodeKey()]]) },
  sas: new PossibleSas(),
  published: { version: 4, newest: 2 },
  peers: new Map(),
  period: minutes(480),
  isComplete: true,
  isSigned: true,
  hasGuards: true,
};
const blockPolicies = new Map(blocks.map((each) => [policyKey(each), each]));
const blocked: Ipsec = { ...noIpsec, xfrmPolicies: blockPolicies, portGuards: guards };
const guardOp = { op: 'portGuard.set', netns: hostNetns, port: 4793 };
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
const plan = (over: Partial<RoundView>, found: Ipsec = blocked, wanted?: 'due') =>
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
      portGuards: guards,
    };
    expect(withoutDemands(found)).toEqual({ ...blocked, xfrmStates: found.xfrmStates });
  });

  it('sets the blocks and the guard before it has an index', () => {
    const { ops, held, keyring: kept } = plan({ own: { ...view.own, index: undefined } }, noIpsec);
    expect(ops).toEqual([...blocks.map((policy) => ({ op: 'xfrmPolicy.set', netns: hostNetns, policy })), guardOp]);
    expect([held, kept]).toEqual([blocked, keyring]);
  });

  it.each<[string, Ipsec['portGuards']]>([
    ['is gone', new Map()],
    ['was changed', new Map([[4793, 'changed']])],
  ])('makes a guard anew that %s, also before all peers are known', (_, portGuards) => {
    for (const isComplete of [true, false]) {
      const { ops, held } = plan({ isComplete }, { ...blocked, portGuards });
      expect(ops).toEqual([guardOp]);
      expect(held.portGuards).toEqual(guards);
    }
  });

  it('leaves guards as they are when the kernel takes none', () => {
    for (const own of [view.own, { ...view.own, index: undefined }]) {
      const { ops, held } = plan({ own, hasGuards: false }, { ...blocked, portGuards: new Map() });
      expect([ops, held.portGuards]).toEqual([[], new Map()]);
    }
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
