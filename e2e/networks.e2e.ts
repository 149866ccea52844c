import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EndpointJson, NetworkJson, VerifyJson } from './answers.ts';
import { captureUnderlay, filters, overhear } from './capture.ts';
import {
  attach,
  attachWith,
  type Container,
  createNetwork,
  expectAllPing,
  inContainer,
  ips,
  ping,
  traffic,
} from './cluster.ts';
import { eventually } from './eventually.ts';
import { overlaysOn } from './overlay.ts';
import { describeLab } from './requirements.ts';

/** Pings of both families, and their replies (RFC 4443 §4). */
const echoes = 'icmp or (icmp6 and (ip6[40] = 128 or ip6[40] = 129))';

describeLab('networks', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.replace({ name: 'networks', hosts: 2, managers: 1, subnet: '10.104.0.0/24' });
  });
  afterAll(() => lab?.down());

  const update = (network: string, ...options: readonly string[]): Promise<NetworkJson> =>
    lab.json('h1', 'network', 'update', network, ...options);

  /** Addresses and routes of a container's interface, without those that the kernel makes by itself. */
  async function wiring(at: Container): Promise<{ addresses: string[]; routes: string[]; mtu: number }> {
    const ip = (...words: string[]): Promise<string> => inContainer(lab, at, 'ip', '-j', ...words);
    const [link] = JSON.parse(await ip('addr', 'show', 'dev', 'eth0')) as LinkJson[];
    const routes = [...(JSON.parse(await ip('-4', 'route')) as RouteJson[])];
    routes.push(...(JSON.parse(await ip('-6', 'route')) as RouteJson[]));
    const addresses = link?.addr_info.filter(({ scope }) => scope === 'global') ?? [];
    return {
      addresses: addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
      routes: routes.filter(({ protocol }) => protocol === 'static').map(({ dst, gateway }) => `${dst} via ${gateway}`),
      mtu: link?.mtu ?? 0,
    };
  }

  describe('two tenants with one prefix', () => {
    const tenants: Record<'red' | 'blue', Container[]> = { red: [], blue: [] };
    beforeAll(async () => {
      for (const name of ['red', 'blue'] as const) {
        const subnets = ['--subnet', '10.70.0.0/24', '--subnet', 'fd70::/64'];
        await lab.json('h1', 'network', 'create', name, ...subnets, '--address-space', name);
        for (const host of ['h1', 'h2']) tenants[name].push(await attach(lab, name, host, `${name}-${host}`));
      }
      // An address that exists in only one of the networks.
      tenants.blue.push(await attach(lab, 'blue', 'h2', 'blue-only'));
    });

    test('have the same addresses, and each reaches its own', async () => {
      const [red, blue] = [tenants.red, tenants.blue.slice(0, 2)];
      expect(red.map(ips)).toEqual(blue.map(ips));
      await expectAllPing(lab, tenants.red);
      await expectAllPing(lab, tenants.blue);
    });

    test('and nothing crosses between them', async () => {
      const [from, to] = tenants.red as [Container, Container];
      const captures = await Promise.all(tenants.blue.map((at) => overhear(lab, at, echoes)));
      for (const ip of ips(to)) await ping(lab, from, ip, 10);
      for (const ip of ips(tenants.blue[2] as Container)) {
        const silent = ['ping', '-n', '-c', '3', '-i', '0.1', '-W', '1', ip];
        expect((await lab.try(from.host, 'ip', 'netns', 'exec', from.netns, ...silent)).stdout).toContain(
          ' 0 received',
        );
      }
      // Each must receive the frames of the other, in packets of a size of their own.
      const [one, other, third] = tenants.blue as [Container, Container, Container];
      for (const [a, b] of [
        [one, other],
        [third, one],
      ] as const)
        await inContainer(lab, a, 'ping', '-n', '-c', '1', '-W', '2', '-s', '999', ips(b)[0] ?? '');
      for (const at of captures) expect(await at.before('length 1007')).toEqual([]);
    });

    test('while one address space does not take a prefix twice', async () => {
      const again = ['--subnet', '10.70.0.128/25', '--address-space', 'red'];
      const { code, stderr } = await lab.try('h1', 'causeway', 'network', 'create', 'again', ...again);
      expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining('10.70.0.0/24') });
    });
  });

  test('of one family give addresses and a default route of that family', async () => {
    await createNetwork(lab, 'four', '10.71.0.0/24');
    await createNetwork(lab, 'six', 'fd71::/64');
    const [four, six] = [await attach(lab, 'four', 'h1', 'four-a'), await attach(lab, 'six', 'h1', 'six-a')];
    const peers = [await attach(lab, 'four', 'h2', 'four-b'), await attach(lab, 'six', 'h2', 'six-b')];
    expect(await wiring(four)).toMatchObject({ addresses: ['10.71.0.2/24'], routes: ['default via 10.71.0.1'] });
    expect(await wiring(six)).toMatchObject({ addresses: ['fd71::2/64'], routes: ['default via fd71::1'] });
    await expectAllPing(lab, [four, peers[0] as Container]);
    await expectAllPing(lab, [six, peers[1] as Container]);
  });

  test('that are internal have no way out, those with ranges give from them and never an aux address', async () => {
    const subnet = ['--subnet', '10.72.0.0/24', '--ip-range', '10.72.0.128/30', '--ip-range', '10.72.0.64/31'];
    await lab.json('h1', 'network', 'create', 'inner', ...subnet, '--internal', '--aux-address', 'printer=10.72.0.129');
    const given: Container[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) given.push(await attach(lab, 'inner', 'h1', `inner-${name}`));
    expect(given.flatMap(ips).sort()).toEqual(
      ['10.72.0.64', '10.72.0.65', '10.72.0.128', '10.72.0.130', '10.72.0.131'].sort(),
    );
    expect(await wiring(given[0] as Container)).toMatchObject({ routes: [] });
    await lab.run('h2', 'ip', 'netns', 'add', 'inner-f');
    const line = 'endpoint attach inner --name inner-f --netns /run/netns/inner-f';
    const full = await lab.try('h2', 'causeway', ...line.split(' '));
    expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining('5 of 5 in use') });
    const asked = await attachWith(lab, 'inner', 'h2', 'inner-g', ['--ip', '10.72.0.9']);
    await expectAllPing(lab, [asked, given[2] as Container]);
  });

  test('without subnets take them from the default pools, one prefix of each family', async () => {
    const made = await lab.json<NetworkJson>('h1', 'network', 'create', 'pooled');
    expect(made.subnets.map(({ prefix }) => prefix)).toEqual([
      expect.stringMatching(/^10\.\d+\.\d+\.0\/20$/),
      expect.stringMatching(/^fd[0-9a-f:]+\/64$/),
    ]);
  });

  test('change while they are in use, and no packet is lost', async () => {
    const network = await createNetwork(lab, 'live', '10.73.0.0/24', 'fd73::/64');
    const [a, b] = [await attach(lab, 'live', 'h1', 'live-a'), await attach(lab, 'live', 'h2', 'live-b')];
    const flow = await traffic(lab, a, b);
    const renamed = await update('live', '--rename', 'living', '--label', 'team=core', '--add-subnet', '10.74.0.0/24');
    expect(renamed).toMatchObject({ id: network.id, name: 'living', labels: { team: 'core' } });
    const added = await attachWith(lab, 'living', 'h2', 'live-c', ['--ip', '10.74.0.9', '--wait', 'applied']);
    await ping(lab, a, '10.74.0.9', 2);
    await ping(lab, added, ips(a)[0] ?? '', 2);
    await update('living', '--mtu', '1300');
    for (const each of [a, b, added]) await eventually(async () => expect((await wiring(each)).mtu).toBe(1300));
    await update('living', '--mtu', 'auto');
    for (const each of [a, b, added]) await eventually(async () => expect((await wiring(each)).mtu).toBe(1450));
    await flow.end();
    const inUse = await lab.try('h1', 'causeway', 'network', 'update', 'living', '--remove-subnet', '10.74.0.0/24');
    expect(inUse).toMatchObject({ code: 4, stderr: expect.stringContaining('live-c') });
    await lab.run('h2', 'causeway', 'endpoint', 'detach', 'live-c');
    await update('living', '--remove-subnet', '10.74.0.0/24');
    const stale = await lab.try('h1', 'causeway', 'network', 'update', 'living', '--mtu', '1400', '--if-revision', '1');
    expect(stale.code).toBe(4);
    expect((await lab.json<VerifyJson>('h1', 'verify')).drift).toEqual([]);
  });

  test('are not deleted while in use, unless forced: then what used them is detached', async () => {
    await createNetwork(lab, 'doomed', '10.75.0.0/24');
    const using = [await attach(lab, 'doomed', 'h1', 'doomed-a'), await attach(lab, 'doomed', 'h2', 'doomed-b')];
    const overlays = (await overlaysOn(lab, 'h1')).length;
    const refused = await lab.try('h1', 'causeway', 'network', 'delete', 'doomed');
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('doomed-a on h1; doomed-b on h2') });
    await lab.run('h1', 'causeway', 'network', 'delete', 'doomed', '--force');
    for (const { host, netns } of using)
      await eventually(async () => expect(await lab.run(host, 'ip', '-n', netns, '-br', 'link')).not.toContain('eth0'));
    await eventually(async () => expect((await overlaysOn(lab, 'h1')).length).toBe(overlays - 1));
    const left = await lab.json<readonly EndpointJson[]>('h1', 'endpoint', 'list');
    expect(left.filter(({ network }) => network === 'doomed')).toEqual([]);
    expect((await lab.json<VerifyJson>('h1', 'verify')).drift).toEqual([]);
  });

  test('that are encrypted are refused by hosts that cannot encrypt, and nothing is sent in the clear', async () => {
    const vault = await lab.json<NetworkJson>(
      'h1',
      'network',
      'create',
      'vault',
      '--encrypt',
      '--subnet',
      '10.76.0.0/24',
    );
    expect(vault).toMatchObject({ encrypted: true, mtu: 1416 });
    const seen = await createNetwork(lab, 'seen', '10.77.0.0/24');
    const [from, to] = [await attach(lab, 'seen', 'h1', 'seen-a'), await attach(lab, 'seen', 'h2', 'seen-b')];
    const overlays = await overlaysOn(lab, 'h1');
    const capture = await captureUnderlay(lab, async () => {
      for (const host of ['h1', 'h2']) {
        await lab.run(host, 'ip', 'netns', 'add', 'secret');
        const where = ['--name', `secret-${host}`, '--netns', '/run/netns/secret'];
        const refused = await lab.try(host, 'causeway', 'endpoint', 'attach', 'vault', ...where);
        expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('its kernel has no ESP') });
      }
      // What the capture must see, of each port.
      await ping(lab, from, ips(to)[0] ?? '', 1);
      await lab.run('h1', 'bash', '-c', `echo control > /dev/udp/${lab.underlay('h2')}/4793`);
    });
    const ofNetwork = ({ vni }: NetworkJson): string => `${filters.vxlan} and udp[12:4] = ${vni * 256}`;
    expect((await capture.packets(ofNetwork(seen))).length).toBeGreaterThanOrEqual(2);
    expect(await capture.packets(ofNetwork(vault))).toEqual([]);
    expect(await capture.packets(filters.encryptedVxlan)).toEqual([expect.stringMatching(/UDP, length 8$/)]);
    await capture.remove();
    await eventually(async () => expect(await overlaysOn(lab, 'h1')).toEqual(overlays));
    const left = await lab.json<readonly EndpointJson[]>('h1', 'endpoint', 'list');
    expect(left.filter(({ network }) => network === 'vault')).toEqual([]);
    expect((await lab.json<VerifyJson>('h1', 'verify')).drift).toEqual([]);
  });
});

interface LinkJson {
  readonly mtu: number;
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number; readonly scope: string }[];
}

interface RouteJson {
  readonly dst: string;
  readonly gateway?: string;
  readonly protocol: string;
}
