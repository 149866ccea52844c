import { Ip } from '@causeway/model';
import { hostNetns } from '../../state.ts';
import { type ContractCase, type ContractHost, must, outcome, read, same } from './host.ts';

export const encapSocketCases: readonly ContractCase[] = [
  {
    name: 'a socket for ESP in UDP is found when it is open, whichever process of ours has opened it, and is closed',
    async run(host) {
      const socket = { netns: hostNetns, address: host.underlay };
      same(await sockets(host), [], 'before');
      await must(host, { op: 'encapSocket.add', ...socket });
      same(await sockets(host), [host.underlay], 'opened');
      same(await outcome(host, { op: 'encapSocket.add', ...socket }), 'EEXIST', 'opened again');
      await host.foreign({ op: 'encapSocket.delete', ...socket });
      same(await sockets(host), [], 'closed');
      await host.foreign({ op: 'encapSocket.add', ...socket });
      same(await sockets(host), [host.underlay], 'opened by another process of ours');
      await must(host, { op: 'encapSocket.delete', ...socket });
      same(await sockets(host), [], 'closed again');
      await must(host, { op: 'encapSocket.delete', ...socket });
    },
  },
  {
    name: 'a socket of another program is not found and not closed',
    async run(host) {
      const socket = { netns: hostNetns, address: host.underlay };
      const close = await host.foreignSocket(host.underlay);
      same(await sockets(host), [], 'found');
      await must(host, { op: 'encapSocket.delete', ...socket });
      same(await outcome(host, { op: 'encapSocket.add', ...socket }), 'EADDRINUSE', 'still there');
      close();
      await must(host, { op: 'encapSocket.add', ...socket }, { op: 'encapSocket.delete', ...socket });
    },
  },
  {
    name: 'a socket: EADDRNOTAVAIL for an address that no device has, ENOENT without the namespace',
    async run(host) {
      const address = Ip('198.51.100.77');
      same(await outcome(host, { op: 'encapSocket.add', netns: hostNetns, address }), 'EADDRNOTAVAIL', 'no address');
      const gone = host.freshPath();
      same(await outcome(host, { op: 'encapSocket.add', netns: gone, address }), 'ENOENT', 'open');
      same(await outcome(host, { op: 'encapSocket.delete', netns: gone, address }), 'ok', 'close');
    },
  },
];

async function sockets(host: ContractHost): Promise<readonly Ip[]> {
  return [...(await read(host, hostNetns)).encapSockets.keys()];
}
