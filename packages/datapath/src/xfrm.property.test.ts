import { type Ip, Mac, Vni } from '@causeway/model';
import { FakeClock } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { applyPlan, readState } from './apply.ts';
import { type Draft, newNamespace } from './draft.ts';
import type { ReadScope } from './kernel.ts';
import type { Namespace, Op } from './kinds/table.ts';
import { policyKey } from './kinds/xfrm-policy.ts';
import { stateKey, type XfrmState } from './kinds/xfrm-state.ts';
import { plan } from './plan.ts';
import { printState } from './print.ts';
import { hostNetns, type NetnsPath, type State } from './state.ts';
import { FakeKernel } from './testing/fake-kernel.ts';
import { vtep } from './testing/fixtures.ts';
import { policiesOf } from './testing/twins/xfrm-policy.ts';
import { statesOf } from './testing/twins/xfrm-state.ts';
import { block, demand, encryptedPort, saKey, state } from './testing/xfrm-fixtures.ts';

const overlay = '/run/netns/cw-0123456789' as NetnsPath;
const me = vtep(1);
const peers = [2, 3, 4] as const;
const mac = (peer: number): Mac => Mac(`02:42:0a:42:00:0${peer}`);

/**
 * An encrypted network on this host: of each peer the generation of its keys, 0: no such peer; and its port, for those that use ESP
 * in UDP. undefined: no network.
 */
type Wish = readonly (readonly [generation: number, port: number])[] | undefined;

const peerWish = fc.tuple(fc.nat({ max: 3 }), fc.constantFrom(4500, 61_000));
const wish: fc.Arbitrary<Wish> = fc.option(fc.tuple(...peers.map(() => peerWish)), { nil: undefined });

/** Peers behind a NAT. */
const isBehindNat = (peer: number): boolean => peer > 2;

function stateOf(wanted: Wish): State {
  const [host, network] = [newNamespace(), newNamespace()];
  if (wanted === undefined) return new Map([[hostNetns, host]]);
  for (const direction of ['in', 'out'] as const) put(host, block(direction));
  host.portGuards.set(encryptedPort, 'whole');
  network.links.set('vxlan0', {
    ...{ kind: 'vxlan', name: 'vxlan0', mac: mac(1), mtu: 1400, up: true },
    ...{ vni: Vni(7), port: encryptedPort, local: me },
  });
  const entries = new Map<Mac, Ip>();
  for (const [index, peer] of peers.entries()) {
    const [generation, port] = wanted[index] ?? [0, 0];
    if (generation === 0) continue;
    const [received, sent] = [sa(vtep(peer), me, generation, 'in', port), sa(me, vtep(peer), generation, 'out', port)];
    if (isBehindNat(peer)) host.encapSockets.set(me, true);
    for (const each of [received, sent]) host.xfrmStates.set(stateKey(each), each);
    put(host, demand('in', vtep(peer), me));
    put(host, demand('out', me, vtep(peer), { spi: sent.spi }));
    entries.set(mac(peer), vtep(peer));
  }
  network.fdb.set('vxlan0', entries);
  return new Map([
    [hostNetns, host],
    [overlay, network],
  ]);
}

function put(host: Draft, policy: ReturnType<typeof block>): void {
  host.xfrmPolicies.set(policyKey(policy), policy);
}

function sa(src: Ip, dst: Ip, generation: number, direction: 'in' | 'out', port = 4500): XfrmState {
  const peer = Number((direction === 'in' ? src : dst).slice(-1));
  const encap = direction === 'in' ? { sport: port, dport: 4500 } : { sport: 4500, dport: port };
  return state({
    ...{ direction, src, dst, spi: generation * 256 + peer, key: saKey(generation * 16 + peer) },
    ...(isBehindNat(peer) && { encap }),
  });
}

const everything: ReadScope = { sysctls: [] };

async function found(kernel: FakeKernel): Promise<State> {
  const scopes = new Map([hostNetns, overlay].map((netns) => [netns, everything]));
  return readState(kernel, stateOf(peers.map(() => [0, 0] as const)), scopes);
}

