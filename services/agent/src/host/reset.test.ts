import { hostNetns, type NetnsPath } from '@causeway/datapath';
import { seconds } from '@causeway/runtime';
import { expect, it } from 'vitest';
import { Host } from '../testing/host.ts';
import { resetHost } from './reset.ts';

async function reset(h: Host): Promise<{ clean: boolean; said: string[] }> {
  const said: string[] = [];
  const clean = await resetHost({ kernel: h.kernel, files: h.files, tell: (line) => said.push(line) });
  return { clean, said };
}

it('takes overlays, interfaces and files off a host, says what, and has nothing to do then', async () => {
  const h = new Host();
  const { id } = h.manager.network('blue');
  await h.start();
  await h.attach('blue', 'web');
  await h.attach('blue', 'db');
  await h.settle(seconds(1));
  await h.clock.until(h.agent.stop(), seconds(60));
  await h.files.write('notes', new Uint8Array(1));
  const { clean, said } = await reset(h);
  expect(clean).toBe(true);
  expect(said[0]).toBe(`removed ${h.overlay('blue')} with the interfaces of 2 containers`);
  expect(said).toContain(`removed ${h.files.directory}/network-${id}`);
  expect(await h.kernel.ownNetns()).toEqual([]);
  expect(await h.files.list()).toEqual(['notes']);
  expect(h.kernel.namespaces.get('/run/netns/web' as NetnsPath)?.links.size).toBe(0);
  expect(await reset(h)).toEqual({ clean: true, said: [] });
});

it('leaves what only has the name of an overlay, and says so', async () => {
  const h = new Host();
  const alias = '/run/netns/cw-0123456789' as NetnsPath;
  const container = h.container('web');
  h.kernel.foreignLink(container, 'eth0');
  h.kernel.foreignBind(alias, container);
  expect(await reset(h)).toEqual({ clean: false, said: [`left ${alias}: it is not an overlay of Causeway`] });
  expect(h.kernel.namespaces.get(container)?.links.has('eth0')).toBe(true);
});

it('says what the kernel refuses', async () => {
  const h = new Host();
  h.manager.network('blue');
  await h.start();
  await h.attach('blue', 'web');
  await h.clock.until(h.agent.stop(), seconds(60));
  h.kernel.failNext('netns.delete', 'EBUSY');
  const { clean, said } = await reset(h);
  expect({ clean, first: said[0] }).toEqual({ clean: false, first: expect.stringMatching(/^left .*EBUSY/) });
});

it('takes off what protected encrypted networks, once none of them is left', async () => {
  const h = new Host();
  h.manager.network('blue');
  h.manager.changeDriver('blue', 'encrypted-overlay');
  await h.start();
  await h.attach('blue', 'web');
  await h.clock.until(h.agent.stop(), seconds(60));
  const policies = async () => (await h.kernel.read(hostNetns, { links: [], sysctls: [] }))?.xfrmPolicies.size;
  h.kernel.failNext('netns.delete', 'EBUSY');
  expect((await reset(h)).clean).toBe(false);
  expect(await policies()).toBe(6);
  const { clean, said } = await reset(h);
  expect({ clean, said }).toEqual({
    clean: true,
    said: expect.arrayContaining([
      'removed 0 SAs and 6 policies of IPsec',
      'removed the nftables table inet causeway-4793',
    ]),
  });
  expect(await policies()).toBe(0);
});
