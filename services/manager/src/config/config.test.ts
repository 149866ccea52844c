import { CausewayError } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { type Options, readConfig } from './config.ts';

const given: Options = {
  name: 'm1',
  listen: '192.0.2.1:7443',
  dataDir: '/var/lib/causeway',
  etcd: 'embedded',
  etcdClientPort: '2379',
  etcdPeerPort: '2380',
  etcdQuota: '2GiB',
  etcdHistory: '1h',
  etcdPrefix: '/causeway/v1/',
  leaseTtl: '3s',
  cooldown: '60s',
  nodeGoneAfter: '24h',
  eventHistory: '24h',
  eventLimit: '200000',
  logLevel: 'info',
  logFormat: 'json',
};

test('what is not said follows from what is', () => {
  expect(readConfig(given)).toEqual({
    name: 'm1',
    listen: '192.0.2.1:7443',
    advertise: '192.0.2.1:7443',
    dataDir: '/var/lib/causeway',
    etcd: {
      kind: 'embedded',
      clientPort: 2379,
      peerPort: 2380,
      address: '127.0.0.1',
      quotaBytes: 2 * 1024 ** 3,
      heartbeat: 50,
      electionTimeout: 500,
      join: [],
    },
    history: 3_600_000,
    prefix: '/causeway/v1/',
    leaseTtl: 3000,
    cooldown: 60_000,
    nodeGoneAfter: 86_400_000,
    eventHistory: 86_400_000,
    eventLimit: 200_000,
    defaultPools: [],
    log: { level: 'info', format: 'json' },
  });
});

describe('taken', () => {
  test.each<[string, Partial<Options>, object]>([
    [
      'every address, with another to reach it by',
      { listen: '[::]:7443', advertise: '[2001:DB8::1]:443' },
      { advertise: '[2001:db8::1]:443' },
    ],
    [
      'an etcd of several members',
      { etcd: 'https://192.0.2.1:2379,https://[2001:db8::2]:2379' },
      {
        etcd: { kind: 'external', endpoints: ['https://192.0.2.1:2379', 'https://[2001:db8::2]:2379'], maxTxnOps: 128 },
      },
    ],
    [
      'an etcd of a LAN as fast as ours',
      { etcd: 'http://127.0.0.1:2379', etcdElectionTimeout: '500ms' },
      { etcd: { kind: 'external', electionTimeout: 500 } },
    ],
    [
      'an etcd whose members elect as etcd has it',
      { etcd: 'http://127.0.0.1:2379' },
      { etcd: { electionTimeout: 1000 } },
    ],
    [
      'managers far from each other',
      { etcdHeartbeat: '150ms', etcdElectionTimeout: '1.5s' },
      { etcd: { heartbeat: 150, electionTimeout: 1500 } },
    ],
    [
      'an etcd that takes large transactions',
      { etcd: 'http://127.0.0.1:2379', etcdMaxTxnOps: '1000' },
      { etcd: { kind: 'external', maxTxnOps: 1000 } },
    ],
    [
      'a cluster to join, at the advertised address',
      { join: '192.0.2.7:7443,[2001:db8::7]:7443', listen: '[::]:7443', advertise: '[2001:DB8::1]:443' },
      { etcd: { address: '2001:db8::1', join: ['192.0.2.7:7443', '[2001:db8::7]:7443'] } },
    ],
    [
      'an address for the etcds of other managers',
      { etcdPeerAddress: '10.0.0.1', etcdQuota: '512MiB' },
      { etcd: { address: '10.0.0.1', quotaBytes: 512 * 1024 ** 2, join: [] } },
    ],
    [
      'an etcd with TLS',
      { etcd: 'https://etcd.example:2379', etcdCacert: 'ca', etcdCert: 'c', etcdKey: 'k' },
      { etcd: { kind: 'external', tls: { caCert: 'ca', cert: 'c', key: 'k' } } },
    ],
    ['an etcd with TLS by the system’s authorities', { etcd: 'https://etcd.example:2379' }, { etcd: { tls: {} } }],
    ['compaction by another program', { etcdHistory: '0s' }, { history: 0 }],
    ['a longer lease', { leaseTtl: '10s' }, { leaseTtl: 10_000 }],
    ['a program that issues certificates', { caProgram: '/usr/local/bin/ca' }, { caProgram: '/usr/local/bin/ca' }],
  ])('%s', (_name, options, expected) => {
    expect(readConfig({ ...given, ...options })).toMatchObject(expected);
  });
});

