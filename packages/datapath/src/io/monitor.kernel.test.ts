import { closeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { Ip, Mac } from '@causeway/model';
import { KernelError, NETLINK_ROUTE } from '@causeway/netlink';
import { chunkSize, NetlinkSocket, openNetns, receive } from '@causeway/netlink/io';
import { describeOnKernel, execIn } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Changes } from '../changes.ts';
import type { NetnsPath } from '../state.ts';
import { container4, macs, must, overlay } from '../testing/contract/host.ts';
import type { ContractHost } from '../testing/contract.ts';
import { setFdb, setLink } from '../wire/index.ts';
import { Monitor } from './monitor.ts';
import { realHost } from './testing/real-host.ts';

describeOnKernel('a monitor', () => {
  let host: ContractHost;
  let netns: NetnsPath;
  let container: NetnsPath;
  let fd: number;
  let seen: string[];
  const monitors: Monitor[] = [];
  beforeEach(async () => {
    host = realHost();
    ({ netns, container } = await overlay(host));
    // Otherwise link-local addresses appear and change for seconds.
    await must(host, { op: 'sysctl.set', netns, key: 'net.ipv6.conf.all.disable_ipv6', value: '1' });
    // The kernel reports a carrier up to a second late (net/core/link_watch.c).
    for (const dev of ['br0', 'v1']) await host.until(() => stateOf(dev) === 'up');
    fd = openNetns(netns) ?? -1;
    seen = [];
  });
  afterEach(() => {
    for (const monitor of monitors.splice(0)) monitor.close();
    closeSync(fd);
    return host.dispose();
  });

  const stateOf = (dev: string): string => execIn(netns, 'cat', `/sys/class/net/${dev}/operstate`).trim();
  /** Waits until everything that is readable now has been read. */
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  };
  const start = (receiveBuffer?: number): void => {
    const settings = receiveBuffer === undefined ? {} : { receiveBuffer };
    monitors.push(new Monitor(fd, (event) => seen.push(event), settings));
  };
  const mac = (n: number) =>
    Mac(`02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`);
  const setEntry = (n: number) =>
    must(host, { op: 'fdb.set', netns, dev: 'vxlan0', mac: mac(n), target: Ip('192.0.2.2') });

  it('says so when events were lost, once, and hears what comes after', async () => {
    start(4096);
    const socket = new NetlinkSocket(NETLINK_ROUTE, fd);
    const index = Number(execIn(netns, 'cat', '/sys/class/net/vxlan0/ifindex'));
    const entries = [...Array(4 * chunkSize).keys()];
    for (let from = 0; from < entries.length; from += chunkSize) {
      const chunk = entries.slice(from, from + chunkSize);
      socket.batch(chunk, (to, n) => setFdb(to, index, mac(n), Ip('192.0.2.2')));
    }
    socket.close();
    await host.until(() => seen.includes('overrun'));
    expect(seen).toEqual(['overrun']);
    for (let n = 0; n < 3; n++) {
      seen.length = 0;
      await setEntry(1000 + n);
      await host.until(() => seen.includes('changed'));
    }
  });

  it('reads the links again after an overrun: a link that returns to its earlier state is reported', async () => {
    const links = new Set<string>();
    const onEvent = (event: string, changes: Changes): void => {
      seen.push(event);
      for (const link of changes.links) links.add(link);
    };
    monitors.push(new Monitor(fd, onEvent, { receiveBuffer: 64 << 10 }));
    await turns();
    const socket = new NetlinkSocket(NETLINK_ROUTE, fd);
    const index = Number(execIn(netns, 'cat', '/sys/class/net/vxlan0/ifindex'));
    // Without a turn of the event loop: nothing reads meanwhile, so the link's event is lost among those of the entries.
    for (let chunk = 0; chunk < 8; chunk++) {
      const entries = [...Array(chunkSize).keys()].map((n) => chunk * chunkSize + n);
      socket.batch(entries, (to, n) => setFdb(to, index, mac(n), Ip('192.0.2.2')));
    }
    socket.request(setLink(index, { mtu: 1400 }));
    socket.close();
    await host.until(() => seen.includes('overrun'));
    links.clear();
    await must(host, { op: 'link.set', netns, name: 'vxlan0', change: { mtu: 1450 } });
    await host.until(() => links.has('vxlan0'));
  });

  it.each(['EMSGSIZE', 'ENOMEM', 'EBADF'])('goes on after %s from recv, and tells it as an overrun', async (errno) => {
    let fail = false;
    const lost: string[] = [];
    const flaky = (from: number, into: Uint8Array): number => {
      if (!fail) return receive(from, into);
      fail = false;
      throw new KernelError(errno, 'recv');
    };
    const settings = { receive: flaky, onLost: (name: string) => lost.push(name) };
    monitors.push(new Monitor(fd, (event) => seen.push(event), settings));
    await turns();
    fail = true;
    await setEntry(1);
    await host.until(() => seen.includes('overrun'));
    expect(lost).toEqual([errno]);
    seen.length = 0;
    await setEntry(2);
    await host.until(() => seen.includes('changed'));
  });

  it('a listener may close the monitor that calls it', async () => {
    const monitor = new Monitor(fd, (event) => {
      seen.push(event);
      monitor.close();
    });
    await setEntry(1);
    await host.until(() => seen.length > 0);
    await setEntry(2);
    await turns();
    expect(seen).toEqual(['changed']);
  });

  it('reports changes of links, and not the links that exist already', async () => {
    start();
    await turns();
    expect(seen).toEqual([]);
    await setEntry(1);
    // The kernel may report changes of its own beside ours, such as an address that has become valid.
    await host.until(() => seen.length > 0);
    expect(seen).not.toContain('overrun');
  });

  it('reports permanent neighbours of a bridge, and not ARP between containers and the bridge', async () => {
    await must(
      host,
      { op: 'address.add', netns, dev: 'br0', address: '10.66.0.1/16' as typeof container4 },
      { op: 'address.add', netns: container, dev: 'eth0', address: container4 },
      { op: 'fdb.set', netns, dev: 'v1', mac: macs.container, target: 'port' },
    );
    start();
    await turns();
    execIn(container, 'ping', '-c', '1', '-W', '10', '10.66.0.1');
    execIn(netns, 'ip', 'neigh', 'replace', '10.66.0.50', 'lladdr', macs.container, 'dev', 'br0', 'nud', 'reachable');
    expect(execIn(netns, 'ip', 'neigh', 'show', 'dev', 'br0')).toContain('10.66.0.9 lladdr');
    await turns();
    expect(seen).toEqual([]);
    execIn(netns, 'ip', 'neigh', 'replace', '10.66.0.50', 'lladdr', macs.container, 'dev', 'br0', 'nud', 'permanent');
    await host.until(() => seen.includes('changed'));
  });

  it('a change by another process is reported', async () => {
    start();
    await setEntry(1);
    await host.until(() => seen.includes('changed'));
    seen.length = 0;
    execIn(netns, 'bridge', 'fdb', 'del', mac(1), 'dev', 'vxlan0', 'self');
    await host.until(() => seen.includes('changed'));
  });

  it('ends when another process unmounts the namespace, so that the namespace is destroyed', async () => {
    host.kernel.watch(netns, (event) => seen.push(event));
    closeSync(fd);
    execIn(netns, 'ip', 'netns', 'delete', netns.slice('/run/netns/'.length));
    await host.until(() => seen.includes('gone'));
    // The other end is removed as soon as nothing holds the namespace open.
    await host.until(async () => (await host.kernel.read(container, { sysctls: [] }))?.links.size === 0);
    fd = openNetns(container) ?? -1;
  });
});
