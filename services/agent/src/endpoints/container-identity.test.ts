import type { NetnsPath } from '@causeway/datapath';
import type { FakeKernel } from '@causeway/datapath/testing';
import { InterfaceAddress } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { MemoryLog } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { AbFile } from '../disk/ab-file.ts';
import { decodeSandboxes, type Sandbox } from '../disk/sandbox.ts';
import { SandboxBytes } from '../disk/sandbox-bytes.ts';
import { Host } from '../testing/host.ts';

const web = '/run/netns/web' as NetnsPath;

async function host(): Promise<Host> {
  const h = new Host();
  h.manager.network('blue');
  await h.start();
  await h.attach('blue', 'web');
  await h.settle(seconds(1));
  return h;
}

/**
 * Deletes the container, and makes other containers until one has its inode again. That container is then at the old
 * container's path.
 */
function recycle(kernel: FakeKernel): void {
  const inode = kernel.inodeOf(web);
  kernel.foreign({ op: 'netns.delete', netns: web });
  kernel.foreignNetns(web);
  for (let n = 0; kernel.inodeOf(web) !== inode; n++) {
    kernel.foreign({ op: 'netns.delete', netns: web });
    kernel.foreignNetns(`/run/netns/other-${n}` as NetnsPath);
    kernel.foreignNetns(web);
  }
}

function linksOf(h: Host, netns = web): string[] {
  return [...(h.kernel.namespaces.get(netns)?.links.keys() ?? [])];
}

/** The host's sandboxes on disk, changed while its agent is down. */
async function rewrite(h: Host, change: (sandbox: Sandbox) => Sandbox): Promise<void> {
  const file = new AbFile({ files: h.files, log: new MemoryLog() }, { kind: 'sandboxes' });
  const bytes = await file.load();
  if (bytes === undefined) throw new Error('no sandboxes were written');
  await file.save(new SandboxBytes().of(decodeSandboxes(bytes).map(change)));
}

