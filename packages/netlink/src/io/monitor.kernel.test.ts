import { closeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NETLINK_ROUTE } from '../constants.ts';
import { KernelError } from '../kernel-error.ts';
import { receive } from './libc.ts';
import { Monitor, type MonitorListener, type MonitorSettings } from './monitor.ts';
import { createNetns, deleteNetns, openNetns } from './netns.ts';
import { chunkSize, NetlinkSocket } from './socket.ts';
import { describeOnKernel } from './testing/describe-on-kernel.ts';
import { addBridge, dumpLinks, linkName, RTNLGRP_LINK, setMtu } from './testing/route-messages.ts';

describeOnKernel('a monitor', () => {
  const path = `/run/netns/cw-test-${process.pid}-monitor`;
  let fd: number;
  let socket: NetlinkSocket;
  let seen: string[];
  const monitors: Monitor[] = [];
  beforeEach(() => {
    createNetns(path);
    fd = openNetns(path) ?? -1;
    socket = new NetlinkSocket(NETLINK_ROUTE, fd);
    socket.request(addBridge('br0'));
    seen = [];
  });
  afterEach(() => {
    for (const monitor of monitors.splice(0)) monitor.close();
    socket.close();
    closeSync(fd);
    deleteNetns(path);
  });

  const start = (settings: Partial<MonitorSettings> = {}, over: Partial<MonitorListener> = {}): Monitor => {
    const listener: MonitorListener = {
      onListen: () => {
        seen.push('listens');
        return [dumpLinks];
      },
      onAnswer: (message) => seen.push(`has ${linkName(message)}`),
      onEvent: (message) => seen.push(`event ${linkName(message)}`),
      onUnreadable: () => seen.push('unreadable'),
      onBatchEnd: (isDrained) => seen.push(isDrained ? 'drained' : 'more'),
      onOverrun: () => seen.push('overrun'),
      ...over,
    };
    const monitor = new Monitor(listener, { protocol: NETLINK_ROUTE, groups: [RTNLGRP_LINK], netns: fd, ...settings });
    monitors.push(monitor);
    return monitor;
  };
  /** Waits until everything that is readable now has been read. */
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  };
  const index = (): number => socket.linkIndex('br0') ?? 0;

  it('begins with the answers to what its listener asks, then shows events', async () => {
    start();
    expect(seen).toEqual(['listens', 'has lo', 'has br0']);
    seen.length = 0;
    socket.request(addBridge('br1'));
    await turns();
    expect(seen).toEqual(['event br1', 'drained']);
  });

  it('says so when events were lost, once, asks anew, and hears what comes after', async () => {
    start({ receiveBuffer: 4096 });
    seen.length = 0;
    for (let n = 0; n < chunkSize; n++) socket.request(setMtu(index(), 1400 + n));
    await turns();
    expect(seen.filter((each) => !each.startsWith('event'))).toEqual(['listens', 'has lo', 'has br0', 'overrun']);
    seen.length = 0;
    socket.request(setMtu(index(), 1399));
    await turns();
    expect(seen).toEqual(['event br0', 'drained']);
  });

  it.each(['EMSGSIZE', 'ENOMEM', 'EBADF'])('goes on after %s from recv, and tells it as an overrun', async (errno) => {
    let fail = false;
    const lost: string[] = [];
    const flaky = (from: number, into: Uint8Array): number => {
      if (!fail) return receive(from, into);
      fail = false;
      throw new KernelError(errno, 'recv');
    };
    start({ receive: flaky, onLost: (name) => lost.push(name) });
    fail = true;
    socket.request(setMtu(index(), 1400));
    await turns();
    expect(lost).toEqual([errno]);
    expect(seen).toContain('overrun');
    seen.length = 0;
    socket.request(setMtu(index(), 1401));
    await turns();
    expect(seen).toEqual(['event br0', 'drained']);
  });

  it('shows what is not a message as unreadable', async () => {
    let garble = false;
    start({
      receive: (from, into) => {
        const length = receive(from, into);
        if (garble && length > 0) into.fill(1, 0, 4);
        return length;
      },
    });
    seen.length = 0;
    garble = true;
    socket.request(setMtu(index(), 1400));
    await turns();
    expect(seen).toEqual(['unreadable', 'drained']);
  });

  it('may be closed by its listener', async () => {
    const monitor = start({}, { onBatchEnd: () => monitor.close() });
    socket.request(setMtu(index(), 1400));
    await turns();
    seen.length = 0;
    socket.request(setMtu(index(), 1401));
    await turns();
    expect(seen).toEqual([]);
  });

  it('calls its listener when poked, though there is nothing to hear', async () => {
    const monitor = start();
    await turns();
    seen.length = 0;
    monitor.poke();
    monitor.poke();
    await turns();
    expect(seen).toEqual(['drained']);
  });
});
