import { hostNetns, type Namespace, type NetnsPath, overlayNetns } from '@causeway/datapath';
import { Mac, type NetworkId } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { expect, it } from 'vitest';
import { Host } from '../testing/host.ts';

/** A host whose agent has made overlays of these networks, and has since lost all its tables and containers. */
async function bereft(...names: string[]): Promise<{ host: Host; overlays: NetnsPath[] }> {
  const host = new Host();
  const ids = names.map((name): NetworkId => host.manager.network(name).id);
  await host.start();
  for (const name of names) await host.attach(name, `in-${name}`);
  await host.clock.until(host.agent.stop(), seconds(60));
  for (const name of names) host.manager.remove(name, ...host.manager.ids(name));
  for (const file of await host.files.list()) if (/^(sandboxes|network)/.test(file)) await host.files.remove(file);
  return { host, overlays: ids.map(overlayNetns) };
}

it('what networks have left is verified as one difference each, and removed by a repair', async () => {
  const { host, overlays } = await bereft('blue', 'red');
  host.kernel.failNext('netns.delete', 'EBUSY', 100);
  await host.start();
  await host.settle(milliseconds(10));
  const verify = host.agent.api.verifyHost({ repair: false });
  const { drift } = await host.clock.until(verify, seconds(5));
  expect(drift.map(({ kind, key, network, actual, desired }) => ({ kind, key, network, actual, desired }))).toEqual(
    overlays.map((key) => ({ kind: 'netns', key, network: '', actual: 'present', desired: '' })),
  );
  expect((await host.status()).drift).toBe(overlays.length);
  host.kernel.failNoMore();
  await host.clock.until(host.agent.api.verifyHost({ repair: true }), seconds(5));
  expect(await host.kernel.ownNetns()).toEqual([]);
  expect(await host.status()).toMatchObject({ drift: 0, repairs: 0n });
});

it('an overlay that cannot be read does not keep the others from being removed', async () => {
  const { host, overlays } = await bereft('blue', 'red');
  const [blue] = overlays;
  const { read } = host.kernel;
  host.kernel.read = (netns, ...rest): Promise<Namespace | undefined> =>
    netns === blue ? Promise.reject(new Error('no answer')) : read.call(host.kernel, netns, ...rest);
  await host.start();
  await host.settle(seconds(5));
  expect(await host.kernel.ownNetns()).toEqual([blue]);
  expect(host.events().filter((event) => event.startsWith('netns.'))).toEqual(
    expect.arrayContaining(['netns.not-removed', 'netns.stray-removed']),
  );
});

it("what is ours in the host's own namespace and not desired is repaired, and what other programs have there stays", async () => {
  const host = await new Host().start();
  const left = { kind: 'bridge', name: 'cw-left', mac: Mac('02:45:00:00:00:01'), mtu: 1500, up: true } as const;
  await host.kernel.apply([{ op: 'link.add', netns: hostNetns, link: left }]);
  for (const name of ['cw-foo', 'docker0']) host.kernel.foreignLink(hostNetns, name);
  const { drift } = await host.clock.until(host.agent.api.verifyHost({ repair: true }), seconds(5));
  expect(drift).toMatchObject([{ network: '', kind: 'link', key: 'cw-left', desired: '' }]);
  expect([...(host.kernel.namespaces.get(hostNetns)?.links.keys() ?? [])].sort()).toEqual([
    'cw-foo',
    'docker0',
    'eth0',
  ]);
  expect((await host.status()).repairs).toBe(1n);
});
