import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { local } from '../../swim/profile.ts';
import { utf8 } from '../../wire/bytes.ts';
import { Keyring } from '../../wire/keyring.ts';
import type { QueryAnswer } from '../effect.ts';
import type { SerfOptions } from './options.ts';
import type { MembersEvent, SerfNodeEvent } from './readable.ts';
import { createSerf, type Serf } from './serf.ts';

const nodes: Serf[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((each) => each.shutdown()));
});

const fast = { probeInterval: 200, probeTimeout: 100, gossipInterval: 20, pushPullInterval: 1000, rejoinInterval: 200 };
const profile = { ...local, ...fast };
const serf = { leavePropagation: 100 };

/** A node on a free port of this machine. */
async function node(name: string, options: Partial<SerfOptions> = {}): Promise<Serf> {
  const made = await createSerf({ name, bindAddr: '127.0.0.1', bindPort: 0, profile, serf, ...options });
  nodes.push(made);
  return made;
}

const at = ({ local: { address, port } }: Serf): string => `${address}:${port}`;

/** The first event from now on of which the condition holds. Ask before the event is caused. */
async function seen<Event extends SerfNodeEvent>(
  of: Serf,
  holds: (event: SerfNodeEvent) => event is Event,
): Promise<Event> {
  for await (const event of of.events()) if (holds(event)) return event;
  throw new Error('the node was shut down first');
}

type OfType<Type extends SerfNodeEvent['type']> = Extract<SerfNodeEvent, { readonly type: Type }>;
const ofType =
  <Type extends SerfNodeEvent['type']>(type: Type) =>
  (event: SerfNodeEvent): event is OfType<Type> =>
    event.type === type;
const about =
  (type: MembersEvent['type'], name: string) =>
  (event: SerfNodeEvent): event is MembersEvent =>
    event.type === type && 'members' in event && event.members.some((each) => each.name === name);

/** Two nodes that know each other. */
async function pair(options: () => Partial<SerfOptions> = () => ({})): Promise<[Serf, Serf]> {
  const a = await node('a', options());
  const b = await node('b', { tags: { role: 'web' }, ...options() });
  const joined = seen(a, about('join', 'b'));
  expect(await b.join([at(a)])).toBe(1);
  await joined;
  return [a, b];
}

async function all(answers: AsyncIterable<QueryAnswer | { readonly type: 'overflow' }>): Promise<readonly string[]> {
  const got: string[] = [];
  for await (const answer of answers) {
    if (answer.type === 'ack') got.push(`ack of ${answer.from}`);
    if (answer.type === 'response') got.push(`${answer.from}: ${Buffer.from(answer.payload).toString()}`);
  }
  return got.sort();
}

describe('two nodes', () => {
  test('know each other, with tags that change', async () => {
    const [a, b] = await pair();
    expect(a.members().find(({ name }) => name === 'b')).toMatchObject({ tags: { role: 'web' }, status: 'alive' });
    const updated = seen(a, about('update', 'b'));
    await b.setTags({ role: 'db' });
    expect(await updated).toMatchObject({ members: [{ tags: { role: 'db' } }] });
    expect(b.local.tags).toEqual({ role: 'db' });
    await expect(b.setTags({ a: 'x'.repeat(600) })).rejects.toThrow('tags: at most 512 bytes');
  });

  test('tell each other events', async () => {
    const [a, b] = await pair();
    const heard = [a, b].map((each) => seen(each, ofType('user')));
    await b.userEvent('deploy', utf8('now'));
    for (const each of heard) expect(await each).toMatchObject({ name: 'deploy', payload: utf8('now') });
    await expect(a.userEvent('deploy', new Uint8Array(600))).rejects.toThrow('event deploy: name and payload');
  });

  test('answer queries', async () => {
    const [a, b] = await pair();
    for (const each of [a, b]) {
      void seen(each, ofType('query')).then((query) => query.respond(utf8(`${query.name} of ${each.local.name}`)));
    }
    const answers = await all(b.query('load', utf8('x'), { timeout: 1000, acks: true }));
    expect(answers).toEqual(['a: load of a', 'ack of a', 'ack of b', 'b: load of b']);
    expect(() => b.query('_serf_ping')).toThrow("serf's own");
    await expect(all(b.query('long', new Uint8Array(2000)))).rejects.toThrow('a query has at most 1024 bytes');
  });

  test('leave, or fail and come back', async () => {
    const [a, b] = await pair();
    const left = seen(a, about('leave', 'b'));
    await b.leave();
    expect(await left).toMatchObject({ members: [{ name: 'b', status: 'left' }] });
    const c = await node('c');
    const { port } = c.local;
    await c.join([at(a)]);
    const failed = seen(a, about('failed', 'c'));
    await c.shutdown();
    await failed;
    const again = seen(a, about('join', 'c'));
    // This node joins no other: the others try a node that failed again and again.
    await node('c', { bindPort: port });
    await again;
  });
});

test('keys are changed on all nodes', async () => {
  const [first, second] = [1, 2].map((each) => new Uint8Array(32).fill(each)) as [Uint8Array, Uint8Array];
  const [a] = await pair(() => ({ keyring: new Keyring(first) }));
  const changed = seen(a, ofType('keys'));
  for (const [operation, key] of [
    ['install', second],
    ['use', second],
    ['remove', first],
  ] as const) {
    expect(await a.keyManager[operation](key)).toMatchObject({ nodes: 2, answers: 2, isEverywhere: true });
  }
  expect((await changed).keys).toEqual([first, second]);
  expect(await a.keyManager.list()).toMatchObject({ keys: new Map([[Buffer.from(second).toString('base64'), 2]]) });
  expect(await a.keyManager.remove(second)).toMatchObject({ isEverywhere: false });
});

test('a node joins again by its snapshot', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'serf-'));
  try {
    const snapshotPath = join(folder, 'snapshot');
    const a = await node('a');
    const b = await node('b', { snapshotPath });
    const { port } = b.local;
    await b.join([at(a)]);
    await b.shutdown();
    expect(await readFile(snapshotPath, 'utf8')).toContain(`alive: a ${at(a)}\n`);
    const again = await node('b', { snapshotPath, bindPort: port });
    await seen(again, about('join', 'a'));
    await again.leave();
    await again.shutdown();
    expect(await readFile(snapshotPath, 'utf8')).toMatch(/\nleave\n$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('two nodes with one name: the newcomer is shut down', async () => {
  const [a] = await pair();
  const twin = await node('b');
  const lost = seen(twin, ofType('nameLost'));
  await twin.join([at(a)]).catch(() => 0);
  expect(await lost).toEqual({ type: 'nameLost', name: 'b' });
});

test('round trips are estimated', async () => {
  const [a] = await pair();
  await expect.poll(() => a.roundTrip('b'), { timeout: 10_000 }).toBeGreaterThan(0);
  expect(a.roundTrip('unknown')).toBeUndefined();
  expect(a.coordinate()?.vec).toHaveLength(8);
});

test('tags that do not fit open no socket', async () => {
  await expect(node('a', { tags: { a: 'x'.repeat(600) } })).rejects.toThrow('tags: at most 512 bytes');
});
