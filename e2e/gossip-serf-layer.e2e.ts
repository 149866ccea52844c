import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AesGcm } from 'memberlist-ts';
import { createSerf, Keyring, type Serf, type SerfNodeEvent, type SerfOptions } from 'memberlist-ts/serf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { describeWith } from './requirements.ts';
import { SerfAgent } from './serf.ts';
import { SerfReader } from './serf-reader.ts';
import { SerfTap } from './serf-tap.ts';

/** Longer than any suspicion among ten nodes of serf, which is 24 s. */
const detection = 60_000;
const net = '127.94.3';
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (of: string): Uint8Array => new Uint8Array(Buffer.from(of));
const [oldKey, newKey] = ['old', 'new'].map((which) => bytes(`serf-and-ours-share-this-${which}-key`)) as [
  Uint8Array,
  Uint8Array,
];
const base64 = (of: Uint8Array): string => Buffer.from(of).toString('base64');

/** Nodes listen on these, and advertise the address of their tap. */
const agentAt = (i: number): string => `${net}.${i}`;
const ourAt = (i: number): string => `${net}.${10 + i}`;
const tapOf = (address: string): string => address.replace(/\d+$/, (last) => `${100 + Number(last)}`);

/** What differs between our nodes: all of it may be in one cluster. */
const variants: readonly Partial<SerfOptions>[] = [
  { compression: true },
  { compression: false },
  { compression: true, encryptionVersion: 0 },
  { compression: false, encryptionVersion: 0 },
  {},
];
const numbers = [1, 2, 3, 4, 5];
const names = numbers.flatMap((i) => [`ours-${i}`, `serf-${i}`]).sort();

