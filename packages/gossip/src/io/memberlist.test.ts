import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { local } from '../swim/profile.ts';
import { utf8 } from '../wire/bytes.ts';
import { Keyring } from '../wire/keyring.ts';
import { createMemberlist, type Memberlist } from './memberlist.ts';
import type { MemberlistOptions } from './options.ts';
import type { NodeEvent } from './readable.ts';

const nodes: Memberlist[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((each) => each.shutdown()));
});

const profile = { ...local, probeInterval: 200, probeTimeout: 100, gossipInterval: 20, pushPullInterval: 1000 };

/** A node on a free port of this machine. */
async function node(name: string, options: Partial<MemberlistOptions> = {}): Promise<Memberlist> {
  const made = await createMemberlist({ name, bindAddr: '127.0.0.1', bindPort: 0, profile, ...options });
  nodes.push(made);
  return made;
}

function at(of: Memberlist): string {
  return `${of.local.address}:${of.local.port}`;
}

/** The first event from now on of which the condition holds. Ask before the event is caused. */
async function seen(of: Memberlist, holds: (event: NodeEvent) => boolean): Promise<NodeEvent> {
  for await (const event of of.events()) if (holds(event)) return event;
  throw new Error('the node was shut down first');
}

const about =
  (type: NodeEvent['type'], name: string) =>
  (event: NodeEvent): boolean =>
    event.type === type && 'member' in event && event.member.name === name;

describe.each<[string, () => Partial<MemberlistOptions>]>([
  ['in plain text', () => ({})],
  [
    'with a key, a label, no compression',
    () => ({ keyring: new Keyring(new Uint8Array(32).fill(3)), label: 'blue', compression: false }),
  ],
  [
    'with the envelope of protocol 1',
    () => ({ keyring: new Keyring(new Uint8Array(16).fill(3)), encryptionVersion: 0 as const }),
  ],
])('three nodes %s', (_, options) => {
  const trio = async (): Promise<[Memberlist, Memberlist, Memberlist]> => {
    const a = await node('a', options());
    const b = await node('b', options());
    const c = await node('c', { ...options(), meta: utf8('db') });
    const joined = [a, b].map((each) => seen(each, about('join', 'c')));
    expect(await b.join([at(a)])).toBe(1);
    expect(await c.join([at(a), '127.0.0.1:1'])).toBe(1);
    await Promise.all(joined);
    return [a, b, c];
  };

  test('join, and know each other', async () => {
    for (const each of await trio()) {
      expect(
        each
          .members()
          .map(({ name, state }) => [name, state])
          .sort(),
      ).toEqual([
        ['a', 'alive'],
        ['b', 'alive'],
        ['c', 'alive'],
      ]);
      expect(each.refusals.size).toBe(0);
    }
    expect(nodes[0]?.members().find(({ name }) => name === 'c')?.meta).toEqual(utf8('db'));
  });

  test('hear of a new meta, of a leave and of a death', async () => {
    const [a, b, c] = await trio();
    const updated = seen(a, about('update', 'b'));
    await b.updateMeta(utf8('web'));
    expect(await updated).toMatchObject({ member: { meta: utf8('web') } });
    const left = seen(a, about('leave', 'b'));
    await b.leave();
    expect(await left).toMatchObject({ member: { name: 'b', state: 'left' } });
    const died = seen(a, about('leave', 'c'));
    await c.shutdown();
    expect(await died).toMatchObject({ member: { name: 'c', state: 'dead' } });
  });

  test('send messages, short and long', async () => {
    const [a, , c] = await trio();
    const got = ['reliable', 'best-effort'].map((kind) =>
      seen(c, (event) => event.type === 'message' && event.isReliable === (kind === 'reliable')),
    );
    const long = new Uint8Array(300_000).map((_, i) => i * 7);
    await a.sendReliable(c.local, long);
    a.sendBestEffort(c.local, utf8('hello'));
    expect((await Promise.all(got)).map((event) => event.type === 'message' && event.payload)).toEqual([
      long,
      utf8('hello'),
    ]);
  });
});

describe('a join fails', () => {
  test('where no process listens', async () => {
    const a = await node('a');
    const gone = await node('gone');
    const address = at(gone);
    await gone.shutdown();
    await expect(a.join([address])).rejects.toThrow(`join ${address}: refused`);
  });

  test.each<[string, Partial<MemberlistOptions>]>([
    ['with another key', { keyring: new Keyring(new Uint8Array(16)) }],
    ['with another label', { label: 'red' }],
    ['with another protocol of the application', { delegateVersions: { min: 2, max: 5, current: 5 } }],
  ])('%s', async (_, options) => {
    const a = await node('a');
    const b = await node('b', options);
    await expect(b.join([at(a)])).rejects.toThrow(AggregateError);
    expect([a, b].map((each) => each.members().length)).toEqual([1, 1]);
  });

  test('with words that are no address', async () => {
    const a = await node('a');
    await expect(a.join(['127.0.0.1:0'])).rejects.toThrow('not an address of a node: 127.0.0.1:0');
  });
});

test('a node answers after it was asked to ping a port that no socket can have', async () => {
  const { port } = (await node('a')).local;
  const other = createSocket('udp4');
  try {
    const answer = once(other, 'message', { signal: AbortSignal.timeout(5_000) });
    other.send(
      Buffer.from('0184a44e6f6465a162a4506f727400a55365714e6f02a6546172676574a47f000001', 'hex'),
      port,
      '127.0.0.1',
    );
    other.send(Buffer.from('0082a44e6f6465a161a55365714e6f02', 'hex'), port, '127.0.0.1');
    const [ack] = (await answer) as [Buffer];
    expect(ack.includes('SeqNo')).toBe(true);
  } finally {
    other.close();
  }
});

test('two nodes cannot have one port', async () => {
  const a = await node('a');
  await expect(node('b', { bindPort: a.local.port })).rejects.toThrow('EADDRINUSE');
});

test('after a shutdown nothing more happens', async () => {
  const a = await node('a');
  const reader = a.events()[Symbol.asyncIterator]();
  const next = reader.next();
  await a.shutdown();
  await a.shutdown();
  expect((await next).done).toBe(true);
  await expect(a.leave()).rejects.toThrow('leave: shut down');
});

test('a delegate may call its node while the node takes a step', async () => {
  let a: Memberlist | undefined;
  const said = utf8('from the delegate');
  const b = await node('b');
  const heard = seen(b, (event) => event.type === 'message');
  a = await node('a', {
    delegate: { mergeRemoteState: () => a?.sendBestEffort(b.local, said), localState: () => said },
  });
  await b.join([at(a)]).catch(() => 0);
  const joined = await node('c', { delegate: { localState: () => said } });
  await joined.join([at(a)]);
  expect(await heard).toMatchObject({ payload: said, from: { address: '127.0.0.1' } });
});

test.each<[string, Partial<MemberlistOptions>, string]>([
  ['an empty name', { name: '' }, 'name: 1 to 255 bytes, not 0'],
  ['a long meta', { meta: new Uint8Array(513) }, 'meta: at most 512 bytes, not 513'],
  ['an address that is a name', { advertiseAddr: 'localhost' }, 'not an IP address: localhost'],
  ['a long label', { label: 'x'.repeat(256) }, 'a label has at most 255 bytes'],
])('%s is refused', async (_, options, message) => {
  await expect(node('a', options)).rejects.toThrow(message);
});
