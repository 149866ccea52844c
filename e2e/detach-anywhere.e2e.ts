import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attach, type Container, createNetwork, inContainer } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

describeLab('endpoint detach from another host', () => {
  let lab: Lab;
  const containers = new Map<string, Container>();

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'agent-detach', hosts: 3, managers: 1, subnet: '10.94.4.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/16');
    for (const name of ['db', 'web', 'last']) containers.set(name, await attach(lab, 'blue', 'h3', name));
    await attach(lab, 'blue', 'h2', 'peer');
  });
  afterAll(() => lab?.down());

  const linksOf = async (name: string): Promise<string> => {
    const container = containers.get(name);
    if (container === undefined) throw new Error(`no container ${name}`);
    return await inContainer(lab, container, 'ip', '-br', 'link');
  };
  const detach = (host: string, ...words: readonly string[]) =>
    lab.try(host, 'causeway', 'endpoint', 'detach', ...words);

  test('by name, where an agent runs, takes the interface away before it answers', async () => {
    const { code, stdout } = await detach('h2', 'db');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^endpoint db detached on h3, revision \d+/),
    });
    expect(await linksOf('db')).not.toContain('eth0');
    expect((await detach('h2', 'db')).code).toBe(3);
  });

  test('by id works where no agent runs', async () => {
    const id = containers.get('web')?.endpoint.id ?? '';
    const { code, stdout } = await detach('h1', id, '--socket', '/run/none.sock');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('detached on h3') });
    expect(await linksOf('web')).not.toContain('eth0');
  });

  test('of a host that is down is refused, works when forced, and the host hears of it when it is back', async () => {
    await lab.kill('h3', 'agent');
    await eventually(async () => expect(await lab.isReady('h3')).toBe(false));
    expect(await detach('h2', 'last')).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/host h3, which is not ready/),
    });
    const forced = await detach('h2', 'last', '--force');
    expect(forced).toMatchObject({ code: 0, stderr: expect.stringContaining('host h3 has not said yet') });
    expect(await linksOf('last')).toContain('eth0');
    await lab.startProcess('h3', 'agent');
    await eventually(async () => expect(await linksOf('last')).not.toContain('eth0'));
    expect((await lab.try('h3', 'causeway', 'verify')).code).toBe(0);
  });
});
