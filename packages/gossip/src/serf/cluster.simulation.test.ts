import { describe, expect, test } from 'vitest';
import { seeds } from '../testing/cluster.ts';
import { formedSerf, type SerfCluster, type SerfNodeOptions, type SerfSimNode } from '../testing/serf-cluster.ts';
import { noBytes, utf8 } from '../wire/bytes.ts';
import { encodeMessage } from '../wire/message.ts';
import { decodeKeyResponse, encodeKeyRequest } from './answer.ts';
import { distance, origin } from './coordinate.ts';
import type { QueryAnswer, QueryOptions } from './effect.ts';
import { keyQueries, toBase64 } from './internal-query.ts';
import { encodeSerf } from './message.ts';
import { replayed } from './snapshot.ts';
import { encodeTags } from './tags.ts';

/** CAUSEWAY_NODES=50 CAUSEWAY_SEEDS=50 npm test -- --project unit packages/gossip/src/serf */
const count = Number(process.env['CAUSEWAY_NODES'] ?? '10');

function nodeOf({ nodes }: SerfCluster, name: string): SerfSimNode {
  return nodes.find((each) => each.name === name) ?? expect.fail(`no node ${name}`);
}

/** Asks, and returns the answers when the time is over. */
function ask(
  cluster: SerfCluster,
  node: SerfSimNode,
  name: string,
  options: QueryOptions = {},
  payload: Uint8Array = noBytes,
): readonly QueryAnswer[] {
  const command = cluster.command(node, (made) => ({ type: 'query', command: made, name, payload, options }));
  cluster.network.run(20_000, () => cluster.network.settled.has(command));
  expect([...cluster.network.settled].filter(([key]) => key === command)).toEqual([[command, undefined]]);
  return cluster.answers.get(command) ?? [];
}

/** Lets every node answer each query with its name. */
function answerAll(cluster: SerfCluster): void {
  for (const node of cluster.nodes) {
    const open = node.events.splice(0).flatMap((event) => (event.type === 'query' ? [event.key] : []));
    for (const query of open) {
      cluster.command(node, (command) => ({ type: 'respond', command, query, payload: utf8(node.name) }));
    }
  }
}

const sorted = (names: readonly string[]): readonly string[] => [...names].sort();
const namesOf = (cluster: SerfCluster): readonly string[] => sorted(cluster.nodes.map(({ name }) => name));

