import {
  type ClusterId,
  type EndpointId,
  feedVersions,
  type NetworkId,
  noRowChanges,
  noRows,
  type Rows,
  tableDigest,
} from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import type { Delta, Table } from '../tables/table.ts';
import { FakeManager } from '../testing/fake-manager.ts';
import { newestFeed as feed } from '../testing/table.ts';
import type { Incoming } from './incoming.ts';
import { greeting as begin, type Effect, type SessionState, step } from './machine.ts';

const cluster = 'c000000000000001' as ClusterId;
const seen = { id: cluster, epoch: 2n, term: 5n };
const network = new FakeManager().network('blue');
const former = feedVersions[0] ?? feed;
const rows = noRows() as Rows;
const digest = tableDigest(feed, network, rows);
const held: Table = { network, epoch: 2n, revision: 10n, feed: feed.number, digest, rows };
const view = { get: (id: NetworkId) => (id === network.id ? held : undefined) };
const none: ReadonlySet<NetworkId> = new Set();
const ready: SessionState = { phase: 'ready', seen, feed, resyncing: none };
const resyncing: SessionState = { phase: 'ready', seen, feed, resyncing: new Set([network.id]) };

const greeting = (position: typeof seen | undefined): SessionState => begin(position, feedVersions);

const welcome = (position: { id?: string; epoch?: bigint; term?: bigint; feed?: number }): Incoming => ({
  kind: 'welcome',
  clusterId: (position.id ?? cluster) as ClusterId,
  epoch: position.epoch ?? 2n,
  term: position.term ?? 5n,
  heartbeat: seconds(2),
  returnWithin: seconds(0),
  feed: position.feed ?? feed.number,
});
const delta = (change: Partial<Delta>): Incoming => ({
  kind: 'delta',
  delta: { networkId: network.id, from: 10n, to: 11n, digest: held.digest, changes: noRowChanges(), ...change },
});

/** What an effect does, in a word or two. */
function words(effect: Effect): string {
  switch (effect.effect) {
    case 'remember':
      return `remember ${effect.seen.epoch}/${effect.seen.term}${effect.alarm ? ' alarm' : ''}`;
    case 'resync':
      return `resync ${effect.why}`;
    case 'leave':
      return `leave ${effect.error.code}`;
    default:
      return effect.effect;
  }
}

describe('step', () => {
  it.each<[string, SessionState, Incoming, string[], string]>([
    ['first session ever', greeting(undefined), welcome({}), ['remember 2/5', 'welcomed'], 'catching-up'],
    ['same leader again', greeting(seen), welcome({}), ['welcomed'], 'catching-up'],
    ['next leader', greeting(seen), welcome({ term: 6n }), ['remember 2/6', 'welcomed'], 'catching-up'],
    [
      'restored store',
      greeting(seen),
      welcome({ epoch: 3n, term: 1n }),
      ['remember 3/1 alarm', 'welcomed'],
      'catching-up',
    ],
    ['old leader', greeting(seen), welcome({ term: 4n }), ['leave not-leader'], 'greeting'],
    ['old epoch', greeting(seen), welcome({ epoch: 1n, term: 9n }), ['leave not-leader'], 'greeting'],
    ['another cluster', greeting(seen), welcome({ id: 'c0000000000000ff' }), ['leave cluster-mismatch'], 'greeting'],
    ['a former manager', greeting(seen), welcome({ feed: 0 }), ['welcomed'], 'catching-up'],
    [
      'a version that hello did not name',
      greeting(seen),
      welcome({ feed: 99 }),
      ['leave feed-unsupported'],
      'greeting',
    ],
    ['no welcome', greeting(seen), { kind: 'ready', revision: 1n }, ['leave internal'], 'greeting'],
    ['welcome twice', ready, welcome({}), ['leave internal'], 'ready'],
    [
      'goodbye',
      greeting(seen),
      { kind: 'goodbye', leader: 'm2:7443', reason: 'not me', taken: false },
      ['leave not-leader'],
      'greeting',
    ],
    [
      'goodbye to nowhere',
      ready,
      { kind: 'goodbye', leader: '', reason: 'stopping', taken: false },
      ['leave manager-unavailable'],
      'ready',
    ],
    ['a table', ready, { kind: 'complete', table: held }, ['replace'], 'ready'],
    ['a delta that fits', ready, delta({}), ['step'], 'ready'],
    ['a delta with a gap before it', ready, delta({ from: 9n }), ['resync chain'], 'ready'],
    ['a delta with other rows behind it', ready, delta({ digest: 1n }), ['resync digest'], 'ready'],
    [
      'a delta of an unknown network',
      ready,
      delta({ networkId: 'ff' as NetworkId }),
      ['resync unknown-network'],
      'ready',
    ],
    [
      'a delta after a restore that the table is older than',
      { phase: 'ready', seen: { ...seen, epoch: 3n }, feed, resyncing: none },
      delta({}),
      ['resync chain'],
      'ready',
    ],
    [
      'a delta in another feed version than the table',
      { phase: 'ready', seen, feed: former, resyncing: none },
      delta({ digest: tableDigest(former, network, noRows() as Rows) }),
      ['resync chain'],
      'ready',
    ],
    ['a delta while its table is on the way', resyncing, delta({}), [], 'ready'],
    [
      'a removal of what was never there',
      ready,
      delta({ changes: { ...noRowChanges(), endpoint: { upserts: [], removed: ['e1' as EndpointId] } } }),
      ['step'],
      'ready',
    ],
    ['withdraw', ready, { kind: 'withdraw', networkId: network.id }, ['drop'], 'ready'],
    [
      'ready',
      { phase: 'catching-up', seen, feed, resyncing: none },
      { kind: 'ready', revision: 12n },
      ['confirm'],
      'ready',
    ],
    ['the state of the host', ready, { kind: 'host-state', drained: true }, ['drained'], 'ready'],
    ['verify', ready, { kind: 'verify', call: 1n, repair: true }, ['verify'], 'ready'],
  ])('%s', (_, state, incoming, effects, phase) => {
    const next = step(state, incoming, view);
    expect(next.effects.map(words)).toEqual(effects);
    expect(next.state.phase).toBe(phase);
  });

  it('names the leader a refusal knows', () => {
    const [effect] = step(ready, { kind: 'goodbye', leader: 'm2:7443', reason: 'not me', taken: false }, view).effects;
    expect(effect).toMatchObject({ error: { data: { leader: 'm2:7443' } } });
  });

  it('takes steps again once the table it asked for has come', () => {
    const asked = step(ready, delta({ from: 9n }), view).state;
    expect(step(asked, delta({}), view).effects).toEqual([]);
    const whole = step(asked, { kind: 'complete', table: held }, view).state;
    expect(step(whole, delta({}), view).effects.map(words)).toEqual(['step']);
  });

  it('confirms only when no table is on its way', () => {
    const asked = step({ phase: 'catching-up', seen, feed, resyncing: none }, delta({ from: 9n }), view).state;
    const early = step(asked, { kind: 'ready', revision: 12n }, view);
    expect(early.effects).toEqual([]);
    const whole = step(early.state, { kind: 'complete', table: held }, view);
    expect(whole.effects.map(words)).toEqual(['replace', 'confirm']);
    expect(step(whole.state, { kind: 'complete', table: held }, view).effects.map(words)).toEqual(['replace']);
  });
});