/** All packets between the nodes pass through taps, which read them. */
describeWith(['serf'], 'five nodes of createSerf and five agents of serf are one cluster, which encrypts', () => {
  const agents = new Map<number, SerfAgent>();
  const ours = new Map<number, Serf>();
  const taps: SerfTap[] = [];
  const heard = new Map<string, string[]>();
  const encryption = {
    aead: new AesGcm(),
    keyring: new Keyring(oldKey, [newKey]),
    version: 1,
    encryptsOutgoing: true,
    refusesPlaintext: true,
  } as const;
  const reader = new SerfReader({ label: new Uint8Array(), compresses: true, encryption });
  let folder: string;
  let key = oldKey;

  const agent = (i: number): SerfAgent => agents.get(i) ?? expect.fail(`no agent ${i}`);
  const our = (i: number): Serf => ours.get(i) ?? expect.fail(`no node ${i}`);
  const snapshotOf = (name: string): string => join(folder, `${name}.snapshot`);

  /** A process of serf. Its handlers note events in a file, and answer queries. */
  async function startAgent(i: number): Promise<void> {
    const name = `serf-${i}`;
    const words = [
      `-advertise=${tapOf(agentAt(i))}:7946`,
      `-snapshot=${snapshotOf(name)}`,
      `-tag=number=${i}`,
      `-event-handler=user:deploy=cat >> ${join(folder, `${name}.events`)}`,
      `-event-handler=query:load=printf '%s heard %s' "$SERF_SELF_NAME" "$(cat)"`,
    ];
    agents.set(i, new SerfAgent(name, agentAt(i), base64(key), words));
    await eventually(() => agent(i).members());
  }

  async function startOurs(i: number): Promise<void> {
    const name = `ours-${i}`;
    const node = await createSerf({
      name,
      bindAddr: ourAt(i),
      advertiseAddr: tapOf(ourAt(i)),
      tags: { role: 'peer', number: `${i}` },
      keyring: new Keyring(key),
      snapshotPath: snapshotOf(name),
      ...variants[i - 1],
    });
    ours.set(i, node);
    heard.set(name, []);
    void serve(node, heard.get(name) ?? []);
  }

  const ourView = (i: number): Record<string, string> =>
    Object.fromEntries(
      our(i)
        .members()
        .map(({ name, status }) => [name, status]),
    );
  const serfView = async (i: number): Promise<Record<string, string>> =>
    Object.fromEntries((await agent(i).members()).map(({ name, status }) => [name, status]));
  /** Fails unless every node has every node as alive. */
  async function allAlive(): Promise<void> {
    const all = Object.fromEntries(names.map((name) => [name, 'alive']));
    for (const i of numbers) {
      expect(ourView(i)).toEqual(all);
      expect(await serfView(i)).toEqual(all);
    }
  }
  async function agentsSee(name: string, status: string): Promise<void> {
    for (const i of [1, 4]) expect(await serfView(i)).toMatchObject({ [name]: status });
  }
  const tagsIn = (members: readonly { name: string; tags: Readonly<Record<string, string>> }[], of: string) =>
    members.find(({ name }) => name === of)?.tags;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gossip-serf-'));
    for (const address of numbers.flatMap((i) => [agentAt(i), ourAt(i)])) {
      taps.push(await SerfTap.open(tapOf(address), address, reader));
    }
    await Promise.all(numbers.flatMap((i) => [startAgent(i), startOurs(i)]));
  });

  afterAll(async () => {
    await Promise.all([...agents.values()].map((each) => each.kill()));
    await Promise.all([...ours.values()].map((each) => each.shutdown()));
    for (const tap of taps) tap.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('joins from both sides: all nodes are alive in all views, with their tags', async () => {
    const [firstAgent, firstOurs] = [tapOf(agentAt(1)), tapOf(ourAt(1))];
    await our(1).join([firstAgent]);
    for (const i of [2, 3]) await our(i).join([firstOurs]);
    for (const i of [4, 5]) await our(i).join([firstAgent]);
    for (const i of [2, 3]) await agent(i).command('join', firstOurs);
    for (const i of [4, 5]) await agent(i).command('join', firstAgent);
    await eventually(allAlive, detection);
    expect(tagsIn(await agent(2).members(), 'ours-4')).toEqual({ role: 'peer', number: '4' });
    await our(4).setTags({ role: 'changed' });
    await agent(5).command('tags', '-set', 'role=agent');
    await eventually(async () => {
      expect(tagsIn(await agent(1).members(), 'ours-4')).toEqual({ role: 'changed' });
      expect(tagsIn(our(1).members(), 'serf-5')).toEqual({ role: 'agent', number: '5' });
    });
  });

  test('events of both sides reach every node', async () => {
    await agent(3).command('event', '-coalesce=false', 'deploy', 'from-serf');
    await our(5).userEvent('deploy', bytes('from-ours'), { coalesce: false });
    // What gossip missed comes with an exchange, within 30 s.
    await eventually(async () => {
      for (const i of numbers) {
        const file = await readFile(join(folder, `serf-${i}.events`), 'utf8');
        expect(file.trim().split('\n').sort()).toEqual(['from-ours', 'from-serf']);
        expect(heard.get(`ours-${i}`)?.sort()).toEqual(['deploy from-ours', 'deploy from-serf']);
      }
    }, detection);
  });

  test('queries of both sides are answered by every node that they are for', async () => {
    const said = (name: string, what: string): [string, string] => [name, `${name} heard ${what}`];
    // A query that gossip missed does not come again, so several are asked.
    await eventually(async () => {
      const words = ['-format=json', '-timeout=1s', '-relay-factor=2', 'load', 'you'];
      const { Responses } = JSON.parse(await agent(2).command('query', ...words)) as { Responses: object };
      expect(Responses).toEqual(Object.fromEntries(names.map((name) => said(name, 'you'))));
    }, detection);
    const ask = async (options: Parameters<Serf['query']>[2]): Promise<readonly [string, string][]> => {
      const answers: [string, string][] = [];
      for await (const answer of our(2).query('load', bytes('me'), { timeout: 1000, ...options })) {
        if (answer.type === 'ack') answers.push([answer.from, 'ack']);
        if (answer.type === 'response') answers.push([answer.from, text(answer.payload)]);
      }
      return answers.sort();
    };
    await eventually(async () => {
      expect(await ask({ relays: 2 })).toEqual(names.map((name) => said(name, 'me')));
    }, detection);
    await eventually(async () => {
      const some = ['ours-3', 'serf-3', 'serf-4'].flatMap((name) => [[name, 'ack'], said(name, 'me')]);
      expect(await ask({ acks: true, tags: { number: '^[34]$' } })).toEqual(some);
    }, detection);
    const words = ['-format=json', '-timeout=1s', '-tag=role=^peer$', '-node=ours-1', '-node=serf-1', 'load', 'tags'];
    await eventually(async () => {
      const { Responses } = JSON.parse(await agent(4).command('query', ...words)) as { Responses: object };
      expect(Responses).toEqual(Object.fromEntries([said('ours-1', 'tags')]));
    }, detection);
  });

  test('serf reachability and serf rtt take our nodes for theirs', async () => {
    await eventually(async () => {
      expect(await agent(1).command('reachability')).toContain('Successfully contacted all live nodes');
    }, detection);
    await eventually(async () => {
      expect(await agent(1).command('rtt', 'ours-1')).toMatch(/ ms/);
      expect(await agent(1).command('rtt', 'ours-2', 'serf-2')).toMatch(/ ms/);
      expect(our(1).roundTrip('serf-1')).toBeGreaterThan(0);
    }, detection);
  });

  test('no packet was refused, and no node was accused', () => {
    for (const { refusals, health } of ours.values()) {
      expect([[...refusals.memberlist], [...refusals.serf], health]).toEqual([[], [], 0]);
    }
  });

  test('keys change from both sides', async () => {
    await eventually(() => agent(1).command('keys', '-install', base64(newKey)), detection);
    await eventually(async () => {
      expect(await our(3).keyManager.use(newKey)).toMatchObject({ isEverywhere: true });
    }, detection);
    await eventually(() => agent(2).command('keys', '-remove', base64(oldKey)), detection);
    await eventually(async () => {
      const { keys, primaryKeys } = await our(4).keyManager.list();
      const everywhere = new Map([[base64(newKey), names.length]]);
      expect([keys, primaryKeys]).toEqual([everywhere, everywhere]);
    }, detection);
    await eventually(async () => {
      const lines = (await agent(3).command('keys', '-list')).split('\n').filter((line) => line.includes('/10]'));
      expect(lines).toEqual([expect.stringMatching(new RegExp(`^${base64(newKey)}.*\\[10/10\\]`))]);
    }, detection);
    await allAlive();
    key = newKey;
  });

  test('leaves and deaths are seen on both sides', async () => {
    await Promise.all([our(3).leave(), agent(3).command('leave')]);
    await our(3).shutdown();
    // As if the process had been killed: what is written later is not there after a restart.
    await copyFile(snapshotOf('ours-2'), snapshotOf('ours-2-killed'));
    for (const i of [2, 5]) await Promise.all([our(i).shutdown(), agent(i).kill()]);
    const failed = { 'ours-2': 'failed', 'serf-2': 'failed', 'ours-5': 'failed', 'serf-5': 'failed' };
    await eventually(async () => {
      for (const i of [1, 4]) {
        expect(ourView(i)).toMatchObject({ 'ours-3': 'left', 'serf-3': 'left', ...failed });
        expect(await serfView(i)).toMatchObject({ 'ours-3': 'left', 'serf-3': 'left', ...failed });
      }
    }, detection);
  });

  test('a node that failed can be declared to have left, and be forgotten', async () => {
    await agent(1).command('force-leave', '-prune', 'ours-5');
    await our(1).forceLeave('serf-5');
    await eventually(async () => {
      for (const i of [1, 4]) {
        for (const view of [ourView(i), await serfView(i)]) {
          expect(view).not.toHaveProperty('ours-5');
          expect(view).toMatchObject({ 'serf-5': 'left' });
        }
      }
    }, detection);
  });

  test('nodes that were killed join again by their snapshots, also by those of the other side', async () => {
    await copyFile(snapshotOf('ours-2-killed'), snapshotOf('ours-2'));
    await copyFile(snapshotOf('ours-1'), snapshotOf('serf-5'));
    await copyFile(snapshotOf('serf-1'), snapshotOf('ours-5'));
    // An agent that starts while another one counts as left may show it as leaving for ever, so those start first, one by one.
    await startAgent(5);
    await eventually(() => agentsSee('serf-5', 'alive'), detection);
    await startAgent(3);
    // Nodes that left do not join again by themselves.
    await agent(3).command('join', tapOf(ourAt(4)));
    await eventually(() => agentsSee('serf-3', 'alive'), detection);
    await Promise.all([startOurs(2), startOurs(3), startOurs(5), startAgent(2)]);
    await our(3).join([tapOf(agentAt(4))]);
    await eventually(allAlive, detection);
    // Events that these nodes have told are not told again.
    expect(heard.get('ours-2')).toEqual([]);
  });

  test('all that the nodes sent was read', () => {
    expect(reader.unknown).toEqual([]);
    const seen = ['join', 'leave', 'event', 'query', 'queryResponse', 'relay', 'pushPull'].map(
      (each) => `serf ${each}`,
    );
    const kinds = ['ping', 'ack', 'alive', 'suspect', 'dead', 'stream pushPull', 'tags', 'coordinate', 'keys', ...seen];
    expect(Object.keys(reader.counts)).toEqual(expect.arrayContaining(kinds));
    for (const { refusals } of ours.values()) expect([[...refusals.memberlist], [...refusals.serf]]).toEqual([[], []]);
  });
});

/** Answers every query, and notes every event of users. */
async function serve(node: Serf, heard: string[]): Promise<void> {
  for await (const event of node.events()) note(node, event, heard);
}

function note(node: Serf, event: SerfNodeEvent, heard: string[]): void {
  if (event.type === 'user') heard.push(`${event.name} ${text(event.payload)}`);
  if (event.type === 'query') void event.respond(bytes(`${node.local.name} heard ${text(event.payload)}`));
}
