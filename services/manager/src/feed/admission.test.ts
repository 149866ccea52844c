import type { NetworkId, Node } from '@causeway/model';
import { nodeToMessage } from '@causeway/proto';
import { Hello } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Term } from '../election/term.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { networkId, scriptCluster, scriptNetwork, scriptNode } from '../testing/view-script.ts';
import { Admission, type AdmissionParts } from './admission.ts';
import { Session } from './session.ts';

const host = scriptNode(1);
const cluster = { id: scriptCluster, epoch: 1n };
const terms = [3n, 9n].map((revision) => ({ revision, signal: new AbortController().signal }) as Term);

/** Network 7 exists; 8 has claims of endpoints; the VNI of 9 cools; the VNI of 10 is in use. */
const networks = new Map([[networkId(7), { value: scriptNetwork(7), revision: 1n }]]);
const vnis = new Map<number, { claim: { kind: string; network: NetworkId } }>([
  [9, { claim: { kind: 'cooling', network: networkId(9) } }],
  [10, { claim: { kind: 'network', network: networkId(10) } }],
]);

let term: Term | undefined;
let view: { cluster: typeof cluster | undefined; [part: string]: unknown };
let session: Session;
let agent: MemoryAgent;
/** Called when the host's record is written. */
let registering: () => void;
/** Networks that the host may hold; undefined: no session began. */
let held: readonly NetworkId[] | undefined;
/** The host was removed; undefined: it was not. */
let removal: { readonly at: number; readonly reason: string } | undefined;
let admission: Admission;

beforeEach(() => {
  [term, held, registering, removal] = [terms[0], undefined, () => undefined, undefined];
  view = {
    ...{ cluster, revision: 3n, networks, vnis },
    networksWithClaims: () => [networkId(8)],
    nodes: new Map(),
    records: (kind: string) => ({
      get: () => (kind === 'removed' ? removal && { value: removal } : undefined),
      all: new Map(),
    }),
    nodesAt: (): Node[] => [],
    networksOn: () => new Set(),
    waitFor: async () => undefined,
  };
  agent = new MemoryAgent(host);
  session = new Session(agent, 0);
  admission = new Admission(
    {
      view,
      registrar: {
        register: async () => {
          registering();
          return 3n;
        },
      },
      sessions: { of: () => undefined, admit: () => undefined, step: () => undefined },
      progress: {
        silentSince: () => undefined,
        sessionBegan: (_: string, networksHeld: Iterable<NetworkId>) => {
          held = [...networksHeld];
        },
      },
      ...{ term: () => term, clock: new FakeClock(), log: new MemoryLog() },
    } as unknown as AdmissionParts,
    {},
  );
});

const admit = (...named: readonly number[]): Promise<boolean> => {
  const cursors = named.map((n) => ({ networkId: networkId(n), revision: 1n, digest: 0n, feedVersion: 1 }));
  const feedVersions = agent.holds.feeds.map(({ number }) => number);
  return admission.admit(session, Hello.create({ node: nodeToMessage(host, 0n), cursors, feedVersions }), {
    kind: 'agent',
    node: host.id,
  });
};

test.each<[string, readonly number[], readonly number[]]>([
  ['none', [], []],
  ['those that exist', [7], [7]],
  ['those that were deleted and have claims that wait for hosts', [7, 8, 9], [7, 8, 9]],
  ['those of which nothing waits for hosts: not', [7, 8, 9, 10, 11], [7, 8, 9]],
  ['only unknown ones', [11], []],
])('networks that a host may hold, of those that it names: %s', async (_, named, expected) => {
  expect(await admit(...named)).toBe(true);
  expect(held).toEqual(expected.map(networkId));
  expect(agent.take()).toEqual(['welcome term=3']);
});

describe('an agent gets no Welcome', () => {
  test.each<[string, () => void, boolean]>([
    [
      'from a manager that does not lead',
      () => {
        term = undefined;
      },
      false,
    ],
    [
      'from a manager that knows no cluster yet',
      () => {
        view.cluster = undefined;
      },
      false,
    ],
    [
      'from a manager whose term ends meanwhile',
      () => {
        registering = () => {
          term = undefined;
        };
      },
      false,
    ],
    [
      'from a manager that leads in another term by then',
      () => {
        registering = () => {
          term = terms[1];
        };
      },
      false,
    ],
    [
      'when its session has ended meanwhile: there is no leader to name to it',
      () => {
        registering = () => session.close();
      },
      true,
    ],
  ])('%s', async (_, happens, expected) => {
    happens();
    expect(await admit(7)).toBe(expected);
    expect([agent.take(), held]).toEqual([[], undefined]);
  });

  test.each<[string, () => void]>([
    [
      'was',
      () => {
        removal = { at: 0, reason: 'host h1' };
      },
    ],
    [
      'was while it is registered',
      () => {
        registering = () => {
          removal = { at: 0, reason: 'host h1' };
        };
      },
    ],
  ])('when its host %s removed', async (_, happens) => {
    happens();
    await expect(admit()).rejects.toMatchObject({ code: 'node-removed' });
    expect([agent.take(), held]).toEqual([[], undefined]);
  });

  test('for a second Hello', async () => {
    await admit();
    agent.take();
    await expect(admit()).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(agent.take()).toEqual([]);
  });
});