describe.each(seeds(5))('seed %i', (seed) => {
  test('an event reaches every node once, also at loss', () => {
    const cluster = formedSerf(count, seed);
    cluster.network.loss = 0.1;
    for (const node of cluster.nodes) cluster.userEvent(node, `of ${node.name}`);
    const all = sorted(cluster.nodes.map(({ name }) => `of ${name}`));
    // What gossip misses, an exchange brings.
    cluster.network.run(300_000, () => cluster.nodes.every(({ told }) => told.length === count));
    for (const { told } of cluster.nodes) expect(sorted(told)).toEqual(all);
  });

  test('a node that leaves has left everywhere, and one that dies has failed', () => {
    const cluster = formedSerf(count, seed);
    const leaver = nodeOf(cluster, 'n3');
    const command = cluster.command(leaver, (made) => ({ type: 'leave', command: made }));
    cluster.network.run(20_000, () => cluster.network.settled.has(command));
    expect(cluster.network.settled.get(command)).toBeUndefined();
    cluster.network.kill(leaver.sim);
    cluster.network.kill(nodeOf(cluster, 'n4').sim);
    const agree = (): boolean => cluster.allSee('n3', 'left') && cluster.allSee('n4', 'failed');
    cluster.network.run(120_000, agree);
    expect(agree()).toBe(true);
  });

  test('a query gets every answer and every acknowledgement', () => {
    const cluster = formedSerf(count, seed);
    const asker = nodeOf(cluster, 'n2');
    const command = cluster.command(asker, (made) => ({
      type: 'query',
      command: made,
      name: 'who',
      payload: noBytes,
      options: { acks: true, timeout: 5000 },
    }));
    cluster.network.run(4000, () => {
      answerAll(cluster);
      return (cluster.answers.get(command)?.length ?? 0) >= 2 * count;
    });
    const answers = cluster.answers.get(command) ?? [];
    for (const type of ['ack', 'response'] as const) {
      const from = answers.flatMap((answer) => (answer.type === type ? [answer.from] : []));
      expect(sorted(from)).toEqual(namesOf(cluster));
    }
  });

  test('a key is changed everywhere, while the cluster runs', () => {
    const [first, second] = [1, 2].map((each) => new Uint8Array(32).fill(each)) as [Uint8Array, Uint8Array];
    const cluster = formedSerf(count, seed, () => ({ key: first }));
    for (const [operation, key] of [
      ['install', second],
      ['use', second],
      ['remove', first],
    ] as const) {
      const answers = ask(cluster, nodeOf(cluster, 'n0'), keyQueries[operation], {}, encodeKeyRequest(key));
      const results = answers.map((each) => each.type === 'response' && decodeKeyResponse(each.payload)?.result);
      expect(results).toEqual(new Array(count).fill(true));
    }
    for (const { keyring } of cluster.nodes) expect(keyring?.keys).toEqual([second]);
    const [listed] = ask(cluster, nodeOf(cluster, 'n1'), keyQueries.list);
    const payload = listed?.type === 'response' ? listed.payload : noBytes;
    expect(decodeKeyResponse(payload)).toMatchObject({ keys: [toBase64(second)], primaryKey: toBase64(second) });
    expect(cluster.nodes.every(({ name }) => cluster.allSee(name, 'alive'))).toBe(true);
    for (const { events } of cluster.nodes) {
      expect(events.filter(({ type }) => type === 'keys').length).toBeGreaterThan(0);
    }
  });

  test('a partition of two minutes heals by itself', () => {
    const cluster = formedSerf(count, seed);
    const side = (name: string): number => Number(name.slice(1)) % 2;
    cluster.network.reaches = (from, to) => side(from.name) === side(to.name);
    cluster.network.run(120_000);
    expect(cluster.nodes.some(({ serf }) => serf.members().some(({ status }) => status === 'failed'))).toBe(true);
    cluster.network.reaches = () => true;
    const agree = (): boolean => cluster.nodes.every(({ name }) => cluster.allSee(name, 'alive'));
    cluster.network.run(600_000, agree);
    expect(agree()).toBe(true);
  });

  test('a node that was stopped joins again by its snapshot, and tells no event twice', () => {
    const withSnapshot: SerfNodeOptions = { restored: replayed([], false) };
    const cluster = formedSerf(count, seed, (i) => (i === 1 ? withSnapshot : {}));
    const node = nodeOf(cluster, 'n1');
    cluster.userEvent(nodeOf(cluster, 'n0'), 'before');
    cluster.network.run(20_000, () => node.told.length === 1);
    cluster.network.kill(node.sim);
    cluster.network.run(120_000, () => cluster.allSee('n1', 'failed'));
    cluster.restart(node, { restored: replayed(node.snapshot, false) });
    cluster.network.run(60_000, () => cluster.allSee('n1', 'alive'));
    expect(cluster.allSee('n1', 'alive')).toBe(true);
    cluster.userEvent(nodeOf(cluster, 'n0'), 'after');
    cluster.network.run(60_000, () => node.told.includes('after'));
    expect(node.told).toEqual(['before', 'after']);
  });

  test('coordinates come to tell the round trip', () => {
    const cluster = formedSerf(count, seed);
    cluster.network.run(300_000);
    const [a, b] = ['n0', 'n1'].map((name) => nodeOf(cluster, name).serf.coordinate(name) ?? origin);
    // Each way takes 0.3 to 1 ms.
    const estimated = distance(a ?? origin, b ?? origin) * 1000;
    expect(estimated).toBeGreaterThan(0.3);
    expect(estimated).toBeLessThan(4);
  });
});

