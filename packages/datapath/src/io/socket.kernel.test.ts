import { closeSync } from 'node:fs';
import { Ip, Mac } from '@causeway/model';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { overlay } from '../testing/contract/host.ts';
import type { ContractHost } from '../testing/contract.ts';
import { addBridge, dumpLinks, getLink, readLink, setFdb, setLink } from '../wire/index.ts';
import { openNetns } from './netns.ts';
import { chunkSize, NetlinkSocket } from './socket.ts';
import { describeOnKernel } from './testing/describe-on-kernel.ts';
import { execIn, realHost } from './testing/real-host.ts';

describeOnKernel('a netlink socket', () => {
  let host: ContractHost;
  let socket: NetlinkSocket;
  let namespace: number;
  let vxlan: number;
  let inside: (command: string, ...args: string[]) => string;
  beforeEach(async () => {
    host = realHost();
    const { netns } = await overlay(host);
    inside = (command, ...args) => execIn(netns, command, ...args);
    const fd = openNetns(netns);
    if (fd === undefined) throw new Error('no namespace');
    namespace = fd;
    socket = new NetlinkSocket(fd);
    vxlan = 0;
    socket.request(getLink('vxlan0'), (message) => {
      vxlan = readLink(message).index;
    });
  });
  afterEach(() => {
    socket.close();
    closeSync(namespace);
    return host.dispose();
  });

  const macs = Array.from({ length: chunkSize }, (_, n) => Mac(`02:00:00:00:${hex(n >> 8)}:${hex(n & 255)}`));

  it('tells which messages of a batch failed, and why', () => {
    const bad = new Map([
      [0, -1],
      [100, 9999],
      [chunkSize - 1, 9999],
    ]);
    const failures = socket.batch([...macs.entries()], (to, [place, mac]) =>
      setFdb(to, bad.get(place) ?? vxlan, mac, Ip('192.0.2.2')),
    );
    expect([...failures.keys()]).toEqual([0, 100, chunkSize - 1]);
    expect(failures.get(100)).toEqual({ errno: 'ENODEV', message: 'unknown ifindex' });
    const lines = inside('bridge', 'fdb', 'show', 'dev', 'vxlan0').split('\n');
    expect(lines.filter((line) => line.includes('dst 192.0.2.2'))).toHaveLength(chunkSize - bad.size);
  });

  it('takes a batch in which every message fails', () => {
    const failures = socket.batch(macs, (to, mac) => setFdb(to, 9999, mac, Ip('192.0.2.2')));
    expect(failures.size).toBe(chunkSize);
    expect(new Set([...failures.values()].map(({ errno }) => errno))).toEqual(new Set(['ENODEV']));
  });

  it('refuses a batch that is too long', () => {
    expect(() => socket.batch([...macs, ...macs], (to, mac) => setFdb(to, vxlan, mac, 'port'))).toThrow(RangeError);
  });

  it('throws what the kernel says of a request', () => {
    expect(() => socket.request(setLink(vxlan, { mtu: 1_000_000 }))).toThrow('EINVAL: mtu greater than device maximum');
    expect(() => socket.request(setLink(9999, { mtu: 1400 }))).toThrow('ENODEV');
  });

  it('leaves no answer of a failed request for the next one', () => {
    expect(() => socket.request(setLink(9999, { up: true }))).toThrow('ENODEV');
    let name = '';
    socket.request(getLink('br0'), (message) => {
      name = readLink(message).name;
    });
    expect(name).toBe('br0');
  });

  /** Dumps the links while others make new ones: in each of the first `torn` readings, one. Resolves to how many came. */
  async function dumpWhileChanging(torn: number): Promise<{ tries: number; found: number }> {
    const bridge = (name: string) => addBridge({ name, mac: Mac('02:45:00:00:00:02'), mtu: 1500, up: false });
    // More than fit one datagram: a change before the second is what tears a dump.
    for (let n = 0; n < 40; n++) socket.request(bridge(`many${n}`));
    const other = new NetlinkSocket(namespace);
    let tries = 0;
    try {
      const found = await socket.dump(
        dumpLinks,
        () => {
          tries++;
          return [] as string[];
        },
        (links, message) => {
          if (links.length === 0 && tries <= torn) other.request(bridge(`new${tries}`));
          links.push(readLink(message).name);
        },
      );
      return { tries, found: new Set(found).size };
    } finally {
      other.close();
    }
  }

  it('dumps again, from empty, when a change tore the dump', async () => {
    expect(await dumpWhileChanging(2)).toEqual({ tries: 3, found: 46 });
  });

  it('gives up a dump that is torn each time', async () => {
    await expect(dumpWhileChanging(1000)).rejects.toThrow('EINTR');
  });
});

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