describe('a new container never gets the endpoint of an old one', () => {
  it('when its namespace has the inode of the old one, and the agent is down meanwhile', async () => {
    const h = await host();
    await h.clock.until(h.agent.stop(), seconds(60));
    recycle(h.kernel);
    await h.start();
    await h.settle(seconds(5));
    expect(linksOf(h)).toEqual([]);
    expect(h.manager.rows('blue')).toEqual([]);
  });

  it('when its namespace has the inode of the old one, and the agent runs', async () => {
    const h = await host();
    recycle(h.kernel);
    await h.settle(seconds(40));
    expect(linksOf(h)).toEqual([]);
    expect(h.manager.rows('blue')).toEqual([]);
  });

  it('after a boot that makes the same containers in the same order', async () => {
    const h = await host();
    const inode = h.kernel.inodeOf(web);
    await h.reboot();
    h.container('web');
    expect(h.kernel.inodeOf(web)).toBe(inode);
    await h.start();
    await h.settle(seconds(5));
    expect(linksOf(h)).toEqual([]);
    expect(h.manager.rows('blue')).toEqual([]);
    await h.attach('blue', 'web');
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('when it takes the old one’s place while a repair of the old one is under way', async () => {
    const h = await host();
    const apply = h.kernel.apply.bind(h.kernel);
    let swapped = false;
    h.kernel.apply = async (ops, expected) => {
      if (!swapped) {
        swapped = true;
        h.kernel.foreign({ op: 'netns.delete', netns: web });
        h.container('web');
      }
      return await apply(ops, expected);
    };
    h.kernel.foreign({ op: 'link.delete', netns: web, name: 'eth0' });
    await h.settle(seconds(40));
    expect(swapped).toBe(true);
    expect(linksOf(h)).toEqual([]);
    expect(h.manager.rows('blue')).toEqual([]);
  });

  it('nor is it refused for the old one', async () => {
    const h = await host();
    recycle(h.kernel);
    await h.attach('blue', 'other', { netns: web });
    await h.settle(seconds(5));
    expect(h.manager.rows('blue')).toEqual(['other']);
    expect(await h.wrong('blue')).toEqual([]);
  });
});

describe('a record of an agent that wrote inodes alone', () => {
  /** A host whose agent is down and has written its sandbox in the former format. */
  async function formerHost(): Promise<Host> {
    const h = await host();
    const inode = h.kernel.inodeOf(web);
    await h.clock.until(h.agent.stop(), seconds(60));
    await rewrite(h, (sandbox) => ({ ...sandbox, identity: inode }));
    return h;
  }

  it('is believed while the container holds the pair of links of its endpoint; nothing is written', async () => {
    const h = await formerHost();
    const { writes } = h.kernel;
    await h.start();
    await h.settle(seconds(40));
    expect(h.kernel.writes).toBe(writes);
    expect(h.manager.rows('blue')).toEqual(['web']);
    expect(await h.status()).toMatchObject({ repairs: 0n, drift: 0 });
  });

  it('is written anew once it is believed, so that the inode is asked for no more', async () => {
    const h = await formerHost();
    await h.start();
    await h.clock.until(h.agent.stop(), seconds(60));
    await rewrite(h, (sandbox) => {
      expect(sandbox.identity).toMatch(/^net:\d+@boot-1$/);
      return sandbox;
    });
    recycle(h.kernel);
    await h.start();
    await h.settle(seconds(5));
    expect(linksOf(h)).toEqual([]);
  });

  it('is not believed of another namespace with the inode', async () => {
    const h = await formerHost();
    recycle(h.kernel);
    await h.start();
    await h.settle(seconds(5));
    expect(linksOf(h)).toEqual([]);
    expect(h.manager.rows('blue')).toEqual([]);
  });

  it('is not believed after a boot', async () => {
    const h = await host();
    const inode = h.kernel.inodeOf(web);
    await h.reboot();
    await rewrite(h, (sandbox) => ({ ...sandbox, identity: inode }));
    h.container('web');
    await h.start();
    await h.settle(seconds(5));
    expect(linksOf(h)).toEqual([]);
    expect(h.manager.rows('blue')).toEqual([]);
  });
});

describe('a kernel that numbers no namespaces', () => {
  it('is warned of, since the agent knows containers by their inodes there', async () => {
    const h = new Host({ hasCookies: false });
    h.manager.network('blue');
    await h.start();
    expect(h.events()).toContain('netns.identity-weak');
    await h.attach('blue', 'web');
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('is known to have booted again all the same', async () => {
    const h = new Host({ hasCookies: false });
    h.manager.network('blue');
    await h.start();
    await h.attach('blue', 'web');
    await h.reboot();
    h.container('web');
    await h.start();
    await h.settle(seconds(5));
    expect(linksOf(h)).toEqual([]);
  });
});

describe('what is not a container is refused, by whatever path', () => {
  const at = (path: string): NetnsPath => path as NetnsPath;

  it('an overlay namespace of Causeway, of this network and of another; neither changes', async () => {
    const h = await host();
    h.manager.network('red', '10.77.0.0/16');
    await h.attach('red', 'db');
    for (const network of ['blue', 'red']) {
      const overlay = h.overlay(network);
      const name = overlay.slice('/run/netns/'.length);
      const aliases = [
        `/var/run/netns/${name}`,
        `//run/netns/${name}`,
        `/run/netns/../netns/${name}`,
        `/tmp/${network}`,
      ];
      for (const alias of aliases) h.kernel.foreignBind(at(alias), overlay);
      for (const netns of [overlay, ...aliases]) {
        await expect(h.attach('red', 'x', { netns })).rejects.toMatchObject({
          code: 'netns-invalid',
          message: expect.stringContaining('Causeway'),
        });
      }
    }
    await h.settle(seconds(60));
    expect([...(await h.wrong('blue')), ...(await h.wrong('red'))]).toEqual([]);
    expect(await h.status()).toMatchObject({ repairs: 0n, drift: 0 });
  });

  it('the host’s own, the machine’s own, and a manager’s, by name', async () => {
    const h = await host();
    h.kernel.foreignBind(at('/run/netns/host'), at(''));
    h.kernel.foreignNetns(at('/proc/1/ns/net'));
    h.kernel.foreignBind(at('/run/netns/first'), at('/proc/1/ns/net'));
    const manager = h.container('manager');
    h.kernel.foreignLink(manager, 'eth0');
    h.kernel.foreign({ op: 'address.add', netns: manager, dev: 'eth0', address: InterfaceAddress('10.0.0.1/24') });
    const why = async (netns: string): Promise<string> =>
      await h.attach('blue', 'x', { netns }).then(
        () => 'attached',
        (error: Error) => error.message,
      );
    expect(await why('/run/netns/host')).toContain("is the host's own network namespace");
    expect(await why('/run/netns/first')).toContain('of process 1');
    expect(await why(manager)).toContain('the manager at 10.0.0.1:7443');
    expect(await why('/run/netns/cw-0123456789')).toContain('is where Causeway mounts an overlay namespace');
  });

  it('an overlay that an old agent has attached by an alias is given up, and stands', async () => {
    const h = await host();
    h.manager.network('red', '10.77.0.0/16');
    await h.attach('red', 'db');
    const alias = h.kernel.foreignBind(at('/var/run/netns/cw-blue'), h.overlay('blue'));
    const identity = (await h.kernel.identify(alias)) ?? '';
    const inode = h.kernel.inodeOf(alias);
    for (const former of [identity, inode]) {
      await h.clock.until(h.agent.stop(), seconds(60));
      await rewrite(h, (sandbox) =>
        sandbox.endpoint.name === 'db' ? { ...sandbox, netns: alias, identity: former } : sandbox,
      );
      await h.start();
      await h.settle(seconds(60));
      expect(await h.wrong('blue')).toEqual([]);
      expect(linksOf(h)).toEqual(['eth0']);
    }
  });

  it('nothing of a container is removed when its namespace is mounted at the path of an overlay', async () => {
    const h = await host();
    const red = h.manager.network('red', '10.77.0.0/16');
    const path = at(`/run/netns/cw-${red.id.slice(0, 10)}`);
    h.kernel.foreignLink(web, 'mine');
    h.kernel.foreignBind(path, web);
    await expect(h.attach('red', 'db')).rejects.toMatchObject({
      code: 'kernel-refused',
      message: expect.stringContaining('leads to the container of endpoint web'),
    });
    h.kernel.foreignBind(at('/run/netns/cw-0123456789'), at(''));
    await h.settle(seconds(60));
    expect(linksOf(h)).toEqual(['eth0', 'mine']);
    expect(linksOf(h, at(''))).toEqual(['eth0']);
    expect(await h.wrong('blue')).toEqual([]);
  });
});
