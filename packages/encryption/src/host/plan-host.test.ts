import type { KeyObject } from 'node:crypto';
import {
  applyPlan,
  hostNetns,
  type Namespace,
  newNamespace,
  plan,
  printOp,
  readState,
  SaKey,
  type State,
  saKeySize,
} from '@causeway/datapath';
import { FakeKernel } from '@causeway/datapath/testing';
import { type ClusterId, firstNodeIndex, Ip, type NodeId } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { withGeneration } from '../protocol/generations.ts';
import type { RekeyReason } from '../protocol/view.ts';
import type { Unsigned } from '../signed-keys.ts';
import { formatStoredKeys, noStoredKeys, parseStoredKeys } from '../stored-keys.ts';
import { nodeKey } from '../testing/keys.ts';
import type { HostView, PeerOfHost } from './host-view.ts';
import { type HostPlan, planHost } from './plan-host.ts';
import { PossibleSas } from './possible-sas.ts';

const cluster = '0123456789abcdef' as ClusterId;
let keys = 0;

/** A host with a kernel of its own. It does what `planHost` says; a test moves records and receipts. */
class TestHost {
  readonly node: NodeId;
  readonly address: Ip;
  readonly kernel: FakeKernel;
  readonly peers = new Map<NodeId, PeerOfHost>();
  readonly ops: string[] = [];
  period = minutes(480);
  encapPort: number | undefined;
  expectedError: string | undefined;
  published: HostView['published'];
  record: Unsigned | undefined;
  receipts: HostPlan['receipts'] = new Map();
  stored = noStoredKeys;
  #sas = new PossibleSas();
  readonly #index: number;

  constructor(number: number) {
    this.node = `${number}`.repeat(16) as NodeId;
    this.address = Ip(`192.0.2.${number}`);
    this.#index = firstNodeIndex + number;
    this.kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: this.address });
  }

  async work(wanted?: RekeyReason): Promise<HostPlan> {
    const found = await this.found();
    const next = planHost(this.#view(), found, wanted, 1_000_000);
    let { keyring } = next;
    const kept = new Map<number, KeyObject>();
    for (const { generation } of keyring.generations)
      kept.set(generation, this.stored.keys.get(generation) ?? nodeKey(++keys));
    if (next.create !== undefined) {
      keyring = withGeneration(keyring, next.create, 0);
      kept.set(next.create.generation, nodeKey(++keys));
    }
    this.stored = { keyring, keys: kept };
    const desired = stateOf(next.desired);
    const ops = plan(stateOf(found), desired);
    this.ops.push(...ops.map(printOp));
    const failures = await applyPlan(this.kernel, ops);
    expect(failures.filter(({ errno }) => errno !== this.expectedError)).toEqual([]);
    this.receipts = next.receipts;
    if (next.publish !== undefined) this.record = next.publish;
    return next;
  }

  async found(): Promise<Namespace> {
    return (await readState(this.kernel, stateOf(newNamespace()))).get(hostNetns) ?? newNamespace();
  }

  /** As after a restart of the agent: what is not in the kernel or in the file is gone. */
  restart(): void {
    const read = parseStoredKeys(formatStoredKeys(this.stored));
    if (!read.ok) throw read.error;
    this.stored = read.value;
    this.#sas = new PossibleSas();
    this.peers.clear();
  }

  #view(): HostView {
    const { node, address, stored, published, peers, period, encapPort } = this;
    return {
      own: { cluster, node, index: this.#index, address, ...(encapPort !== undefined && { encapPort }) },
      stored,
      sas: this.#sas,
      published,
      peers,
      period,
    };
  }
}

function stateOf({ xfrmStates, xfrmPolicies, encapSockets }: HostPlan['desired']): State {
  return new Map([[hostNetns, { ...newNamespace(), xfrmStates, xfrmPolicies, encapSockets }]]);
}

let a: TestHost;
let b: TestHost;

beforeEach(() => {
  keys = 0;
  [a, b] = [new TestHost(1), new TestHost(2)];
});

/** Records and receipts arrive. */
function deliver(): void {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const { record } = one;
    one.published = record && { version: record.version, newest: record.generations.at(-1)?.generation ?? 0 };
    const receipt = other.receipts.get(one.node);
    if (other.record !== undefined)
      one.peers.set(other.node, { keys: other.record, address: other.address, ...(receipt && { receipt }) });
  }
}

async function rounds(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) {
    deliver();
    await a.work();
    await b.work();
  }
}

/** The SPI with which one host sends to the other, if the other receives it with the same key. */
async function spi(from: TestHost, to: TestHost): Promise<string> {
  const [sender, receiver] = [await from.found(), await to.found()];
  const policies = [...sender.xfrmPolicies.values()];
  const policy = policies.find(
    ({ direction, action }) => direction === 'out' && action.kind === 'esp' && action.dst === to.address,
  );
  if (policy?.action.kind !== 'esp') return 'blocked';
  const key = `${to.address} 0x${policy.action.spi?.toString(16)}`;
  const [sent, received] = [sender.xfrmStates.get(key), receiver.xfrmStates.get(key)];
  if (sent === undefined || received === undefined) return 'no SA';
  return sent.key.equals(received.key) && received.src === from.address ? key : 'another key';
}

