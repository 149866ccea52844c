import { BroadcastQueue, createMemberlist, Keyring, type Memberlist, type NodeEvent } from 'memberlist-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { builtPeer, GoPeer } from './gossip-memberlist/go-peer.ts';
import { describeWith } from './requirements.ts';

/** Longer than any suspicion among four nodes of memberlist, which is 24 s. */
const detection = 60_000;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (of: string): Uint8Array => new Uint8Array(Buffer.from(of));

const settings = [
  { how: 'in plain text, compressed', net: '127.95.1', options: {}, words: [] },
  {
    how: 'with a label and AES-256, not compressed, ours with the fast profile',
    net: '127.95.2',
    key: 32,
    options: { label: 'blue', compression: false, profile: 'fast' },
    words: ['-label=blue', '-compress=false'],
  },
  {
    how: 'with a label and AES-128, all nodes send version 0',
    net: '127.95.3',
    key: 16,
    options: { label: 'blue', encryptionVersion: 0 },
    words: ['-label=blue', '-protocol=1'],
  },
  {
    how: 'with AES-192, Go sends version 0 and ours version 1',
    net: '127.95.4',
    key: 24,
    options: {},
    words: ['-protocol=1'],
  },
] as const;

describeWith(['go'], "memberlist-ts in one cluster with programs on Go's memberlist", () => {
  let program: string;

  beforeAll(async () => {
    program = await builtPeer();
  }, 600_000);

  describe.each(settings)('$how', ({ net, options, words, ...rest }) => {
    const key = 'key' in rest ? Buffer.alloc(rest.key, 7) : undefined;
    const goPeers: GoPeer[] = [];
    const ours: Memberlist[] = [];
    const heard: NodeEvent[][] = [];
    const states: string[] = [];
    const acks: string[] = [];
    const queue = new BroadcastQueue();
    const keyrings: Keyring[] = [];

    const go = (i: number): GoPeer => goPeers[i - 1] ?? expect.fail(`no peer ${i}`);
    const our = (i: number): Memberlist => ours[i - 1] ?? expect.fail(`no node ${i}`);
    const ourView = (i: number): Record<string, string> =>
      Object.fromEntries(
        our(i)
          .members()
          .map(({ name, state }) => [name, state]),
      );
    const goView = async (i: number): Promise<readonly string[]> => {
      const before = go(i).said.length;
      go(i).tell('members');
      return await eventually(async () => {
        const answer = go(i)
          .said.slice(before)
          .find(({ type }) => type === 'members');
        return [...(answer?.alive ?? expect.fail('no answer'))].sort();
      });
    };
    const hasHeard = (i: number, wanted: string): boolean =>
      heard[i - 1]?.some((event) => event.type === 'message' && text(event.payload) === wanted) === true;

    beforeAll(async () => {
      for (const i of [1, 2]) {
        const secret = key === undefined ? [] : [`-key=${key.toString('base64')}`];
        goPeers.push(new GoPeer(program, [`-name=go-${i}`, `-bind=${net}.${i}`, ...words, ...secret]));
        const keyring = key === undefined ? undefined : new Keyring(key);
        if (keyring !== undefined) keyrings.push(keyring);
        const node = await createMemberlist({
          name: `ours-${i}`,
          bindAddr: `${net}.${10 + i}`,
          ...options,
          ...(keyring === undefined ? {} : { keyring }),
          delegate: {
            localState: () => bytes('state of ours'),
            mergeRemoteState: (state) => states.push(text(state)),
            ackPayload: () => bytes('ack of ours'),
            pingCompleted: ({ name }, _, payload) => acks.push(`${name}: ${text(payload)}`),
            broadcasts: (room, overhead) => queue.take(room, overhead, 8),
          },
        });
        ours.push(node);
        const events: NodeEvent[] = [];
        heard.push(events);
        void collect(node, events);
      }
      await eventually(async () => {
        for (const each of goPeers) expect(each.hasSaid({ type: 'ready' })).toBe(true);
      });
    });

    afterAll(async () => {
      await Promise.all([...ours.map((each) => each.shutdown()), ...goPeers.map((each) => each.kill())]);
    });

    test('joins from both sides: all nodes are alive in all views', async () => {
      await our(1).join([`${net}.1`]);
      go(2).tell(`join ${net}.11`);
      await our(2).join([`${net}.2`]);
      const names = ['go-1', 'go-2', 'ours-1', 'ours-2'];
      await eventually(async () => {
        for (const i of [1, 2]) {
          expect(ourView(i)).toEqual(Object.fromEntries(names.map((name) => [name, 'alive'])));
          expect(await goView(i)).toEqual(names);
        }
      }, detection);
    });

    test('each side gets the states, the metas and the acks of the other', async () => {
      go(1).tell('meta of-go');
      await our(2).updateMeta(bytes('of-ours'));
      await eventually(async () => {
        expect(states).toContain('state of Go');
        expect(goPeers.some((each) => each.hasSaid({ type: 'state', text: 'state of ours' }))).toBe(true);
        expect(acks).toContain('go-1: ack of Go');
        expect(go(1).hasSaid({ type: 'ping', name: 'ours-1', text: 'ack of ours' })).toBe(true);
        for (const i of [1, 2]) {
          const meta = our(i)
            .members()
            .find(({ name }) => name === 'go-1')?.meta;
          expect(text(meta ?? new Uint8Array())).toBe('of-go');
          expect(go(i).hasSaid({ type: 'update', name: 'ours-2', meta: 'of-ours' })).toBe(true);
        }
      }, detection);
    });

    test('messages reach the other side as datagrams, as streams and as broadcasts', async () => {
      const long = 'long '.repeat(50_000);
      const to = (name: string) =>
        our(1)
          .members()
          .find((each) => each.name === name) ?? expect.fail(`no ${name}`);
      await our(1).sendReliable(to('go-2'), bytes(long));
      go(1).tell(`stream ours-2 ${long.slice(0, 60_000)}`);
      // A datagram may be lost, and a broadcast too.
      await eventually(async () => {
        our(1).sendBestEffort(to('go-1'), bytes('from ours'));
        go(2).tell('send ours-1 from go');
        queue.add(bytes('broadcast of ours'));
        go(1).tell('cast broadcast of go');
        expect(go(1).hasSaid({ type: 'message', text: 'from ours' })).toBe(true);
        expect(go(2).hasSaid({ type: 'message', text: long })).toBe(true);
        expect(goPeers.every((each) => each.hasSaid({ type: 'message', text: 'broadcast of ours' }))).toBe(true);
        expect([hasHeard(1, 'from go'), hasHeard(2, long.slice(0, 60_000))]).toEqual([true, true]);
        expect([1, 2].map((i) => hasHeard(i, 'broadcast of go'))).toEqual([true, true]);
      });
    });

    async function rotates(old: Buffer): Promise<void> {
      const next = Buffer.alloc(old.length, 9);
      for (const each of goPeers) each.tell(`install ${next.toString('base64')}`);
      const before = go(1).said.length;
      await eventually(async () => {
        // What Go seals with its new key is read only where this key is installed.
        for (const node of ours) expect(node.refusals.get('no-key-opens')).toBeGreaterThan(0);
      }, detection);
      for (const keyring of keyrings) keyring.install(next);
      for (const keyring of keyrings) expect(keyring.use(next)).toBe('used');
      await eventually(async () => {
        go(1).tell('cast after the rotation');
        our(1).sendBestEffort({ address: `${net}.1`, port: 7946 }, bytes('rotated'));
        expect([1, 2].map((i) => hasHeard(i, 'after the rotation'))).toEqual([true, true]);
        expect(
          go(1)
            .said.slice(before)
            .some((each) => each.text === 'rotated'),
        ).toBe(true);
      });
    }

    if (key !== undefined) test('keys rotate on both sides', () => rotates(key));

    test('no node was accused, and no input was refused that could be read', async () => {
      for (const i of [1, 2]) {
        const reasons = [...our(i).refusals.keys()].filter((why) => why !== 'no-key-opens');
        expect([reasons, heard[i - 1]?.filter(({ type }) => type === 'leave')]).toEqual([[], []]);
      }
    });

    test('a leave is seen as one, and a death as one, on both sides', async () => {
      go(2).tell('leave');
      await our(2).leave();
      await eventually(async () => {
        // A node that missed the news of a leave finds a death.
        expect(ourView(1)['go-2'] ?? 'forgotten').toMatch(/^(?:left|dead|forgotten)$/);
        expect(await goView(1)).toEqual(['go-1', 'ours-1']);
      }, detection);
      await our(2).shutdown();
      await go(1).kill();
      await eventually(async () => {
        expect(heard[0]?.some((event) => event.type === 'leave' && event.member.name === 'go-1')).toBe(true);
      }, detection);
    }, 150_000);
  });

  test('a cluster with another label cannot be joined, from either side', async () => {
    const red = new GoPeer(program, ['-name=red', '-bind=127.95.5.1', '-label=red']);
    const blue = await createMemberlist({ name: 'blue', bindAddr: '127.95.5.2', label: 'blue' });
    try {
      await eventually(async () => expect(red.hasSaid({ type: 'ready' })).toBe(true));
      await expect(blue.join(['127.95.5.1'])).rejects.toThrow('no node answered');
      red.tell('join 127.95.5.2');
      await eventually(async () => expect(red.hasSaid({ type: 'joined', count: 0 })).toBe(true));
      expect([blue.members().length, blue.refusals.get('wrong-label')]).toEqual([1, 1]);
    } finally {
      await Promise.all([blue.shutdown(), red.kill()]);
    }
  });

  test('two nodes with one name: both sides report the conflict, and the first keeps the name', async () => {
    const first = new GoPeer(program, ['-name=same', '-bind=127.95.6.1']);
    const other = await createMemberlist({ name: 'other', bindAddr: '127.95.6.2' });
    const second = await createMemberlist({ name: 'same', bindAddr: '127.95.6.3' });
    const heard: NodeEvent[] = [];
    void collect(other, heard);
    try {
      await eventually(async () => expect(first.hasSaid({ type: 'ready' })).toBe(true));
      await other.join(['127.95.6.1']);
      await second.join(['127.95.6.2', '127.95.6.1']);
      await eventually(async () => {
        expect(first.hasSaid({ type: 'conflict', name: 'same' })).toBe(true);
        expect(heard.some(({ type }) => type === 'conflict')).toBe(true);
      });
      expect(other.members().find(({ name }) => name === 'same')?.address).toBe('127.95.6.1');
    } finally {
      await Promise.all([other.shutdown(), second.shutdown(), first.kill()]);
    }
  });
});

async function collect(node: Memberlist, into: NodeEvent[]): Promise<void> {
  for await (const event of node.events()) into.push(event);
}
