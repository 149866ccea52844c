import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NetworkJson, StatusJson, VerifyJson } from './answers.ts';
import { captureUnderlay, filters, overhear } from './capture.ts';
import { attach, type Container, createNetwork, events, expectAllPing, inContainer, ips } from './cluster.ts';
import { eventually } from './eventually.ts';
import { expectedPeers, hostEndOf, overlayOf, overlaysOn, peersOn } from './overlay.ts';
import { describeLab } from './requirements.ts';

describeLab('the kernel is exact', () => {
  let lab: Lab;
  let blue: NetworkJson;
  const containers: Container[] = [];

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'kernel', hosts: 4, managers: 1, subnet: '10.92.0.0/24' });
    blue = await createNetwork(lab, 'blue', '10.66.0.0/16', 'fd66::/64');
    for (const [host, name] of [
      ['h1', 'a'],
      ['h1', 'b'],
      ['h2', 'c'],
      ['h3', 'd'],
    ] as const) {
      containers.push(await attach(lab, 'blue', host, name));
    }
  });
  afterAll(() => lab?.down());

  const expectExact = async (): Promise<void> => {
    for (const host of ['h1', 'h2', 'h3']) {
      const expected = expectedPeers(lab, containers, host);
      await eventually(async () => expect(await peersOn(lab, blue, host)).toEqual(expected));
    }
  };
  const container = (name: string): Container => {
    const found = containers.find((candidate) => candidate.netns === name);
    if (found === undefined) throw new Error(`no container ${name}`);
    return found;
  };

  test('a host has precisely the endpoints of the others', () => expectExact());

  test('a host without an endpoint of the network has nothing of it', async () => {
    expect(await overlaysOn(lab, 'h4')).toEqual([]);
    expect(await lab.sh('h4', 'ip -br link')).not.toMatch(/vxlan|br0/);
  });

  test('with the last endpoint of a host all of the network leaves it, and all of it leaves the others', async () => {
    const extra = await attach(lab, 'blue', 'h4', 'extra');
    expect(await peersOn(lab, blue, 'h1')).toEqual(expectedPeers(lab, [...containers, extra], 'h1'));
    await lab.run('h4', 'causeway', 'endpoint', 'detach', 'extra');
    await expectExact();
    await eventually(async () => expect(await overlaysOn(lab, 'h4')).toEqual([]));
  });

  test('no ARP, ND or other broadcast of the overlay crosses the underlay', async () => {
    const capture = await captureUnderlay(lab, async () => {
      for (const each of containers) await inContainer(lab, each, 'ip', 'neigh', 'flush', 'dev', 'eth0');
      await expectAllPing(lab, containers, 1);
    });
    expect(await capture.packets(filters.innerArp)).toEqual([]);
    expect(await capture.packets(filters.innerNd)).toEqual([]);
    expect(await capture.packets(filters.innerGroup)).toEqual([]);
    // The capture must see the overlay at all: a request and a reply for each ping between hosts.
    expect((await capture.packets(filters.vxlan)).length).toBeGreaterThanOrEqual(2 * 2 * 10);
    await capture.remove();
  });

  test('unknown unicast is flooded neither to other hosts nor to other containers', async () => {
    const stranger = '02:aa:bb:cc:dd:ee';
    const [a, b] = [container('a'), container('b')];
    const received = await overhear(lab, b, `ether dst ${stranger} or ether dst ${b.endpoint.mac}`);
    const capture = await captureUnderlay(lab, async () => {
      await inContainer(lab, a, 'ip', 'neigh', 'replace', '10.66.9.9', 'lladdr', stranger, 'dev', 'eth0');
      await lab.try('h1', 'ip', 'netns', 'exec', a.netns, 'ping', '-c', '3', '-i', '0.1', '-W', '1', '10.66.9.9');
      // Then pings to known containers, on the same paths and with a size of their own: they mark the end.
      for (const known of [container('c'), b])
        await inContainer(lab, a, 'ping', '-c', '1', '-W', '10', '-s', '999', ips(known)[0] ?? '');
    });
    expect(await capture.packets(filters.innerTo(stranger))).toEqual([]);
    expect(await capture.packets(filters.innerTo(container('c').endpoint.mac))).not.toEqual([]);
    expect((await received.before('length 1007')).filter((frame) => frame.includes(stranger))).toEqual([]);
    await capture.remove();
  });

  const repairs = async (): Promise<number> => (await lab.json<StatusJson>('h1', 'status')).repairs ?? 0;
  const overlay = (command: string) => () => lab.sh('h1', `ip netns exec ${overlayOf(blue)} ${command}`);
  const breakages: readonly (readonly [string, () => Promise<string>])[] = [
    ['bridge fdb del', () => overlay(`bridge fdb del ${container('c').endpoint.mac} dev vxlan0 dst 10.92.0.2`)()],
    ['ip neigh flush', () => overlay('ip neigh flush dev vxlan0 nud all')()],
    ['ip link set vxlan0 down', () => overlay('ip link set vxlan0 down')()],
    ['ip link del of the host end of a veth', () => overlay(`ip link del ${hostEndOf(container('a'))}`)()],
    ['a foreign FDB entry', () => overlay('bridge fdb add 02:de:ad:be:ef:01 dev vxlan0 dst 10.92.0.99')()],
  ];
  test.each(breakages)('%s is repaired soon, counted, and recorded as an event', async (_, damage) => {
    const before = await repairs();
    const seen = (await events(lab)).length;
    await damage();
    await expectExact();
    const a = container('a');
    await eventually(() => inContainer(lab, a, 'ping', '-n', '-c', '1', '-W', '1', ips(container('d'))[0] ?? ''));
    await eventually(async () => expect(await repairs()).toBeGreaterThan(before));
    await eventually(async () => {
      const recorded = (await events(lab)).slice(seen);
      expect(recorded).toContainEqual(expect.objectContaining({ kind: 'drift.repaired', host: 'h1', network: 'blue' }));
    });
    await expectAllPing(lab, containers, 1);
    await eventually(async () => expect((await lab.json<VerifyJson>('h4', 'verify')).drift).toEqual([]));
  });

  test('verify names what stands and exits 6, and repairs on demand', async () => {
    // The kernel does not report changes of sysctls. If the agent has repaired this one by chance, it is changed again.
    const found = await eventually(async () => {
      await overlay('sysctl -qw net.ipv4.ip_forward=0')();
      const outcome = await lab.try('h3', 'causeway', 'verify', '-o', 'json');
      expect(outcome.code).toBe(6);
      return outcome;
    });
    expect((JSON.parse(found.stdout) as VerifyJson).drift).toEqual([
      expect.objectContaining({ host: 'h1', network: 'blue', kind: 'sysctl', actual: '0', desired: '1' }),
    ]);
    expect((await lab.try('h3', 'causeway', 'verify', '--repair', '-o', 'json')).code).toBe(0);
    expect((await lab.try('h3', 'causeway', 'verify', '-o', 'json')).code).toBe(0);
    expect((await overlay('sysctl -n net.ipv4.ip_forward')()).trim()).toBe('1');
  });
});
