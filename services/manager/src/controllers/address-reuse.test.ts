import { CausewayError, Ip, type Name, type Network, type NetworkId, type NodeId, Prefix } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Committed } from '../commit/outcomes.ts';
import type { HostsProgress } from '../ipam/cooldown.ts';
import { claimEndpoint } from '../plan/claim-endpoint.ts';
import { createNetwork } from '../plan/create-network.ts';
import { deleteNetwork } from '../plan/delete-network.ts';
import type { Intent } from '../plan/intent.ts';
import { registerNode } from '../plan/register-node.ts';
import { releaseEndpoint } from '../plan/release-endpoint.ts';
import { records } from '../store/records/index.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { scriptNetwork, scriptNode } from '../testing/view-script.ts';
import { AddressReuseController } from './address-reuse.ts';

const host = scriptNode(1);
let desk: PlanHarness;
let clock: FakeClock;
let progress: HostsProgress;
let silent: Map<NodeId, number>;
let failures: CausewayError[];
let moved: (network: NetworkId) => void;
let term: AbortController;
let network: Network;
let writes: number;

beforeEach(async () => {
  desk = new PlanHarness(new SeededRandom(1));
  clock = new FakeClock();
  progress = {};
  silent = new Map();
  failures = [];
  writes = 0;
  desk.make(registerNode(host));
  network = create(scriptNetwork(1));
  lead();
});

afterEach(() => term.abort());

/** Begins a term with the present reports. */
function lead(): void {
  term = new AbortController();
  const apply = async <Reply>(intent: Intent<Reply>): Promise<Committed<Reply>> => {
    writes++;
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    return { reply: desk.make(intent), revision: desk.view.revision };
  };
  const controller = new AddressReuseController(
    {
      view: desk.view,
      writer: { apply },
      hosts: {
        progress: () => progress,
        subscribeProgress: (listener) => {
          moved = listener;
          return () => undefined;
        },
        silentSince: (node) => silent.get(node),
      },
      clock,
      log: new MemoryLog(),
    },
    { cooldown: seconds(60) },
  );
  void controller.run({ revision: desk.view.revision, signal: term.signal });
}

function create(made: Network): Network {
  const write = { kind: 'put', key: desk.keys.network(made.id), value: records.network.codec.encode(made) } as const;
  desk.write({ compares: [], writes: [write], takes: [], events: [], reply: undefined });
  return made;
}

function attach(name: string): { ip: Ip; release: () => void } {
  const request = { network: network.id, node: host.id, addresses: [], name: name as Name };
  const made = desk.make(claimEndpoint(request));
  const ip = Ip(made.addresses[0]?.split('/')[0] ?? '');
  return { ip, release: () => desk.make(releaseEndpoint({ endpoint: made.id, node: host.id, reason: 'asked' })) };
}

function isClaimed(ip: Ip): boolean {
  return desk.view.addressesOf(network.id).has(ip);
}

const soon = (): Promise<void> => clock.advance(milliseconds(100));

