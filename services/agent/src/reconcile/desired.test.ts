import {
  applyPlan,
  type NetnsPath,
  newNamespace,
  overlayNetns,
  Peers,
  plan,
  printOp,
  readState,
  type State,
} from '@causeway/datapath';
import { FakeKernel, tunnelsOf } from '@causeway/datapath/testing';
import {
  type EndpointId,
  type EndpointRow,
  InterfaceAddress,
  Ip,
  macForIp,
  type Name,
  type NodeId,
  type RequestId,
} from '@causeway/model';
import { FakeClock } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../disk/sandbox.ts';
import { FakeManager } from '../testing/fake-manager.ts';
import { type Desired, desiredState, type Former, stateChange } from './desired.ts';

const network = new FakeManager().network('blue');
const me = 'a000000000000001' as NodeId;
const host = { node: me, vtep: Ip('192.0.2.1'), vxlanPort: 4789 };

/** Where one endpoint is at a moment: on another host behind one of two VTEPs, or here in one of two containers. */
type Place = 'none' | 'far-1' | 'far-2' | 'claimed' | 'box-1' | 'box-2';
const places = fc.constantFrom<Place>('none', 'far-1', 'far-2', 'claimed', 'box-1', 'box-2');

function rowOf(n: number, place: Place): EndpointRow | undefined {
  if (place === 'none') return undefined;
  const far = place.startsWith('far');
  const ip = Ip(`10.66.0.${n + 10}`);
  return {
    id: n.toString(16).padStart(12, '0').padEnd(16, '0') as EndpointId,
    name: `e${n}` as Name,
    node: far ? ('b000000000000002' as NodeId) : me,
    addresses: [InterfaceAddress(`${ip}/16`)],
    mac: macForIp(ip),
    vtep: Ip(place === 'far-2' ? '192.0.2.3' : far ? '192.0.2.2' : '192.0.2.1'),
  };
}

function sandboxOf(n: number, place: Place): Sandbox | undefined {
  const row = rowOf(n, place);
  if (row === undefined || !place.startsWith('box')) return undefined;
  return {
    endpoint: { ...row, network: network.id },
    claimed: { epoch: 1n, revision: BigInt(n) },
    requestId: '' as RequestId,
    netns: `/run/netns/${place}` as NetnsPath,
    identity: place,
    ifname: `eth${n}`,
    gateway: { priority: 0, slot: n },
  };
}

function desiredOf(all: readonly Place[]): Desired {
  const rows = all.flatMap((place, n) => rowOf(n, place) ?? []);
  const sandboxes = all.flatMap((place, n) => sandboxOf(n, place) ?? []);
  return { network, rows: new Map(rows.map((row) => [row.id, row])), sandboxes };
}

/** The containers exist whether or not Causeway has anything in them. */
function withContainers(state: State): State {
  const boxes = ['box-1', 'box-2'].map((box) => `/run/netns/${box}` as NetnsPath);
  return new Map([...boxes.map((netns) => [netns, newNamespace()] as const), ...state]);
}

describe('stateChange', () => {
  it('plans for a few endpoints what planning for the whole network would', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(places, places), { maxLength: 8 }), (moves) => {
        const was = moves.map(([place]) => place);
        const is = moves.map(([, place]) => place);
        const changes = new Map<EndpointId, Former>();
        for (const [n, [before, after]] of moves.entries()) {
          const id = (rowOf(n, before) ?? rowOf(n, after))?.id;
          if (before === after || id === undefined) continue;
          changes.set(id, { row: rowOf(n, before), sandbox: sandboxOf(n, before) });
        }
        const { before, after } = stateChange(host, changes, desiredOf(is));
        const whole = plan(
          withContainers(desiredState(host, desiredOf(was))),
          withContainers(desiredState(host, desiredOf(is))),
        );
        const lines = (ops: readonly object[]): string[] => ops.map((op) => JSON.stringify(op)).sort();
        expect(lines(plan(before, after))).toEqual(lines(whole));
      }),
    );
  });
});

/** The kernel of a host with both containers, programmed with `state`. */
async function kernelWith(state: State): Promise<FakeKernel> {
  const kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: host.vtep });
  for (const box of ['box-1', 'box-2']) kernel.foreignNetns(`/run/netns/${box}` as NetnsPath);
  expect(await applyPlan(kernel, plan(await readState(kernel, state), state))).toEqual([]);
  return kernel;
}

/** "MAC VTEP" of every endpoint that has an entry in the tunnel. */
function reached(kernel: FakeKernel): ReadonlySet<string> {
  const tunnel = kernel.namespaces.get(overlayNetns(network.id))?.links.get('vxlan0');
  const entries = tunnel === undefined ? [] : [...tunnelsOf(tunnel)];
  return new Set(entries.map(([mac, vteps]) => `${mac} ${vteps}`));
}

describe('the order of a plan for a few endpoints', () => {
  it('is accepted by the kernel, step by step, and cuts off no container that stays where it is', async () => {
    let steps = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(places, places), { minLength: 1, maxLength: 6 }), async (moves) => {
        const [was, is] = [desiredOf(moves.map(([place]) => place)), desiredOf(moves.map(([, place]) => place))];
        const changes = new Map<EndpointId, Former>();
        for (const [n, [before, after]] of moves.entries()) {
          const id = (rowOf(n, before) ?? rowOf(n, after))?.id;
          if (before === after || id === undefined) continue;
          changes.set(id, { row: rowOf(n, before), sandbox: sandboxOf(n, before) });
        }
        const kernel = await kernelWith(desiredState(host, was));
        const stay = moves.flatMap(([before, after], n) => (before === after ? (rowOf(n, after) ?? []) : []));
        const lasting = stay.flatMap(({ node, mac, vtep }) => (node === me ? [] : [`${mac} ${vtep}`]));
        const { before, after } = stateChange(host, changes, is);
        for (const op of plan(before, after)) {
          steps++;
          expect(await kernel.apply([op]), printOp(op)).toEqual([{ ok: true }]);
          expect([...reached(kernel)]).toEqual(expect.arrayContaining(lasting));
        }
        const desired = desiredState(host, is);
        expect(plan(await readState(kernel, desired), desired).map(printOp)).toEqual([]);
      }),
    );
    expect(steps).toBeGreaterThan(500);
  });
});

describe('desiredState', () => {
  it('is the same with peers that were kept row by row as with all rows gathered anew', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(places, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 5 }),
        (story) => {
          const peers = new Peers(host);
          let rows: Desired['rows'] = new Map();
          for (const moment of story) {
            const desired = desiredOf(moment);
            for (const row of rows.values()) if (desired.rows.get(row.id)?.vtep !== row.vtep) peers.remove(row);
            for (const row of desired.rows.values()) peers.add(row);
            rows = desired.rows;
            expect(desiredState(host, desired, peers)).toEqual(desiredState(host, desired));
          }
        },
      ),
    );
  });

  it('has a sandbox whose row the table does not have yet', () => {
    const desired = { ...desiredOf(['box-1']), rows: new Map() };
    expect(desiredState(host, desired)).toEqual(desiredState(host, desiredOf(['box-1'])));
  });
});
