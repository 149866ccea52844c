/** A feed that leads, for the tests of what agents get from it and report to it. */

import { CausewayError, type Node } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { afterEach, beforeEach } from 'vitest';
import { driftRepaired } from '../events/describe.ts';
import type { EventInput } from '../events/event-input.ts';
import type { EventSink } from '../events/event-sink.ts';
import { Feed, type FeedSettings } from '../feed/feed.ts';
import type { KeyWriter } from '../feed/key-relay.ts';
import type { View } from '../store/view.ts';
import type { HeldNetworks } from './held-networks.ts';
import type { MemoryAgent } from './memory-agent.ts';
import { networkId, scriptCluster, scriptNodeKeys, ViewScript } from './view-script.ts';

export let clock: FakeClock;

export let script: ViewScript;

export let feed: Feed;

export let term: AbortController;

export let emitted: EventInput[];

export let registered: Node[];

export let log: MemoryLog;

/** To be called once in each test file: a new feed for each test. A hook of this module itself would serve one file only. */
export function useFeed(): void {
  beforeEach(async () => {
    clock = new FakeClock();
    script = new ViewScript();
    emitted = [];
    registered = [];
    log = new MemoryLog();
    script.commit({ put: 'node', node: 1 }, { put: 'node', node: 2 }, { put: 'network', network: 7 });
    feed = newFeed(script.view);
    await feed.start();
    term = lead(feed, script.lead('m1'));
  });

  afterEach(async () => {
    await feed.stop();
  });
}

/** Writes keys of hosts into the script. Node n has the index 0x100 + n. */
const keyWriter: KeyWriter = {
  reserveIndex: async (node) => {
    const n = Number.parseInt(node.slice(1), 16);
    return script.view.records('nodeKeys').get({ id: node })?.value ?? scriptNodeKeys(n, 0);
  },
  publish: async (keys) => {
    if (keys.index === 0) throw new CausewayError('invalid-argument', 'the keys have the index 0');
    script.commit({ put: 'nodeKeys', node: Number.parseInt(keys.node.slice(1), 16), version: keys.version });
    return keys;
  },
};

/** Begins a term. The returned controller ends the term. */
export function lead(which: Feed, revision: bigint): AbortController {
  const end = new AbortController();
  void which.run({ revision, signal: end.signal });
  return end;
}

export function newFeed(view: View, settings: Partial<FeedSettings> = {}): Feed {
  const register = async (node: Node): Promise<bigint> => {
    if (node.name === 'taken') throw new CausewayError('name-taken', 'node name "taken" is taken');
    registered.push(node);
    return view.revision;
  };
  const sink: EventSink = {
    emit: (event) => void emitted.push(event),
    repaired: (host, drift) => void emitted.push(driftRepaired({ ...drift, host }, 1, [])),
  };
  return new Feed(
    { view, registrar: { register }, keys: keyWriter, sink, clock, log },
    // Changes go at once, except in the tests of pauses.
    { address: 'm1:7443', pause: () => milliseconds(0), ...settings },
  );
}

/** Replaces the feed by a leading one with these settings. */
export async function replaceFeed(settings: Partial<FeedSettings>): Promise<void> {
  await feed.stop();
  feed = newFeed(script.view, settings);
  await feed.start();
  term = lead(feed, script.revision);
}

export async function connect(agent: MemoryAgent, to: Feed = feed): Promise<MemoryAgent> {
  agent.hello({ clusterId: agent.holds.held.size > 0 ? scriptCluster : '' });
  void to.accept(agent);
  await settle();
  return agent;
}

export const settle = (): Promise<void> => clock.advance(milliseconds(0));

export const eventKinds = (): string[] => emitted.map(({ kind, host }) => `${kind} ${host}`);

export function held(agent: MemoryAgent): NonNullable<ReturnType<HeldNetworks['held']['get']>> {
  const network = agent.holds.held.get(networkId(7));
  if (network === undefined) throw new Error('the agent does not hold n7');
  return network;
}
