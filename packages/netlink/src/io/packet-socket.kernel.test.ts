import { closeSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NETLINK_ROUTE } from '../constants.ts';
import { KernelError } from '../kernel-error.ts';
import { createNetns, deleteNetns, openNetns } from './netns.ts';
import { PacketSocket } from './packet-socket.ts';
import { NetlinkSocket } from './socket.ts';
import { describeOnKernel } from './testing/describe-on-kernel.ts';
import { execIn, ip } from './testing/throwaway-netns.ts';

describeOnKernel('a packet socket', () => {
  const path = `/run/netns/cw-test-${process.pid}-packet`;
  const name = path.slice('/run/netns/'.length);
  let namespace: number;
  let links: NetlinkSocket;
  let socket: PacketSocket;
  beforeEach(() => {
    createNetns(path);
    const fd = openNetns(path);
    if (fd === undefined) throw new Error('no namespace');
    namespace = fd;
    ip('-n', name, 'link', 'add', 'left', 'type', 'veth', 'peer', 'name', 'right');
    for (const link of ['left', 'right']) ip('-n', name, 'link', 'set', link, 'up', 'addrgenmode', 'none');
    links = new NetlinkSocket(NETLINK_ROUTE, fd);
    socket = new PacketSocket(fd);
  });
  afterEach(() => {
    socket.close();
    links.close();
    closeSync(namespace);
    deleteNetns(path);
  });

  const index = (link: string): number => links.linkIndex(link) ?? -1;
  /** To all stations, of the protocol number for local experiments (IEEE 802). */
  const frame = (length = 60): Uint8Array => {
    const bytes = new Uint8Array(length);
    bytes.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0xb5]);
    return bytes;
  };
  const received = (link: string): { packets: number; bytes: number } =>
    JSON.parse(execIn(path, 'ip', '-s', '-j', 'link', 'show', link))[0].stats64.rx;

  it('sends whole frames out of the link that is named', () => {
    const before = received('right');
    for (let n = 0; n < 3; n++) socket.send(index('left'), frame());
    const after = received('right');
    expect({ packets: after.packets - before.packets, bytes: after.bytes - before.bytes }).toEqual({
      packets: 3,
      bytes: 180,
    });
    expect(received('left').packets).toBe(0);
  });

  it('names the error: no such link, a link that is down, a frame that is too long', () => {
    expect(() => socket.send(9999, frame())).toThrow('ENXIO: sendto');
    expect(() => socket.send(index('left'), frame(2000))).toThrow('EMSGSIZE: sendto');
    ip('-n', name, 'link', 'set', 'left', 'down');
    expect(() => socket.send(index('left'), frame())).toThrow('ENETDOWN: sendto');
  });

  it('sends in the namespace in which it was made', () => {
    const elsewhere = new PacketSocket();
    try {
      elsewhere.send(index('left'), frame());
    } catch (error) {
      // The index may mean a link there that cannot send, or no link.
      expect(error).toBeInstanceOf(KernelError);
    }
    elsewhere.close();
    expect(received('right').packets).toBe(0);
  });

  it('is closed once, and then sends nothing', () => {
    socket.close();
    socket.close();
    expect(() => socket.send(index('left'), frame())).toThrow('EBADF');
  });
});
