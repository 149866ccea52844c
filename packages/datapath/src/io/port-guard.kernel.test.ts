import { spawnSync } from 'node:child_process';
import { describeOnKernel, execIn } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, expect, it as test } from 'vitest';
import { portGuard } from '../kinds/port-guard.ts';
import { hostNetns, type NetnsPath } from '../state.ts';
import { must, read } from '../testing/contract/host.ts';
import { namespace } from '../testing/contract/xfrm-policy.ts';
import type { ContractHost } from '../testing/contract.ts';
import { encryptedPort, ends } from '../testing/xfrm-fixtures.ts';
import { realHost } from './testing/real-host.ts';

const { here, there } = ends[4];
const port = encryptedPort;
const it = test.skipIf(spawnSync('nft', ['--version']).status !== 0);

describeOnKernel('a guard on the real kernel', () => {
  let host: ContractHost;
  let netns: NetnsPath;
  let peer: NetnsPath;
  beforeEach(async () => {
    host = realHost();
    netns = await namespace(host);
    peer = await namespace(host);
    const ends = ['type', 'veth', 'peer', 'name', 'e0', 'netns', peer.slice(peer.lastIndexOf('/') + 1)];
    execIn(netns, 'ip', 'link', 'add', 'e0', 'up', ...ends);
    execIn(netns, 'ip', 'address', 'add', `${here}/24`, 'dev', 'e0');
    execIn(peer, 'ip', 'address', 'add', `${there}/24`, 'dev', 'e0');
    execIn(peer, 'ip', 'link', 'set', 'e0', 'up');
  });
  afterEach(() => host.dispose());

  const send = (to: number) => () => execIn(netns, 'bash', '-c', `echo > /dev/udp/${there}/${to}`);
  const inNft = (of: NetnsPath, command: string): string => execIn(of, 'nft', command);

  it('is what nft shows, and what the printed command makes', async () => {
    await must(host, { op: 'portGuard.set', netns, port });
    const shown = inNft(netns, 'list ruleset');
    await expect(shown).toMatchFileSnapshot('./golden/port-guard.txt');
    const [, commands = ''] = /'(.*)'/.exec(portGuard.print({ op: 'portGuard.set', netns: hostNetns, port })) ?? [];
    inNft(peer, commands);
    expect(inNft(peer, 'list ruleset')).toBe(shown);
    expect((await read(host, peer)).portGuards).toEqual(new Map([[port, 'whole']]));
  });

  it('lets no datagram leave to its port that IPsec does not protect, and every other port is free', async () => {
    expect(send(port)).not.toThrow();
    await must(host, { op: 'portGuard.set', netns, port });
    expect(send(port)).toThrow('Operation not permitted');
    expect(send(port + 1)).not.toThrow();
    await must(host, { op: 'portGuard.delete', netns, port });
    expect(send(port)).not.toThrow();
  });

  it('lets no datagram reach its port over loopback, where policies of IPsec do not count', async () => {
    execIn(netns, 'ip', 'link', 'set', 'lo', 'up');
    const toItself = (address: string) => () => execIn(netns, 'bash', '-c', `echo > /dev/udp/${address}/${port}`);
    for (const address of [here, '127.0.0.1']) expect(toItself(address)).not.toThrow();
    await must(host, { op: 'portGuard.set', netns, port });
    for (const address of [here, '127.0.0.1', '::1']) expect(toItself(address)).toThrow('Operation not permitted');
  });

  it('lets no datagram in to its port that IPsec does not protect', async () => {
    const withoutSocket = (): number => {
      const [, values = ''] = /^Udp: \d.*$/m.exec(execIn(peer, 'cat', '/proc/net/snmp'))?.[0].split(/Udp: /) ?? [];
      return Number(values.split(' ')[1]);
    };
    await must(host, { op: 'portGuard.set', netns: peer, port });
    send(port)();
    send(port + 1)();
    await host.until(() => withoutSocket() > 0);
    expect(withoutSocket()).toBe(1);
  });

  it.each([
    ['a rule is deleted', `flush chain inet causeway-${port} output`],
    ['a rule is added', `insert rule inet causeway-${port} output accept`],
    ['its hooks are put to sleep', `add table inet causeway-${port} { flags dormant; }`],
  ])('is found as changed when %s, and made anew', async (_, command) => {
    await must(host, { op: 'portGuard.set', netns, port });
    inNft(netns, command);
    expect((await read(host, netns)).portGuards).toEqual(new Map([[port, 'changed']]));
    await must(host, { op: 'portGuard.set', netns, port });
    expect((await read(host, netns)).portGuards).toEqual(new Map([[port, 'whole']]));
    expect(send(port)).toThrow('Operation not permitted');
  });

  it('goes with a flush of all tables, which leaves nothing to be found', async () => {
    await must(host, { op: 'portGuard.set', netns, port });
    inNft(netns, 'flush ruleset');
    expect((await read(host, netns)).portGuards).toEqual(new Map());
  });
});
