import { type NetnsPath, Peers, plan, type State } from '@causeway/datapath';
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
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { FakeManager } from '../testing/fake-manager.ts';
import { desiredState, type Former, stateChange, type Wanted } from './desired.ts';

const network = new FakeManager().network('blue');
const me = 'a000000000000001' as NodeId;
const host = { node: me, vtep: Ip('192.0.2.1'), vxlanPort: 4789 };

/** What one endpoint is at a moment: elsewhere behind one of two VTEPs, or here, in one of two containers. */
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

function wantedOf(all: readonly Place[]): Wanted {
  const rows = all.flatMap((place, n) => rowOf(n, place) ?? []);
  const sandboxes = all.flatMap((place, n) => sandboxOf(n, place) ?? []);
  return { network, rows: new Map(rows.map((row) => [row.id, row])), sandboxes };
}

/** Containers are there whether or not anything of ours is in them. */
function withContainers(state: State): State {
  const empty = {
    links: new Map(),
    addresses: new Map(),
    routes: new Map(),
    neighbours: new Map(),
    fdb: new Map(),
    sysctls: new Map(),
  };
  const boxes = ['box-1', 'box-2'].map((box) => `/run/netns/${box}` as NetnsPath);
  return new Map([...boxes.map((netns) => [netns, empty] as const), ...state]);
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
        const { before, after } = stateChange(host, changes, wantedOf(is));
        const whole = plan(
          withContainers(desiredState(host, wantedOf(was))),
          withContainers(desiredState(host, wantedOf(is))),
        );
        const lines = (ops: readonly object[]): string[] => ops.map((op) => JSON.stringify(op)).sort();
        expect(lines(plan(before, after))).toEqual(lines(whole));
      }),
    );
  });
});

describe('desiredState', () => {
  it('is the same with peers that were kept row by row as with all rows gathered anew', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(places, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 5 }),
        (story) => {
          const peers = new Peers(host);
          let rows: Wanted['rows'] = new Map();
          for (const moment of story) {
            const wanted = wantedOf(moment);
            for (const row of rows.values()) if (wanted.rows.get(row.id)?.vtep !== row.vtep) peers.remove(row);
            for (const row of wanted.rows.values()) peers.add(row);
            rows = wanted.rows;
            expect(desiredState(host, wanted, peers)).toEqual(desiredState(host, wanted));
          }
        },
      ),
    );
  });

  it('has a sandbox whose row the table does not have yet', () => {
    const wanted = { ...wantedOf(['box-1']), rows: new Map() };
    expect(desiredState(host, wanted)).toEqual(desiredState(host, wantedOf(['box-1'])));
  });
});
