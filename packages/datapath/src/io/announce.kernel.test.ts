import { Ip, type Mac, type NetworkId } from '@causeway/model';
import { describeOnKernel, execIn, ip } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Announcement } from '../announce/announcement.ts';
import { applyPlan, readState, teardown } from '../apply.ts';
import { buildNetwork } from '../drivers/build.ts';
import { hostEnd, overlayNetns } from '../drivers/overlay-names.ts';
import { plan } from '../plan.ts';
import type { NetnsPath } from '../state.ts';
import { contractPort } from '../testing/contract/host.ts';
import type { ContractHost } from '../testing/contract.ts';
import { blue, endpointId, onHost, row, sandbox } from '../testing/fixtures.ts';
import { realHost } from './testing/real-host.ts';

/** Announcements in an overlay as the driver builds it, with the underlay's counters as witness. */
describeOnKernel('announcements', () => {
  const peer = row(4, 2);
  const absent = [Ip('10.66.0.77'), Ip('fd66::77')] as const;
  const mac = '02:42:0a:42:00:4d' as Mac;
  let host: ContractHost;
  let netns: NetnsPath;
  let first: NetnsPath;
  let second: NetnsPath;
  beforeEach(async () => {
    host = realHost();
    [first, second] = [await host.containerNetns(), await host.containerNetns()];
    // All namespaces of the machine share one directory: another run of this test must use another name.
    const id = `a${process.pid.toString(16).padStart(9, '0')}`.padEnd(16, '0') as NetworkId;
    const network = { ...blue, vni: host.freshVni(), id };
    netns = overlayNetns(id);
    const sandboxes = [
      { ...sandbox(2), netns: first },
      { ...sandbox(3), netns: second },
    ];
    const rows = [row(2, 1), row(3, 1), peer];
    const desired = buildNetwork({
      ...onHost(rows, { network, vxlanPort: contractPort }),
      vtep: host.underlay,
      sandboxes,
    });
    expect(await applyPlan(host.kernel, plan(await readState(host.kernel, desired), desired))).toEqual([]);
    ip('neigh', 'replace', '192.0.2.2', 'lladdr', '02:00:00:00:00:02', 'dev', 'under0', 'nud', 'permanent');
  });
  afterEach(async () => {
    await teardown(host.kernel, netns);
    await host.dispose();
  });

  const to = (whom: Announcement['to']): Announcement[] => absent.map((each) => ({ ip: each, mac, to: whom }));
  const sent = (shown: string): number => JSON.parse(shown)[0].stats64.tx.packets;
  /** Packets that leave the host while `work` runs. */
  async function crossed(work: () => unknown): Promise<number> {
    const before = sent(ip('-s', '-j', 'link', 'show', 'under0'));
    await work();
    return sent(ip('-s', '-j', 'link', 'show', 'under0')) - before;
  }
  const portOf = (n: number): number => sent(execIn(netns, 'ip', '-s', '-j', 'link', 'show', hostEnd(endpointId(n))));

  it('stay on the host, with one container or all as receivers', async () => {
    const macs = [row(2, 1).mac, row(3, 1).mac];
    const before = [portOf(2), portOf(3)];
    for (const whom of ['all', macs] as const) {
      expect(await crossed(() => host.kernel.announce(netns, 'br0', to(whom)))).toBe(0);
    }
    // The frames did go somewhere: two to each container, twice. IPv6 may send more by itself.
    for (const [i, n] of [2, 3].entries()) expect(portOf(n) - (before[i] ?? 0)).toBeGreaterThanOrEqual(4);
    // The witness counts what does leave the host.
    const ping = (): unknown => execIn(first, 'sh', '-c', 'ping -q -c 3 -i 0.01 -W 0.1 10.66.0.4 || true');
    expect(await crossed(ping)).toBe(3);
  });

  it('stay on the host even while the FDB entry of a container is missing', async () => {
    const gone = row(2, 1).mac;
    await host.foreign({ op: 'fdb.delete', netns, dev: hostEnd(endpointId(2)), mac: gone, target: 'port' });
    expect(await crossed(() => host.kernel.announce(netns, 'br0', to([gone])))).toBe(0);
  });

  it('a packet that waited for the address is sent as soon as the address is announced', async () => {
    for (const each of absent) await host.ask(first, 'eth0', each);
    const fdb = { op: 'fdb.set', netns, dev: 'vxlan0', mac, target: Ip('192.0.2.2') } as const;
    await host.foreign(fdb);
    const before = sent(ip('-s', '-j', 'link', 'show', 'under0'));
    await host.kernel.announce(netns, 'br0', to('all'));
    await host.until(() => sent(ip('-s', '-j', 'link', 'show', 'under0')) - before >= 2);
    for (const each of absent) expect(await host.resolved(first, 'eth0', each)).toBe(mac);
  });

  it('a socket that a watch holds open is used again, and is closed with the watch', async () => {
    const watch = host.kernel.watch(netns, () => {});
    for (let n = 0; n < 3; n++) await host.kernel.announce(netns, 'br0', to('all'));
    watch?.close();
    await host.kernel.announce(netns, 'br0', to('all'));
    expect(portOf(2)).toBeGreaterThanOrEqual(8);
  });
});
