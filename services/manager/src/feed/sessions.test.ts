import { CausewayError, type FeedVersion, feedVersions, type NetworkId, type Node } from '@causeway/model';
import { ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { milliseconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import type { EventInput } from '../events/event-input.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { networkId, scriptNetwork, scriptNode } from '../testing/view-script.ts';
import { FeedTable } from './feed-table.ts';
import { helloLimit, silenceLimit } from './liveness.ts';
import type { Session } from './session.ts';
import { Sessions } from './sessions.ts';
import { backlogLimit } from './subscriptions.ts';

const feed = feedVersions.at(-1) as FeedVersion;
const [h1, h2] = [scriptNode(1), scriptNode(2)];
const blue = networkId(7);

function world() {
  const clock = new FakeClock();
  const view = { revision: 3n };
  const events: EventInput[] = [];
  const ended: string[] = [];
  const log = new MemoryLog();
  const tables = new Map<NetworkId, FeedTable>();
  const sink = { emit: (event: EventInput) => void events.push(event) };
  const sessions = new Sessions({ view, tables, sink, clock, log, ended: (node) => void ended.push(node) });
  const open = (node: Node): readonly [Session, MemoryAgent] => {
    const agent = new MemoryAgent(node);
    return [sessions.open(agent), agent];
  };
  const admit = (node: Node): readonly [Session, MemoryAgent] => {
    const [session, agent] = open(node);
    session.introduce();
    sessions.admit(session, node, feed);
    return [session, agent];
  };
  /** Admits an agent whose host has these networks. */
  const ready = (node: Node, ...subscribed: NetworkId[]): readonly [Session, MemoryAgent] => {
    const opened = admit(node);
    sessions.step(opened[0], { kind: 'hello', cursors: [], subscribed, continues: true });
    return opened;
  };
  const kinds = (): readonly string[] => events.map(({ kind, host }) => `${kind} ${host}`);
  return { clock, view, events, kinds, ended, log, tables, sessions, open, admit, ready };
}

const now = ({ view, clock }: ReturnType<typeof world>) => ({ revision: view.revision, time: clock.wall() });
const goodbye = (agent: MemoryAgent) => {
  const { message } = ConnectResponse.fromBinary(agent.bytes.at(-1) ?? new Uint8Array());
  if (message.oneofKind !== 'goodbye') throw new Error(`no goodbye: ${message.oneofKind}`);
  return message.goodbye;
};

describe("a host's session", () => {
  test('is known from its admission on, and since when', async () => {
    const all = world();
    const { sessions, clock, open } = all;
    const [session] = open(h1);
    expect([sessions.of(h1.id), sessions.sinceOf(h1.id)]).toEqual([undefined, undefined]);
    await clock.advance(milliseconds(70));
    session.introduce();
    sessions.admit(session, h1, feed);
    expect(sessions.of(h1.id)).toBe(session);
    expect(sessions.sinceOf(h1.id)).toEqual(now(all));
    expect(sessions.of(h2.id)).toBeUndefined();
  });

  test('emits one event when it is ready', () => {
    const { kinds, sessions, admit, log } = world();
    const [session] = admit(h1);
    expect(kinds()).toEqual([]);
    sessions.step(session, { kind: 'hello', cursors: [], subscribed: [], continues: true });
    sessions.step(session, { kind: 'room' });
    expect(kinds()).toEqual(['node.ready h1']);
    expect(log.lines.filter(({ event }) => event === 'session.ready')).toHaveLength(1);
  });

  test('that breaks is lost: one event, with the reason, until the host is back', async () => {
    const all = world();
    const { sessions, ended, events, kinds, clock, ready } = all;
    const [session, agent] = ready(h1);
    await clock.advance(milliseconds(70));
    sessions.end(session);
    expect(sessions.of(h1.id)).toBeUndefined();
    expect(sessions.sinceOf(h1.id)).toEqual(now(all));
    expect(sessions.reasonOf(h1.id)).toBe('its agent closed the session, or the connection broke');
    expect(events.at(-1)?.message).toContain('the connection broke');
    expect(agent.closed).toEqual({ error: undefined });
    sessions.end(session);
    expect([ended, kinds()]).toEqual([[h1.id], ['node.ready h1', 'node.lost h1']]);
    ready(h1);
    expect(sessions.reasonOf(h1.id)).toBeUndefined();
  });

  test('that ends with an error is lost for that reason', () => {
    const { sessions, ready } = world();
    const [session, agent] = ready(h1);
    const error = new CausewayError('internal', 'the session failed');
    sessions.end(session, error);
    expect([sessions.reasonOf(h1.id), agent.closed]).toEqual(['the session failed', { error }]);
  });

  test('that was never admitted is refused, and no host is lost', () => {
    const { sessions, ended, kinds, open } = world();
    sessions.end(open(h1)[0]);
    expect([ended, kinds(), sessions.reasonOf(h1.id)]).toEqual([[], [], undefined]);
  });

  test('replaces an older session of the host: the older agent must not come back at once', () => {
    const { sessions, ended, kinds, ready } = world();
    const [older, agent] = ready(h1);
    const [session] = ready(h1);
    expect(sessions.of(h1.id)).toBe(session);
    expect(goodbye(agent)).toMatchObject({ taken: true, leaderAddress: '' });
    expect(ended).toEqual([h1.id]);
    sessions.end(older);
    expect(sessions.of(h1.id), 'the end of the older session is no loss').toBe(session);
    expect([ended, kinds()]).toEqual([[h1.id], ['node.ready h1']]);
  });

  test('emits its event when the older session had not emitted one', () => {
    const { kinds, admit, ready } = world();
    admit(h1);
    ready(h1);
    expect(kinds()).toEqual(['node.ready h1']);
  });

  test('emits a second event after the host was lost', () => {
    const { sessions, kinds, ready } = world();
    sessions.end(ready(h1)[0]);
    ready(h1);
    expect(kinds()).toEqual(['node.ready h1', 'node.lost h1', 'node.ready h1']);
  });

  test('that fails ends, and the manager goes on', () => {
    const { sessions, log, ready } = world();
    const [session, agent] = ready(h1);
    agent.send = () => {
      throw new Error('no connection');
    };
    sessions.step(session, { kind: 'unsubscribed', network: blue });
    expect(agent.closed, 'nothing was to be sent').toBeUndefined();
    sessions.step(session, { kind: 'subscribed', network: blue });
    sessions.step(session, { kind: 'unsubscribed', network: blue });
    expect(agent.closed?.error).toMatchObject({ code: 'internal' });
    expect(log.lines.find(({ event }) => event === 'session.failed')).toBeDefined();
    expect(sessions.of(h1.id)).toBeUndefined();
  });
});

test('sessions that wait for room are known until they have got everything, or have ended', () => {
  const { sessions, tables, admit } = world();
  tables.set(blue, new FeedTable({ value: scriptNetwork(7), revision: 5n }, 5n, { endpoint: new Map() }));
  const [[one, first], [two]] = [h1, h2].map((host) => {
    const opened = admit(host);
    opened[1].backlog = backlogLimit;
    sessions.step(opened[0], { kind: 'hello', cursors: [], subscribed: [blue], continues: true });
    return opened;
  }) as [readonly [Session, MemoryAgent], readonly [Session, MemoryAgent]];
  expect([...sessions.behind]).toEqual([one, two]);
  first.backlog = 0;
  sessions.step(one, { kind: 'room' });
  expect([...sessions.behind]).toEqual([two]);
  sessions.end(two);
  expect([...sessions.behind]).toEqual([]);
});

describe('sessions without messages', () => {
  test.each<[string, 'connected' | 'admitted', number, string | undefined]>([
    ['before its Hello, at the limit', 'connected', helloLimit, undefined],
    ['before its Hello, after the limit', 'connected', helloLimit + 1, 'no Hello within'],
    ['admitted, at the limit', 'admitted', silenceLimit, undefined],
    ['admitted, after the limit', 'admitted', silenceLimit + 1, 'nothing heard for'],
  ])('%s', (_, state, silence, error) => {
    const { sessions, open, admit } = world();
    const [session, agent] = state === 'connected' ? open(h1) : admit(h1);
    session.lastHeard = 1_000;
    sessions.endSilent(1_000 + silence);
    expect(agent.closed?.error?.message.slice(0, error?.length)).toBe(error);
    expect(sessions.reasonOf(h1.id)?.slice(0, error?.length)).toBe(state === 'admitted' ? error : undefined);
  });

  test('end, and those with messages go on', () => {
    const { sessions, ready, kinds } = world();
    const [[silent], [heard]] = [ready(h1), ready(h2)];
    silent.lastHeard = 0;
    heard.lastHeard = 5_000;
    sessions.endSilent(silenceLimit + 1);
    expect([sessions.of(h1.id), sessions.of(h2.id)]).toEqual([undefined, heard]);
    expect(kinds().at(-1)).toBe('node.lost h1');
  });
});

test('a manager that stops to lead sends every agent to the leader, admitted or not, and no host is lost', () => {
  const { sessions, kinds, ended, open, ready } = world();
  const agents = [ready(h1)[1], open(h2)[1]];
  sessions.dismissAll('m2:7443', 'this manager does not lead any more');
  for (const agent of agents) {
    expect(goodbye(agent)).toMatchObject({ leaderAddress: 'm2:7443', taken: false });
    expect(agent.closed).toEqual({ error: undefined });
  }
  expect([sessions.of(h1.id), ended, kinds()]).toEqual([undefined, [h1.id], ['node.ready h1']]);
});

test('in a new term, no session has begun or ended yet; a host that is removed leaves nothing', () => {
  const { sessions, ready } = world();
  for (const host of [h1, h2]) sessions.end(ready(host)[0]);
  sessions.forget(h1.id);
  expect([sessions.sinceOf(h1.id), sessions.reasonOf(h1.id)]).toEqual([undefined, undefined]);
  expect(sessions.reasonOf(h2.id)).toBeDefined();
  sessions.reset();
  expect(sessions.sinceOf(h2.id)).toBeUndefined();
});
