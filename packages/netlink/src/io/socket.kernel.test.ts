import { closeSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NETLINK_ROUTE, NETLINK_XFRM, NLM_F_DUMP } from '../constants.ts';
import { createNetns, deleteNetns, openNetns } from './netns.ts';
import { chunkSize, NetlinkSocket } from './socket.ts';
import { describeOnKernel } from './testing/describe-on-kernel.ts';
import { addBridge, dumpLinks, getLink, linkName, setFdb, setMtu } from './testing/route-messages.ts';
import { execIn, ip } from './testing/throwaway-netns.ts';

describeOnKernel('a netlink socket', () => {
  let socket: NetlinkSocket;
  let namespace: number;
  let vxlan: number;
  let inside: (command: string, ...args: string[]) => string;
  const path = `/run/netns/cw-test-${process.pid}-socket`;
  beforeEach(() => {
    createNetns(path);
    inside = (command, ...args) => execIn(path, command, ...args);
    const fd = openNetns(path);
    if (fd === undefined) throw new Error('no namespace');
    namespace = fd;
    ip('-n', path.slice('/run/netns/'.length), 'link', 'add', 'br0', 'type', 'bridge');
    const vxlanOptions = ['type', 'vxlan', 'id', '77', 'dstport', '14789', 'local', '192.0.2.1', 'nolearning'];
    ip('-n', path.slice('/run/netns/'.length), 'link', 'add', 'vxlan0', ...vxlanOptions);
    socket = new NetlinkSocket(NETLINK_ROUTE, fd);
    vxlan = socket.linkIndex('vxlan0') ?? 0;
  });
  afterEach(() => {
    socket.close();
    closeSync(namespace);
    deleteNetns(path);
  });

  const macs = Array.from({ length: chunkSize }, (_, n) => [2, 0, 0, 0, n >> 8, n & 255]);

  it('reports which messages of a batch failed, and why', () => {
    const bad = new Map([
      [0, -1],
      [100, 9999],
      [chunkSize - 1, 9999],
    ]);
    const failures = socket.batch([...macs.entries()], (to, [place, mac]) => setFdb(to, bad.get(place) ?? vxlan, mac));
    expect([...failures.keys()]).toEqual([0, 100, chunkSize - 1]);
    expect(failures.get(100)).toEqual({ errno: 'ENODEV', message: 'unknown ifindex' });
    const lines = inside('bridge', 'fdb', 'show', 'dev', 'vxlan0').split('\n');
    expect(lines.filter((line) => line.includes('dst 192.0.2.2'))).toHaveLength(chunkSize - bad.size);
  });

  it('takes a batch in which every message fails', () => {
    const failures = socket.batch(macs, (to, mac) => setFdb(to, 9999, mac));
    expect(failures.size).toBe(chunkSize);
    expect(new Set([...failures.values()].map(({ errno }) => errno))).toEqual(new Set(['ENODEV']));
  });

  it('refuses a batch that is too long', () => {
    expect(() => socket.batch([...macs, ...macs], (to, mac) => setFdb(to, vxlan, mac))).toThrow(RangeError);
  });

  it('throws what the kernel says of a request', () => {
    expect(() => socket.request(setMtu(vxlan, 1_000_000))).toThrow('EINVAL: mtu greater than device maximum');
    expect(() => socket.request(setMtu(9999, 1400))).toThrow('ENODEV');
  });

  it('leaves no answer of a failed request for the next one', () => {
    expect(() => socket.request(setMtu(9999, 1500))).toThrow('ENODEV');
    let name = '';
    socket.request(getLink('br0'), (message) => {
      name = linkName(message);
    });
    expect(name).toBe('br0');
  });

  /** Dumps the links. During each of the first `torn` dumps another socket makes a new link. Resolves to the numbers. */
  async function dumpWhileChanging(torn: number): Promise<{ tries: number; found: number }> {
    // More than fit into one datagram: a change before the second datagram interrupts the dump.
    for (let n = 0; n < 40; n++) socket.request(addBridge(`many${n}`));
    const other = new NetlinkSocket(NETLINK_ROUTE, namespace);
    let tries = 0;
    try {
      const found = await socket.dump(
        dumpLinks,
        () => {
          tries++;
          return [] as string[];
        },
        (links, message) => {
          if (links.length === 0 && tries <= torn) other.request(addBridge(`new${tries}`));
          links.push(linkName(message));
        },
      );
      return { tries, found: new Set(found).size };
    } finally {
      other.close();
    }
  }

  it('dumps again, from empty, when a change tore the dump', async () => {
    expect(await dumpWhileChanging(2)).toEqual({ tries: 3, found: 45 });
  });

  it('speaks the protocol that was asked for: in a new namespace there is no XFRM policy', async () => {
    const xfrm = new NetlinkSocket(NETLINK_XFRM, namespace);
    const XFRM_MSG_GETPOLICY = 21; // linux/xfrm.h
    const dump = xfrm.dump(
      (to) => {
        to.begin(XFRM_MSG_GETPOLICY, NLM_F_DUMP);
        to.end();
      },
      () => ({ policies: 0 }),
      (found) => found.policies++,
    );
    expect(await dump).toEqual({ policies: 0 });
    xfrm.close();
  });

  it('gives up a dump that is torn each time', async () => {
    await expect(dumpWhileChanging(1000)).rejects.toThrow('EINTR');
  });
});
