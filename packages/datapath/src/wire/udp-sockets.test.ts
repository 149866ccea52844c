import { expect, it } from 'vitest';
import { parseUdpSockets } from './udp-sockets.ts';

it('reads the sockets of /proc/net/udp and /proc/net/udp6', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops',
    ' 1234: 010200C0:1194 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 5678 2 0000000000000000 0',
    '   12: B80D0120000000000000000001000000:1194 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 91011 2 0000000000000000 0',
    '',
  ].join('\n');
  expect(parseUdpSockets(table)).toEqual([
    { address: '192.0.2.1', port: 4500, inode: '5678', user: 0 },
    { address: '2001:db8::1', port: 4500, inode: '91011', user: 1000 },
  ]);
});