/** What must hold between any two ops: in words, what does not. */
function faults(now: State): readonly string[] {
  const host = now.get(hostNetns) as Namespace;
  const network = now.get(overlay);
  const states = [...host.xfrmStates.values()];
  const policies = [...host.xfrmPolicies.values()];
  const wrong: string[] = [];
  const blocks = policies.filter(({ action }) => action.kind === 'block').map(({ direction }) => direction);
  const hasTunnel = network?.links.has('vxlan0') === true;
  if (hasTunnel && blocks.length < 2) wrong.push('a tunnel without blocks');
  if (hasTunnel && !host.portGuards.has(encryptedPort)) wrong.push('a tunnel without a guard');
  for (const { direction, action } of policies) {
    if (direction !== 'out' || action.kind !== 'esp') continue;
    if (!states.some(({ spi, dst }) => spi === action.spi && dst === action.dst)) wrong.push(`${action.dst}: no SA`);
  }
  for (const { direction, src, dst, encap } of states) {
    const hasSocket = encap === undefined || direction === 'out' || host.encapSockets.has(dst);
    if (!hasSocket) wrong.push(`${src}: receives ESP in UDP without a socket`);
    const isReceived = states.some((other) => other.direction === 'in' && other.src === dst);
    if (direction === 'out' && !isReceived) wrong.push(`${dst}: sends before it receives`);
  }
  for (const target of network?.fdb.get('vxlan0')?.values() ?? []) {
    const isDemanded = policies.some(({ action }) => action.kind === 'esp' && action.dst === target);
    if (!isDemanded) wrong.push(`${String(target)}: an FDB entry without a policy`);
  }
  return wrong;
}

it('between any two ops of a plan nothing may leave in the clear, and no policy lacks its SA', async () => {
  await fc.assert(
    fc.asyncProperty(wish, wish, async (before, after) => {
      const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: me });
      for (const wanted of [before, after]) {
        const desired = stateOf(wanted);
        for (const op of plan(await found(kernel), desired)) {
          expect(await applyPlan(kernel, [op])).toEqual([]);
          expect(faults(await found(kernel)), op.op).toEqual([]);
        }
        expect(plan(await found(kernel), desired)).toEqual([]);
        expect(printState(await found(kernel))).toBe(printState(desired));
      }
    }),
    { numRuns: 200 },
  );
});

/** What other programs may do: delete any object of ours, put another in its place, add their own. */
const drift: fc.Arbitrary<Op> = fc
  .tuple(fc.constantFrom(...peers), fc.nat({ max: 3 }), fc.constantFrom('in', 'out', 'fwd'), fc.nat({ max: 8 }))
  .map(([peer, generation, direction, what]): Op => {
    const received = sa(vtep(peer), me, generation, 'in');
    const demanded = demand('out', me, vtep(peer), { spi: generation + 1 });
    const netns = hostNetns;
    const ops: readonly Op[] = [
      { op: 'xfrmState.delete', netns, state: received },
      { op: 'encapSocket.delete', netns, address: me },
      { op: 'xfrmState.add', netns, state: { ...received, key: saKey(99) } },
      { op: 'xfrmPolicy.delete', netns, policy: block(direction) },
      { op: 'xfrmPolicy.set', netns, policy: { ...block(direction), action: { kind: 'other' } } },
      { op: 'xfrmPolicy.set', netns, policy: demanded },
      { op: 'xfrmState.add', netns, state: { ...received, spi: 5, reqid: 7 } },
      { op: 'xfrmPolicy.set', netns, policy: demand(direction, vtep(8), vtep(9), { priority: generation }) },
      { op: 'portGuard.delete', netns, port: encryptedPort },
    ];
    return ops[what] as Op;
  });

it('from any drift, one plan leads to the desired state, and what belongs to others stays', async () => {
  const theirs = (kernel: FakeKernel): number => foreignObjects(kernel).length;
  await fc.assert(
    fc.asyncProperty(wish, fc.array(drift, { maxLength: 12 }), wish, async (before, changes, after) => {
      const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: me });
      await applyPlan(kernel, plan(await found(kernel), stateOf(before)));
      await kernel.apply(changes);
      const count = theirs(kernel);
      const desired = stateOf(after);
      expect(await applyPlan(kernel, plan(await found(kernel), desired))).toEqual([]);
      expect(plan(await found(kernel), desired)).toEqual([]);
      expect(theirs(kernel)).toBe(count);
    }),
    { numRuns: 200 },
  );
});

function foreignObjects(kernel: FakeKernel): readonly unknown[] {
  const host = kernel.namespaces.get(hostNetns);
  if (host === undefined) return [];
  const states = [...statesOf(host).values()].filter(({ reqid }) => reqid === 7);
  const policies = [...policiesOf(host).values()].filter(({ priority }) => priority < 10);
  return [...states, ...policies];
}
