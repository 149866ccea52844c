import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EndpointJson, NetworkJson } from './answers.ts';
import { attach, type Container, createNetwork, expectAllPing, ips, traffic } from './cluster.ts';
import { eventually } from './eventually.ts';
import { overlayOf } from './overlay.ts';
import { describeLab } from './requirements.ts';

describeLab('a container is known by its namespace', () => {
  let lab: Lab;
  let blue: NetworkJson;
  let near: Container;
  let far: Container;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'netns-identity', hosts: 2, managers: 1, subnet: '10.97.1.0/24' });
    blue = await createNetwork(lab, 'blue', '10.66.0.0/16');
    await createNetwork(lab, 'red', '10.77.0.0/16');
    near = await attach(lab, 'blue', 'h2', 'near');
    far = await attach(lab, 'blue', 'h1', 'far');
    await attach(lab, 'red', 'h2', 'other');
  });
  afterAll(() => lab?.down());

  const interfaces = async (netns: string): Promise<string[]> => {
    const links = await lab.run('h2', 'ip', '-n', netns, '-j', 'link', 'show');
    return (JSON.parse(links) as { ifname: string }[]).map(({ ifname }) => ifname).filter((name) => name !== 'lo');
  };
  const namesOn = async (network: string): Promise<string[]> => {
    const endpoints = await lab.json<EndpointJson[]>('h1', 'endpoint', 'list', network);
    return endpoints.map(({ name }) => name).sort();
  };

  test('an overlay is refused by whatever path, and its traffic does not notice', async () => {
    const flow = await traffic(lab, near, far);
    const overlay = overlayOf(blue);
    await lab.sh(
      'h2',
      `ln -s /run/netns/${overlay} /run/alias; touch /run/bound; mount --bind /run/netns/${overlay} /run/bound`,
    );
    const paths = ['/run/netns/', '/var/run/netns/', '//run/netns/', '/run/netns/../netns/'].map(
      (path) => path + overlay,
    );
    for (const path of [...paths, '/run/alias', '/run/bound']) {
      for (const network of ['blue', 'red']) {
        const { code, stderr } = await lab.try(
          'h2',
          'causeway',
          'endpoint',
          'attach',
          network,
          '--name',
          'x',
          '--netns',
          path,
        );
        expect([path, code]).toEqual([path, 2]);
        expect(stderr).toContain('Causeway');
      }
    }
    for (const path of ['/proc/self/ns/net', '/proc/1/ns/net']) {
      const { code, stderr } = await lab.try(
        'h2',
        'causeway',
        'endpoint',
        'attach',
        'red',
        '--name',
        'x',
        '--netns',
        path,
      );
      expect([path, code]).toEqual([path, 2]);
      expect(stderr).toContain('own');
    }
    expect(await flow.end()).toBeGreaterThan(0);
    await lab.run('h1', 'causeway', 'verify');
    const node = await lab.json<{ repairs: number }>('h1', 'node', 'show', 'h2');
    expect(node.repairs).toBe(0);
    await lab.sh('h2', 'umount /run/bound; rm /run/bound /run/alias');
  });

  test('a namespace with the inode of an old one, made while the agent was dead, gets nothing of it', async () => {
    await attach(lab, 'blue', 'h2', 'web');
    await lab.kill('h2', 'agent');
    // Other files take the free inodes below, so that the old inode is reused, as would happen after a while anyway.
    await lab.sh(
      'h2',
      `old=$(stat -L -c %i /run/netns/web); ip netns del web
       for n in $(seq 400); do
         ip netns add fill$n
         [ "$(stat -L -c %i /run/netns/fill$n)" != "$old" ] || break
       done
       touch /run/netns/web; mount --bind /run/netns/fill$n /run/netns/web`,
    );
    await lab.startProcess('h2', 'agent');
    await eventually(async () => expect(await namesOn('blue')).toEqual(['far', 'near']));
    expect(await interfaces('web')).toEqual([]);
    await lab.run('h2', 'causeway', 'endpoint', 'attach', 'blue', '--name', 'web', '--netns', '/run/netns/web');
    expect(await interfaces('web')).toEqual(['eth0']);
    await lab.run('h2', 'causeway', 'endpoint', 'detach', 'blue/web');
    await lab.sh(
      'h2',
      'umount -l /run/netns/web; rm /run/netns/web; for path in /run/netns/fill*; do ip netns del $(basename $path); done',
    );
  });

  test('after a reboot each container is as its runtime asks, and none has an old endpoint', async () => {
    const names = ['c1', 'c2', 'c3'];
    for (const name of names) await attach(lab, 'blue', 'h2', name);
    await lab.kill('h2', 'agent');
    await lab.sh('h2', 'for path in /run/netns/*; do ip netns del $(basename $path); done');
    for (const name of names) await lab.run('h2', 'ip', 'netns', 'add', name);
    await lab.startProcess('h2', 'agent');
    // The runtime wants the first container unchanged, the second under another name, and no longer wants the third.
    const attached = async (name: string, netns: string): Promise<Container> => {
      const endpoint = await eventually(() =>
        lab.json<EndpointJson>('h2', 'endpoint', 'attach', 'blue', '--name', name, '--netns', `/run/netns/${netns}`),
      );
      return { host: 'h2', netns, endpoint };
    };
    const containers = [await attached('c1', 'c1'), await attached('new', 'c2')];
    await eventually(async () => expect(await namesOn('blue')).toEqual(['c1', 'far', 'new']));
    await expectAllPing(lab, [far, ...containers]);
    for (const { netns, endpoint } of containers) {
      const addresses = await lab.run('h2', 'ip', '-n', netns, '-o', '-4', 'address', 'show', 'dev', 'eth0');
      expect(addresses).toContain(ips({ host: 'h2', netns, endpoint })[0]);
      expect(await interfaces(netns)).toEqual(['eth0']);
    }
    expect(await interfaces('c3')).toEqual([]);
    await lab.run('h1', 'causeway', 'verify');
  });
});