describe('a freed address', () => {
  test('is given up when every host has applied the release, and not before', async () => {
    progress = { floor: desk.view.revision };
    const { ip, release } = attach('a');
    release();
    await clock.advance(seconds(600));
    expect(isClaimed(ip)).toBe(true);
    progress = { floor: desk.view.revision };
    await clock.advance(seconds(600));
    expect(isClaimed(ip)).toBe(true);
    moved(network.id);
    await soon();
    expect(isClaimed(ip)).toBe(false);
  });

  test('waits for silent hosts from the release on, without any further message', async () => {
    silent.set(host.id, clock.now());
    await clock.advance(seconds(30));
    const { ip, release } = attach('a');
    release();
    await clock.advance(seconds(59));
    expect(isClaimed(ip)).toBe(true);
    await clock.advance(seconds(2));
    expect(isClaimed(ip)).toBe(false);
  });

  test('keeps no timer running when the manager stops in the middle of a look', async () => {
    silent.set(host.id, clock.now());
    attach('a').release();
    await soon();
    attach('b').release();
    term.abort();
    expect(clock.sleeping).toBe(0);
  });

  test('waits anew for silent hosts under a new leader', async () => {
    silent.set(host.id, clock.now());
    const { ip, release } = attach('a');
    release();
    term.abort();
    await clock.advance(seconds(600));
    expect(isClaimed(ip)).toBe(true);
    lead();
    await clock.advance(seconds(59));
    expect(isClaimed(ip)).toBe(true);
    await clock.advance(seconds(2));
    expect(isClaimed(ip)).toBe(false);
  });

  test('that its name took back stays with it', async () => {
    progress = { floor: 0n };
    const first = attach('a');
    first.release();
    await soon();
    expect(attach('a').ip).toBe(first.ip);
    progress = {};
    moved(network.id);
    await clock.advance(seconds(120));
    expect(isClaimed(first.ip)).toBe(true);
  });

  test('is given up although another one of the network was taken back', async () => {
    progress = { floor: 0n };
    const [first, second] = [attach('a'), attach('b')];
    for (const { release } of [first, second]) release();
    await soon();
    expect(attach('a').ip).toBe(first.ip);
    progress = {};
    moved(network.id);
    await soon();
    expect([isClaimed(first.ip), isClaimed(second.ip)]).toEqual([true, false]);
  });

  test('is given up when the store is there again', async () => {
    failures = [new CausewayError('store-unavailable', 'away'), new CausewayError('timed-out', 'late')];
    const { ip, release } = attach('a');
    release();
    await soon();
    expect(isClaimed(ip)).toBe(true);
    await clock.advance(seconds(3));
    expect(isClaimed(ip)).toBe(false);
  });

  test('comes with hundreds of others, in transactions that have room', async () => {
    const freed = Array.from({ length: 300 }, (_, i) => attach(`e${i}`));
    for (const { release } of freed) release();
    await soon();
    expect(freed.filter(({ ip }) => isClaimed(ip))).toEqual([]);
  });
});

test('an Ethernet address that needed a claim goes with it', async () => {
  network = create({ ...scriptNetwork(2), subnets: [{ prefix: Prefix('fd66::/64') }] });
  const { release } = attach('six');
  expect(desk.view.macsOf(network.id).size).toBe(1);
  progress = { floor: 0n };
  release();
  await soon();
  expect(desk.view.macsOf(network.id).size).toBe(1);
  progress = {};
  moved(network.id);
  await soon();
  expect(desk.view.macsOf(network.id).size).toBe(0);
});

test('what a deleted network leaves goes at once', async () => {
  progress = { floor: 0n };
  attach('a').release();
  const key = desk.keys.network(network.id);
  desk.write({ compares: [], writes: [{ kind: 'delete', key }], takes: [], events: [], reply: undefined });
  await soon();
  expect(desk.view.addressesOf(network.id).size).toBe(0);
});

describe('a VNI', () => {
  const holds = (): boolean => desk.view.vnis.size > 0;

  beforeEach(() => {
    const made = desk.make(createNetwork(plainNetwork('blue' as Name, [Prefix('10.67.0.0/24')])));
    desk.make(deleteNetwork({ network: made.id, force: false }));
    network = made;
  });

  test('is free a cooldown after its network was deleted', async () => {
    await clock.advance(seconds(59));
    expect(holds()).toBe(true);
    await clock.advance(seconds(2));
    expect(holds()).toBe(false);
  });

  test('that is free needs no further write, whatever hosts report of the deleted network', async () => {
    await clock.advance(seconds(61));
    expect([holds(), writes]).toEqual([false, 1]);
    moved(network.id);
    await clock.advance(seconds(120));
    expect(writes).toBe(1);
  });

  test('waits for a host that has not said that the network is gone, and then not at all', async () => {
    progress = { floor: 0n };
    moved(network.id);
    await clock.advance(seconds(600));
    expect(holds()).toBe(true);
    progress = {};
    moved(network.id);
    await soon();
    expect(holds()).toBe(false);
  });

  test('waits anew under a new leader', async () => {
    term.abort();
    await clock.advance(seconds(600));
    lead();
    await clock.advance(seconds(59));
    expect(holds()).toBe(true);
    await clock.advance(seconds(2));
    expect(holds()).toBe(false);
  });
});
