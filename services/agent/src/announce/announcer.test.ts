import type { NetnsPath } from '@causeway/datapath';
import { Ip, type Mac } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { Host } from '../testing/host.ts';

const web = '/run/netns/web' as NetnsPath;

describe('a host announces new addresses to its containers', () => {
  let h: Host;
  beforeEach(async () => {
    h = new Host();
    h.manager.network('blue');
    h.manager.peer('blue', 200);
    await h.start();
    await h.attach('blue', 'web');
    await h.settle(seconds(1));
  });

  const announced = (): string[] => h.kernel.announced.map(({ ip, to }) => `${ip} to ${to === 'all' ? to : to.join()}`);
  const ask = (netns: NetnsPath, ip: string): void => h.kernel.foreignAsk(netns, 'eth0', Ip(ip));
  const learned = (netns: NetnsPath, ip: string): Mac | undefined => h.kernel.resolved(netns, 'eth0', Ip(ip));

  it('nothing: peers that were there before the containers', () => {
    expect(announced()).toEqual([]);
  });

  it('a new peer, when its own host has had time to program it', async () => {
    ask(web, '10.66.0.201');
    const { mac } = h.manager.peer('blue', 201);
    await h.settle(milliseconds(20));
    expect(learned(web, '10.66.0.201')).toBeUndefined();
    await h.settle(milliseconds(40));
    expect(learned(web, '10.66.0.201')).toBe(mac);
    expect(announced()).toEqual(['10.66.0.201 to all']);
  });

  it('a new container to the other containers, before the attach is a millisecond old', async () => {
    const { addresses, mac } = await h.attach('blue', 'db');
    const [address = ''] = addresses.map((each) => each.split('/')[0]);
    ask(web, address);
    await h.attach('blue', 'cache');
    await h.settle(milliseconds(1));
    expect(h.kernel.announced[0]).toMatchObject({ ip: address, mac, to: 'all' });
    expect(h.kernel.announced).toHaveLength(2);
    expect(learned(web, address)).toBeUndefined();
  });

  it('the same container asks for an address that a container of this host gets', async () => {
    ask(web, '10.66.0.77');
    const { mac } = await h.attach('blue', 'db', { addresses: ['10.66.0.77'] });
    await h.settle(milliseconds(1));
    expect(learned(web, '10.66.0.77')).toBe(mac);
  });

  it('nothing: a peer whose host has moved, a drift that is repaired, a restart of the agent', async () => {
    const row = h.manager.peer('blue', 202);
    await h.settle(seconds(1));
    h.kernel.announced.length = 0;
    h.manager.moved('blue', row, '192.0.2.9');
    await h.settle(seconds(1));
    h.kernel.foreignNeighbourFlush(h.overlay('blue'), 'vxlan0');
    await h.settle(seconds(3));
    expect(await h.wrong('blue')).toEqual([]);
    await h.restart();
    await h.settle(seconds(3));
    expect(announced()).toEqual([]);
  });

  it('what came while there was no session, and nothing that was known before', async () => {
    h.manager.down = true;
    h.manager.peer('blue', 203);
    h.manager.down = false;
    await h.settle(seconds(3));
    expect(announced()).toEqual(['10.66.0.203 to all']);
  });

  it('nothing of a peer whose entry the kernel refuses, until the kernel takes the entry', async () => {
    h.kernel.failNext('neighbour.set', 'ENOBUFS', 2);
    h.manager.peer('blue', 204);
    await h.settle(milliseconds(50));
    expect(announced()).toEqual([]);
    await h.settle(seconds(60));
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('a burst only in part: the rest is counted, and the containers ask again by themselves', async () => {
    for (let n = 0; n < 3_000; n++) h.manager.peer('blue', 300 + n);
    await h.settle(seconds(5));
    expect(await h.wrong('blue')).toEqual([]);
    const { health } = (await h.status()).node ?? {};
    expect(h.kernel.announced.length).toBe(Number(health?.announcementsSent));
    expect(Number(health?.announcementsSent) + Number(health?.announcementsDropped)).toBe(3_000);
    expect(Number(health?.announcementsDropped)).toBeGreaterThan(0);
  });

  it('nothing more once the network is gone from this host', async () => {
    h.manager.peer('blue', 205);
    await h.detach('web');
    await h.settle(seconds(3));
    expect(announced()).toEqual([]);
  });
});