describe('two hosts', () => {
  it('block what is not protected before they know each other', async () => {
    await a.work();
    expect(a.ops).toMatchInlineSnapshot(`
      [
        "ip xfrm policy update src 0.0.0.0/0 dst 0.0.0.0/0 proto udp dport 4793 dir in priority 25599 action block",
        "ip xfrm policy update src 0.0.0.0/0 dst 0.0.0.0/0 proto udp dport 4793 dir out priority 25599 flag icmp action block",
        "ip xfrm policy update src 0.0.0.0/0 dst 0.0.0.0/0 proto udp dport 4793 dir fwd priority 25599 action block",
        "ip xfrm policy update src ::/0 dst ::/0 proto udp dport 4793 dir in priority 25599 action block",
        "ip xfrm policy update src ::/0 dst ::/0 proto udp dport 4793 dir out priority 25599 flag icmp action block",
        "ip xfrm policy update src ::/0 dst ::/0 proto udp dport 4793 dir fwd priority 25599 action block",
      ]
    `);
  });

  it('come to send each other what both protect with the same keys', async () => {
    await rounds();
    expect([await spi(a, b), await spi(b, a)]).toEqual(['192.0.2.2 0x11000101', '192.0.2.1 0x11000102']);
    const before = a.ops.length;
    await rounds(3);
    expect(a.ops.slice(before)).toEqual([]);
  });

  it('change to new keys: receiving first, then sending, then the policy; then the old ones go', async () => {
    await rounds();
    const before = [a.ops.length, b.ops.length];
    await a.work('requested');
    await rounds();
    expect([await spi(a, b), await spi(b, a)]).toEqual(['192.0.2.2 0x21000101', '192.0.2.1 0x12000102']);
    const short = (op: string): string => op.replace(/ (reqid|mode|aead|limit|sel).*/, '');
    expect({ a: a.ops.slice(before[0]).map(short), b: b.ops.slice(before[1]).map(short) }).toMatchInlineSnapshot(`
      {
        "a": [
          "ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x12000102",
          "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x21000101",
          "ip xfrm policy update src 192.0.2.1/32 dst 192.0.2.2/32 proto udp sport 4793 dport 4793 dir out priority 25345 flag icmp tmpl src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x21000101",
          "ip xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x11000101",
          "ip xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x11000102",
        ],
        "b": [
          "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x21000101",
          "ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x12000102",
          "ip xfrm policy update src 192.0.2.2/32 dst 192.0.2.1/32 proto udp sport 4793 dport 4793 dir out priority 25345 flag icmp tmpl src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x12000102",
          "ip xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x11000102",
          "ip xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x11000101",
        ],
      }
    `);
  });

  it('go on after a restart of an agent with what the kernel has, and make nothing new', async () => {
    await rounds();
    const before = a.ops.length;
    a.restart();
    await rounds();
    expect(a.ops.slice(before)).toEqual([]);
    expect(a.stored.keyring.generations).toHaveLength(1);
  });

  it('do not make an SA again when its limits would be others', async () => {
    await rounds();
    const before = a.ops.length;
    a.period = minutes(1);
    await rounds();
    expect(a.ops.slice(before)).toEqual([]);
  });

  it('get new keys when SAs are lost, and never the same SA again', async () => {
    await rounds();
    const first = a.ops.filter((op) => op.includes('state add')).map((op) => op.replace(/.*spi (\S+).*/, '$1'));
    for (const state of (await a.found()).xfrmStates.values())
      a.kernel.foreign({ op: 'xfrmState.delete', netns: hostNetns, state });
    const before = a.ops.length;
    await rounds();
    expect([await spi(a, b), await spi(b, a)]).toEqual(['192.0.2.2 0x21000101', '192.0.2.1 0x12000102']);
    const later = a.ops.slice(before).filter((op) => op.includes('state add'));
    expect(later.filter((op) => first.some((old) => op.includes(old)))).toEqual([]);
  });

  it('stop sending when the keys are lost, say nothing about what they cannot name, and begin anew', async () => {
    await rounds();
    a.stored = noStoredKeys;
    const plan = await a.work();
    expect(plan.receipts.get(b.node)).toBeUndefined();
    expect(await spi(a, b)).toBe('blocked');
    await rounds();
    expect([await spi(a, b), await spi(b, a)]).toEqual(['192.0.2.2 0x21000101', '192.0.2.1 0x12000102']);
  });

  it('leave only the blocks when they share no network any more', async () => {
    await rounds();
    a.peers.clear();
    await a.work();
    const { xfrmStates, xfrmPolicies } = await a.found();
    expect([xfrmStates.size, [...xfrmPolicies.values()].map(({ action }) => action.kind)]).toEqual([
      0,
      Array(6).fill('block'),
    ]);
  });

  /** The ports of the SA with which one host sends to the other, at both ends: "4500>61000". */
  async function ports(from: TestHost, to: TestHost): Promise<readonly string[]> {
    const key = await spi(from, to);
    const ends = await Promise.all([from, to].map(async (host) => (await host.found()).xfrmStates.get(key)?.encap));
    return ends.map((encap) => (encap === undefined ? 'plain' : `${encap.sport}>${encap.dport}`));
  }

  describe('with a NAT before one of them', () => {
    beforeEach(async () => {
      await rounds();
      a.encapPort = 4500;
      await rounds();
    });

    /** A packet from `a` arrives from this port. */
    function arriveFrom(port: number, key: string): void {
      const state = b.kernel.namespaces.get(hostNetns) && key.split(' ');
      if (state?.[0] === undefined || state[1] === undefined) throw new Error('no SA');
      b.kernel.foreignArrival(hostNetns, { dst: Ip(state[0]), spi: Number(state[1]) }, port);
    }

    it('change to new keys, and to ESP in UDP with them; each holds a socket', async () => {
      expect([await spi(a, b), await spi(b, a)]).toEqual(['192.0.2.2 0x21000101', '192.0.2.1 0x12000102']);
      expect([await ports(a, b), await ports(b, a)]).toEqual([
        ['4500>4500', '4500>4500'],
        ['4500>4500', '4500>4500'],
      ]);
      expect([[...(await a.found()).encapSockets.keys()], [...(await b.found()).encapSockets.keys()]]).toEqual([
        [a.address],
        [b.address],
      ]);
    });

    it('go back with new keys when the NAT is gone, and let the sockets go', async () => {
      a.encapPort = undefined;
      await rounds();
      expect([await spi(a, b), await ports(a, b)]).toEqual(['192.0.2.2 0x31000101', ['plain', 'plain']]);
      expect((await b.found()).encapSockets.size).toBe(0);
    });

    it('follow another port of the NAT with the SAs that they have: no new key, and no SA is made', async () => {
      const before = b.ops.length;
      arriveFrom(61_000, await spi(a, b));
      await rounds();
      expect(b.ops.slice(before).map((op) => op.replace(/ reqid.*encap/, ' … encap').replace(/ limit.*/, ''))).toEqual([
        'ip xfrm state update src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x21000101 … encap espinudp 61000 4500 0.0.0.0',
        'ip xfrm state update src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x12000102 … encap espinudp 4500 61000 0.0.0.0',
      ]);
      expect([await ports(a, b), await ports(b, a)]).toEqual([
        ['4500>4500', '61000>4500'],
        ['4500>61000', '4500>4500'],
      ]);
      arriveFrom(62_000, await spi(a, b));
      await rounds();
      expect((await ports(b, a))[0]).toBe('4500>62000');
    });

    it('keep the port that they have found when an agent restarts, and for new keys', async () => {
      arriveFrom(61_000, await spi(a, b));
      await rounds();
      const before = b.ops.length;
      b.restart();
      await rounds();
      expect(b.ops.slice(before)).toEqual([]);
      await b.work('requested');
      await rounds();
      expect([await spi(a, b), (await ports(b, a))[0]]).toEqual(['192.0.2.2 0x22000101', '4500>61000']);
    });

    it('begin with the port that is announced when there is another', async () => {
      arriveFrom(61_000, await spi(a, b));
      await rounds();
      a.encapPort = 14_500;
      await rounds();
      expect((await ports(b, a))[0]).toBe('4500>14500');
    });

    it('open the socket again when the process that holds it has ended', async () => {
      a.kernel.foreign({ op: 'encapSocket.delete', netns: hostNetns, address: a.address });
      const { receipts } = await a.work();
      expect(receipts.get(b.node)?.receives).toEqual([]);
      expect((await a.found()).encapSockets.size).toBe(1);
      expect((await a.work()).receipts.get(b.node)?.receives).toHaveLength(1);
    });
  });

  it('do not use ESP in UDP as long as another program has the port', async () => {
    await rounds();
    const close = b.kernel.foreignSocket(b.address);
    b.expectedError = 'EADDRINUSE';
    a.encapPort = 4500;
    await rounds();
    expect(await ports(a, b)).toEqual(['plain', 'plain']);
    close();
    await rounds();
    expect(await ports(a, b)).toEqual(['4500>4500', '4500>4500']);
  });

  it('are not fooled by an SA with another key under an SPI of theirs', async () => {
    await rounds();
    const state = [...(await a.found()).xfrmStates.values()].find(({ direction }) => direction === 'in');
    if (state === undefined) throw new Error('no SA');
    a.kernel.foreign({ op: 'xfrmState.delete', netns: hostNetns, state });
    a.kernel.foreign({
      op: 'xfrmState.add',
      netns: hostNetns,
      state: { ...state, key: SaKey.of(new Uint8Array(saKeySize)) },
    });
    await rounds();
    expect([await spi(a, b), await spi(b, a)]).toEqual(['192.0.2.2 0x21000101', '192.0.2.1 0x12000102']);
  });
});
