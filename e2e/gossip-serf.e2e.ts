import { createMemberlist, Keyring, type Memberlist, type NodeEvent } from 'memberlist-ts';
import { MsgpackWriter } from 'memberlist-ts/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { describeWith } from './requirements.ts';
import { SerfAgent } from './serf.ts';

/** Longer than any suspicion among six nodes of serf, which is 24 s. */
const detection = 60_000;

/** Tags as serf writes them. */
function tags(role: string): Uint8Array {
  const to = new MsgpackWriter();
  to.byte(255);
  to.map(1);
  to.text('role');
  to.text(role);
  return to.done();
}

/** Resolves when the node gets an event of serf. */
async function hear(node: Memberlist): Promise<void> {
  const isEvent = (event: NodeEvent): boolean =>
    event.type === 'message' && event.payload[0] === 3 && Buffer.from(event.payload).includes('deploy');
  for await (const event of node.events()) if (isEvent(event)) return;
  throw new Error('the node was shut down before an event of serf came');
}

/** Notes what becomes of nodes: they are forgotten after 30 s, perhaps before the last is found dead. */
async function watch(node: Memberlist, gone: Record<string, string>): Promise<void> {
  for await (const event of node.events()) if (event.type === 'leave') gone[event.member.name] = event.member.state;
}

const settings = [
  { how: 'in plain text, compressed', net: '127.94.1', key: undefined, compression: true },
  {
    how: 'with AES-256, not compressed',
    net: '127.94.2',
    key: Buffer.from('gossip-with-serf-in-one-cluster!'),
    compression: false,
  },
];

describeWith(['serf'], 'memberlist-ts in one cluster with agents of serf', () => {
  describe.each(settings)('$how', ({ net, key, compression }) => {
    const agents: SerfAgent[] = [];
    const ours: Memberlist[] = [];
    const [first, second, third] = [1, 2, 3];

    const agent = (i: number): SerfAgent => agents[i - 1] ?? expect.fail(`no agent ${i}`);
    const our = (i: number): Memberlist => ours[i - 1] ?? expect.fail(`no node ${i}`);
    /** All states that node i of ours knows. */
    const ourView = (i: number): Record<string, string> =>
      Object.fromEntries(
        our(i)
          .members()
          .map(({ name, state }) => [name, state]),
      );
    const serfView = async (i: number): Promise<Record<string, string>> =>
      Object.fromEntries((await agent(i).members()).map(({ name, status }) => [name, status]));

    beforeAll(async () => {
      for (const i of [first, second, third]) {
        agents.push(new SerfAgent(`serf-${i}`, `${net}.${i}`, key?.toString('base64')));
        ours.push(
          await createMemberlist({
            name: `ours-${i}`,
            bindAddr: `${net}.${10 + i}`,
            meta: tags('peer'),
            // The versions of serf's own protocol.
            delegateVersions: { min: 2, max: 5, current: 5 },
            compression,
            ...(key === undefined ? {} : { keyring: new Keyring(key) }),
          }),
        );
      }
      await eventually(async () => await Promise.all(agents.map((each) => each.members())));
    });

    afterAll(async () => {
      await Promise.all([...ours.map((each) => each.shutdown()), ...agents.map((each) => each.kill())]);
    });

    test('joins from both sides: all nodes are alive in all views', async () => {
      await our(first).join([`${net}.1`]);
      await our(second).join([`${net}.11`]);
      await agent(second).command('join', `${net}.12`);
      await agent(third).command('join', `${net}.2`);
      await our(third).join([`${net}.3`]);
      const names = ['ours-1', 'ours-2', 'ours-3', 'serf-1', 'serf-2', 'serf-3'];
      const all = Object.fromEntries(names.map((name) => [name, 'alive']));
      await eventually(async () => {
        for (const i of [first, second, third]) {
          expect(ourView(i)).toEqual(all);
          expect(await serfView(i)).toEqual(all);
        }
      }, detection);
      const members = await agent(first).members();
      expect(members.find(({ name }) => name === 'ours-2')?.tags).toEqual({ role: 'peer' });
    });

    test('new tags reach serf, and an event of serf reaches every node of ours', async () => {
      await our(second).updateMeta(tags('changed'));
      await eventually(async () => {
        const members = await agent(third).members();
        expect(members.find(({ name }) => name === 'ours-2')?.tags).toEqual({ role: 'changed' });
      });
      const hearing = new Set<Memberlist>();
      for (const each of ours) void hear(each).then(() => hearing.add(each));
      // An event is sent a limited number of times, so one alone may miss a node.
      let events = 0;
      await eventually(async () => {
        await agent(first).command('event', `deploy-${events++}`, 'now');
        expect(hearing.size).toBe(ours.length);
      });
    });

    test('no packet was refused, and no node was accused', async () => {
      // A stall of this process raises the score for the next probes.
      await eventually(async () => {
        for (const each of ours) expect([[...each.refusals], each.health]).toEqual([[], 0]);
      });
    });

    test('a leave and a death are seen on both sides', async () => {
      const gone: Record<string, string> = {};
      void watch(our(first), gone);
      await agent(second).command('leave');
      await our(second).leave();
      await our(second).shutdown();
      await agent(third).kill();
      await our(third).shutdown();
      await eventually(async () => {
        // A node that missed the news of a leave finds a death.
        const goneAnyhow = expect.stringMatching(/^(?:left|dead)$/);
        expect(gone).toEqual({ 'serf-2': goneAnyhow, 'serf-3': 'dead', 'ours-2': goneAnyhow, 'ours-3': 'dead' });
        // serf takes a leave for a failure unless serf's own message announced the leave. Our nodes send none, and do not pass
        // on those of agents, so an agent may miss it.
        const leftAnyhow = expect.stringMatching(/^(?:left|failed)$/);
        const view = { 'serf-2': leftAnyhow, 'serf-3': 'failed', 'ours-2': 'failed', 'ours-3': 'failed' };
        expect(await serfView(first)).toMatchObject({ ...view, 'serf-1': 'alive', 'ours-1': 'alive' });
      }, detection);
    }, 120_000);
  });
});