describe('five nodes', () => {
  const roles = ['web', 'web', 'db', 'db', 'web'];
  const withRoles = (i: number): SerfNodeOptions => ({ tags: { role: roles[i] ?? '' } });

  test('answer a query that is for them', () => {
    const cluster = formedSerf(5, 1, withRoles);
    const asked = (options: QueryOptions): readonly string[] =>
      sorted(ask(cluster, nodeOf(cluster, 'n0'), '_serf_ping', { ...options, acks: true }).map(({ from }) => from));
    expect(asked({})).toEqual(['n0', 'n1', 'n2', 'n3', 'n4']);
    expect(asked({ tags: { role: '^db$' } })).toEqual(['n2', 'n3']);
    expect(asked({ tags: { role: 'web' }, nodes: ['n1', 'n2'] })).toEqual(['n1']);
  });

  test('pass answers on to a node that does not get them directly', () => {
    const cluster = formedSerf(5, 1);
    const isCut = (a: string, b: string): boolean => a === 'n1' && b === 'n0';
    cluster.network.passesUdp = (from, to) => !isCut(from.name, to.name);
    const from = (options: QueryOptions): readonly string[] =>
      ask(cluster, nodeOf(cluster, 'n0'), '_serf_ping', { ...options, acks: true }).map((each) => each.from);
    expect(from({})).not.toContain('n1');
    expect(sorted(from({ relays: 3 }))).toEqual(['n0', 'n1', 'n2', 'n3', 'n4']);
  });

  test('get new tags', () => {
    const cluster = formedSerf(5, 1, withRoles);
    const node = nodeOf(cluster, 'n2');
    cluster.command(node, (command) => ({ type: 'setTags', command, tags: { role: 'cache' } }));
    const know = (): boolean => cluster.nodes.every(({ serf }) => serf.member('n2')?.tags['role'] === 'cache');
    cluster.network.run(60_000, know);
    expect(know()).toBe(true);
    expect(ask(cluster, nodeOf(cluster, 'n0'), '_serf_ping', { tags: { role: 'cache' }, acks: true })).toEqual([
      { type: 'ack', from: 'n2' },
    ]);
  });

  test('can declare that a node that failed has left, and forget it', () => {
    const cluster = formedSerf(5, 1);
    const n0 = nodeOf(cluster, 'n0');
    const force = (name: string, prune: boolean): string | undefined => {
      const command = cluster.command(n0, (made) => ({ type: 'forceLeave', command: made, name, prune }));
      cluster.network.run(10_000, () => cluster.network.settled.has(command));
      return cluster.network.settled.get(command);
    };
    expect(force('n3', false)).toBe('n3 is alive');
    expect(force('n9', false)).toBe('no member n9');
    for (const name of ['n3', 'n4']) cluster.network.kill(nodeOf(cluster, name).sim);
    cluster.network.run(120_000, () => cluster.allSee('n3', 'failed') && cluster.allSee('n4', 'failed'));
    expect([force('n3', false), force('n4', true)]).toEqual([undefined, undefined]);
    cluster.network.run(10_000);
    for (const node of cluster.nodes.slice(0, 3)) {
      expect(node.view()).toEqual({ n0: 'alive', n1: 'alive', n2: 'alive', n3: 'left' });
    }
  });

  test('contradict a leave of a live node', () => {
    const cluster = formedSerf(5, 1);
    const n0 = nodeOf(cluster, 'n0');
    // As another node would say that takes n2 for one that failed.
    const payload = encodeSerf({ type: 'leave', lTime: 100, node: 'n2', prune: false });
    const bytes = encodeMessage({ type: 'user', payload });
    cluster.network.give(n0.sim, { type: 'datagram', from: n0.sim.address, bytes });
    expect(n0.view()['n2']).toBe('leaving');
    cluster.network.run(60_000, () => cluster.allSee('n2', 'alive'));
    expect(cluster.allSee('n2', 'alive')).toBe(true);
    cluster.network.kill(nodeOf(cluster, 'n2').sim);
    cluster.network.run(120_000, () => cluster.allSee('n2', 'failed'));
    expect(cluster.allSee('n2', 'failed')).toBe(true);
  });

  test('contradict a leave that only an exchange tells', () => {
    const cluster = formedSerf(5, 1);
    const n0 = nodeOf(cluster, 'n0');
    // n0 cannot pass the leave on.
    cluster.network.passesUdp = (from) => from.name !== 'n0';
    const payload = encodeSerf({ type: 'leave', lTime: 100, node: 'n2', prune: false });
    const bytes = encodeMessage({ type: 'user', payload });
    cluster.network.give(n0.sim, { type: 'datagram', from: n0.sim.address, bytes });
    expect(n0.view()['n2']).toBe('leaving');
    cluster.network.run(300_000, () => n0.view()['n2'] === 'alive');
    expect(n0.view()['n2']).toBe('alive');
  });

  test('show a node that left as alive when it comes back, also if they never knew it', () => {
    const cluster = formedSerf(5, 1);
    const leaver = nodeOf(cluster, 'n2');
    const command = cluster.command(leaver, (made) => ({ type: 'leave', command: made }));
    cluster.network.run(20_000, () => cluster.network.settled.has(command) && cluster.allSee('n2', 'left'));
    cluster.network.kill(leaver.sim);
    const late = cluster.add('late');
    cluster.join(late, nodeOf(cluster, 'n0'));
    cluster.network.run(20_000, () => late.view()['n0'] === 'alive');
    expect(late.view()['n2']).toBeUndefined();
    // memberlist finds n2 alive; an agent of serf that starts again does not announce that it joins.
    const { vsn = noBytes } = late.serf.member('late') ?? {};
    const { address } = leaver.sim;
    const bytes = encodeMessage({ type: 'alive', node: 'n2', incarnation: 9, ...address, meta: encodeTags({}), vsn });
    cluster.network.give(late.sim, { type: 'datagram', from: address, bytes });
    expect(late.view()['n2']).toBe('alive');
  });

  test('tell old events to a node that joins only if it wants them', () => {
    const cluster = formedSerf(5, 1);
    cluster.userEvent(nodeOf(cluster, 'n0'), 'old');
    cluster.network.run(5000);
    const [fresh, curious] = ['fresh', 'curious'].map((name) => cluster.add(name)) as [SerfSimNode, SerfSimNode];
    cluster.join(fresh, nodeOf(cluster, 'n0'), true);
    cluster.join(curious, nodeOf(cluster, 'n0'), false);
    cluster.network.run(60_000);
    expect([fresh.told, curious.told]).toEqual([[], ['old']]);
  });

  test('refuse what is too long', () => {
    const cluster = formedSerf(5, 1);
    const n0 = nodeOf(cluster, 'n0');
    const long = new Uint8Array(2000);
    const commands = [
      cluster.command(n0, (command) => ({ type: 'userEvent', command, name: 'x', payload: long, coalesce: true })),
      cluster.command(n0, (command) => ({ type: 'query', command, name: 'x', payload: long, options: {} })),
      cluster.command(n0, (command) => ({
        type: 'query',
        command,
        name: 'x',
        payload: noBytes,
        options: { timeout: Number.NaN },
      })),
      cluster.command(n0, (command) => ({ type: 'respond', command, query: { lTime: 9, id: 9 }, payload: noBytes })),
    ];
    expect(commands.map((command) => cluster.network.settled.get(command))).toEqual([
      'name and payload of an event have at most 512 bytes, not 2001',
      expect.stringMatching(/^a query has at most 1024 bytes, not 2\d\d\d$/),
      'timeout: up to 3600000 ms, not NaN',
      'the query is over, or was answered',
    ]);
  });
});

test('a node whose name another node has is told so', () => {
  const cluster = formedSerf(5, 1);
  const twin = cluster.add('n2');
  cluster.join(twin, cluster.nodes[0] ?? expect.fail('no node'));
  cluster.network.run(60_000, () => twin.events.some(({ type }) => type === 'nameLost'));
  expect(twin.events.filter(({ type }) => type === 'nameLost')).toEqual([{ type: 'nameLost', name: 'n2' }]);
  expect(cluster.nodes.slice(0, 5).flatMap(({ events }) => events.filter(({ type }) => type === 'nameLost'))).toEqual(
    [],
  );
});
