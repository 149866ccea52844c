import { readFile } from 'node:fs/promises';
import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attach, type Container, createNetwork, inContainer, ips } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

const operations = new URL('../docs/operations.md', import.meta.url);

interface NodeJson {
  readonly name: string;
  readonly drained: boolean;
}

interface LocalJson {
  readonly drained: boolean;
  readonly removed: string | null;
}

describeLab('taking a host out of service, as docs/operations.md tells it', () => {
  let lab: Lab;
  let [near, far]: Container[] = [];
  /** The commands of the page, in its order: drain, list, undrain, remove, remove by force. */
  let commands: string[] = [];

  beforeAll(async () => {
    const [, block = ''] =
      /## Taking a host out of service\n```\n(.*?)```/s.exec(await readFile(operations, 'utf8')) ?? [];
    commands = block
      .trim()
      .split('\n')
      .map((line) => (line.split('  #')[0] ?? '').trim());
    lab = await Lab.replace({ name: 'node-remove', hosts: 3, managers: 1, subnet: '10.94.13.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/16');
    near = await attach(lab, 'blue', 'h2', 'near');
    far = await attach(lab, 'blue', 'h3', 'far');
  });
  afterAll(() => lab?.down());

  const say = (at: number) => lab.try('h1', 'sh', '-c', commands[at] ?? 'false');
  const hosts = async (): Promise<string[]> =>
    (await lab.json<NodeJson[]>('h1', 'node', 'list')).map(({ name }) => name).sort();
  const local = async (): Promise<LocalJson> => await lab.json<LocalJson>('h3', 'status', '--local');
  const tryAttach = async (name: string) => {
    await lab.run('h3', 'ip', 'netns', 'add', name);
    return await lab.try(
      'h3',
      'causeway',
      'endpoint',
      'attach',
      'blue',
      '--name',
      name,
      '--netns',
      `/run/netns/${name}`,
    );
  };
  const pings = async (from: Container | undefined, to: Container | undefined): Promise<boolean> => {
    if (from === undefined || to === undefined) throw new Error('not attached');
    const command = `ping -n -q -c 1 -W 1 ${ips(to)[0]} > /dev/null && echo yes || echo no`;
    return (await inContainer(lab, from, 'sh', '-c', command)).trim() === 'yes';
  };

  test('a drained host gets no new endpoints, and its containers go on', async () => {
    expect(await say(0)).toMatchObject({ code: 0, stdout: expect.stringContaining('its endpoints stay: 1') });
    expect((await say(1)).stdout).toContain('h3');
    await eventually(async () => expect((await local()).drained).toBe(true));
    expect(await tryAttach('new')).toMatchObject({ code: 4, stderr: expect.stringContaining('host h3 is drained') });
    expect(await pings(near, far)).toBe(true);
    expect((await say(2)).code).toBe(0);
    expect((await say(1)).stdout).not.toContain('h3');
    await eventually(async () => expect((await local()).drained).toBe(false));
    expect((await tryAttach('newer')).code).toBe(0);
  });

  test('a host in use is not removed', async () => {
    expect(await say(3)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('host h3 is connected and has 2 endpoints: far, newer'),
    });
    expect(await hosts()).toEqual(['h1', 'h2', 'h3']);
  });

  test('a host that is dead is removed by force; it comes back, is refused, and its containers keep their interfaces', async () => {
    await lab.kill('h3', 'agent');
    await eventually(async () => expect(await lab.isReady('h3')).toBe(false));
    const removed = await say(4);
    expect(removed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('host h3 removed, 2 endpoints released'),
    });
    expect(removed.stderr).toContain('has not said that the interfaces are gone');
    expect(await hosts()).toEqual(['h1', 'h2']);
    expect((await say(4)).code).toBe(3);
    await eventually(async () => expect(await pings(near, far)).toBe(false));
    await lab.startProcess('h3', 'agent');
    await eventually(async () => expect((await local()).removed).toContain('was removed from the cluster'));
    expect(await hosts()).toEqual(['h1', 'h2']);
    expect(await inContainer(lab, far as Container, 'ip', '-br', 'link')).toContain('eth0');
    expect(await tryAttach('late')).toMatchObject({ code: 1, stderr: expect.stringContaining('was removed') });
  });

  test('reset, it joins again under its name', async () => {
    await lab.kill('h3', 'agent', 'TERM');
    await lab.run('h3', 'causeway-agent', '--reset', '--data-dir', '/var/lib/causeway/agent');
    await lab.startProcess('h3', 'agent');
    await eventually(async () => expect(await hosts()).toEqual(['h1', 'h2', 'h3']));
    await eventually(async () => expect(await lab.isReady('h3')).toBe(true));
    const again = await attach(lab, 'blue', 'h3', 'again');
    await eventually(async () => expect(await pings(near, again)).toBe(true));
    expect((await lab.try('h3', 'causeway', 'verify')).code).toBe(0);
  });

  test('a host that joined and was removed is told so when it joins again with the same token', async () => {
    const { token } = await lab.json<{ readonly token: string }>('h1', 'node', 'token', 'create', '--role', 'agent');
    const where = ['--name', 'extra', '--root', '/run/extra', '--data-path', '192.0.2.9'];
    const join = () => lab.try('h3', 'causeway', 'join', lab.underlay('h1'), '--token', token, ...where);
    expect((await join()).stdout).toContain('has joined the cluster');
    expect((await join()).stdout).toContain('is a member of the cluster already');
    await lab.run('h1', 'causeway', 'node', 'remove', 'extra', '--force');
    const told = expect.stringMatching(/was removed from the cluster \S+: run "causeway leave" first/);
    expect(await join()).toMatchObject({ code: 1, stderr: told });
  });
});
