import { Ip } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { cutStrangers, strangersIn } from './cut-strangers.ts';
import { parseTcpTable, type TcpConnection } from './tcp-connections.ts';

const ports = [2379, 2380];
const member = (name: string, ip: string) => ({
  ...{ id: name, name, learner: false },
  peerUrls: [`https://${ip}:2380`],
  clientUrls: [`https://${ip}:2379`],
});
const members = [member('m2', '10.0.0.2'), member('m1', '10.0.0.1'), member('m6', '[fd00::6]')];

function connection(remote: string, localPort = 2379, local = '10.0.0.1'): TcpConnection {
  return { local: Ip(local), localPort, remote: Ip(remote) };
}

test('the kernel’s tables are read: established connections only, of both families', () => {
  const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  const four = [
    '   0: 0100000A:094B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0',
    '   1: 0100000A:094B 0300000A:D431 01 00000000:00000000 02:0000 00000000     0        0 2 2 0 20 4 30 10 -1',
    '   2: 0100000A:094C 0200000A:D432 06 00000000:00000000 02:0000 00000000     0        0 3 2 0 20 4 30 10 -1',
  ];
  const six = '   0: 000000FD000000000000000001000000:094C 000000FD000000000000000006000000:D433 01 0:0 00:0 0 0 0 4';
  expect(parseTcpTable([head, ...four, ''].join('\n'))).toEqual([connection('10.0.0.3', 2379)]);
  expect(parseTcpTable([head, six].join('\n'))).toEqual([connection('fd00::6', 2380, 'fd00::1')]);
  expect(parseTcpTable('')).toEqual([]);
});

describe('strangers', () => {
  test.each<[string, TcpConnection, boolean]>([
    ['another member', connection('10.0.0.2'), false],
    ['another member by IPv6', connection('fd00::6', 2380, 'fd00::1'), false],
    ['this host itself', connection('10.0.0.1'), false],
    ['this host on loopback', connection('127.0.0.1', 2379, '127.0.0.1'), false],
    ['a removed manager, as a client', connection('10.0.0.3'), true],
    ['a removed manager, as a peer', connection('10.0.0.3', 2380), true],
    ['a connection to another port', connection('10.0.0.3', 7443), false],
  ])('%s', (_, each, isStranger) => {
    expect(strangersIn([each], ports, members)).toEqual(isStranger ? [each.remote] : []);
  });
});

describe('after a removal', () => {
  /** The times of restarts, s, of the etcd of a manager to which these hosts are connected. */
  async function restarts(name: string, remotes: readonly string[]): Promise<readonly number[]> {
    const clock = new FakeClock();
    const at: number[] = [];
    const etcd = { ports, restart: async () => void at.push((clock.now() - begun) / 1_000) };
    const parts = {
      ...{ etcd, clock, log: new MemoryLog() },
      connections: async () => remotes.map((remote) => connection(remote)),
      members: async () => members,
    };
    const begun = clock.now();
    await clock.until(cutStrangers(parts, name, new AbortController().signal), seconds(60));
    return at;
  }

  test('an etcd to which only members are connected goes on', async () => {
    expect(await restarts('m1', ['10.0.0.2', '10.0.0.1'])).toEqual([]);
  });

  test('etcds with other connections restart one after another', async () => {
    expect(await restarts('m1', ['10.0.0.3'])).toEqual([2]);
    expect(await restarts('m2', ['10.0.0.3', '10.0.0.1'])).toEqual([4]);
    expect(await restarts('m6', ['10.0.0.3'])).toEqual([6]);
  });
});