describe('refused, naming the flag', () => {
  test.each<[string, Partial<Options>, string]>([
    ['name with a space', { name: 'm 1' }, '--name'],
    ['listen without port', { listen: '192.0.2.1' }, '--listen'],
    ['listen on a name', { listen: 'host:7443' }, '--listen'],
    ['port 0', { listen: '192.0.2.1:0' }, '--listen'],
    ['port too large', { listen: '192.0.2.1:70000' }, '--listen'],
    ['IPv6 without brackets', { listen: '2001:db8::1:7443' }, '--listen'],
    ['every address and none to reach it by', { listen: '0.0.0.0:7443' }, '--advertise'],
    ['every address to reach it by', { advertise: '0.0.0.0:7443' }, '--advertise'],
    ['no directory', { dataDir: '' }, '--data-dir'],
    ['a program by a relative path', { caProgram: 'ca' }, '--ca-program'],
    ['a cluster to join, no address', { join: '192.0.2.7' }, '--join'],
    ['a cluster to join, and an etcd of your own', { join: '192.0.2.7:7443', etcd: 'http://127.0.0.1:2379' }, '--join'],
    ['peer address no address', { etcdPeerAddress: 'h1' }, '--etcd-peer-address'],
    ['peer address every address', { etcdPeerAddress: '::' }, '--etcd-peer-address'],
    [
      'peer address of an etcd of your own',
      { etcdPeerAddress: '10.0.0.1', etcd: 'http://127.0.0.1:2379' },
      '--etcd-peer-address',
    ],
    ['quota without unit', { etcdQuota: '2000000000' }, '--etcd-quota'],
    ['quota too small', { etcdQuota: '1MiB' }, '--etcd-quota'],
    ['heartbeat too rare', { etcdHeartbeat: '2s' }, '--etcd-heartbeat'],
    ['heartbeat of no whole milliseconds', { etcdHeartbeat: '20.5ms' }, '--etcd-heartbeat'],
    ['heartbeat of an etcd of another', { etcd: 'http://127.0.0.1:2379', etcdHeartbeat: '50ms' }, '--etcd-heartbeat'],
    ['election too soon', { etcdElectionTimeout: '50ms' }, '--etcd-election-timeout'],
    ['election that is no duration', { etcdElectionTimeout: 'soon' }, '--etcd-election-timeout'],
    ['election after too few heartbeats', { etcdHeartbeat: '200ms' }, '--etcd-election-timeout'],
    ['transactions of an embedded etcd', { etcdMaxTxnOps: '1000' }, '--etcd-max-txn-ops'],
    [
      'transactions smaller than any etcd’s',
      { etcd: 'http://127.0.0.1:2379', etcdMaxTxnOps: '100' },
      '--etcd-max-txn-ops',
    ],
    ['history too short', { etcdHistory: '5s' }, '--etcd-history'],
    ['history too long', { etcdHistory: '48h' }, '--etcd-history'],
    ['http and https', { etcd: 'http://127.0.0.1:2379,https://192.0.2.2:2379' }, '--etcd'],
    ['http to another host', { etcd: 'http://127.0.0.1:2379,http://192.0.2.1:2379' }, '--etcd'],
    ['authorities without https', { etcd: 'http://127.0.0.1:2379', etcdCacert: 'ca' }, '--etcd-cacert'],
    ['authorities of an embedded etcd', { etcdCacert: 'ca' }, '--etcd-cacert'],
    ['a certificate without its key', { etcd: 'https://192.0.2.1:2379', etcdCert: 'c' }, '--etcd-key'],
    ['a key without its certificate', { etcd: 'https://192.0.2.1:2379', etcdKey: 'k' }, '--etcd-cert'],
    ['etcd without scheme', { etcd: '192.0.2.1:2379' }, '--etcd'],
    ['one of two etcds wrong', { etcd: 'http://192.0.2.1:2379,' }, '--etcd'],
    ['etcd port that is none', { etcdClientPort: 'x' }, '--etcd-client-port'],
    ['one port for both', { etcdPeerPort: '2379' }, '--etcd-peer-port'],
    ['prefix without its slash', { etcdPrefix: '/causeway' }, '--etcd-prefix'],
    ['lease too short', { leaseTtl: '1s' }, '--lease-ttl'],
    ['cooldown that is no duration', { cooldown: 'a while' }, '--cooldown'],
    ['time until a host is gone that is no duration', { nodeGoneAfter: '1d' }, '--node-gone-after'],
    ['time until a host is gone that a restart takes', { nodeGoneAfter: '5s' }, '--node-gone-after'],
    [
      'time until a host is gone shorter than the lease',
      { nodeGoneAfter: '20s', leaseTtl: '30s' },
      '--node-gone-after',
    ],
    ['events kept for too short', { eventHistory: '10s' }, '--event-history'],
    ['too few events kept', { eventLimit: '10' }, '--event-limit'],
    ['a number of events that is none', { eventLimit: '1e5' }, '--event-limit'],
    ['lease that is no duration', { leaseTtl: 'soon' }, '--lease-ttl'],
    ['unknown level', { logLevel: 'loud' }, '--log-level'],
  ])('%s', (_name, options, flag) => {
    const read = (): unknown => readConfig({ ...given, ...options });
    expect(read).toThrow(CausewayError);
    expect(read).toThrow(new RegExp(`^${flag}\\b`));
  });
});
