import { type Ip, ipFromBytes } from '@causeway/model';

/** A bound UDP socket, as the kernel lists it. */
export interface UdpSocket {
  readonly address: Ip;
  readonly port: number;
  readonly inode: string;
  /** The user who has made the socket. */
  readonly user: number;
}

/** The fields of a line of /proc/net/udp and /proc/net/udp6 (net/ipv4/udp.c, udp4_format_sock). */
const field = { local: 1, user: 7, inode: 9 } as const;

/** The sockets of such a file. */
export function parseUdpSockets(table: string): readonly UdpSocket[] {
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, address, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(fields[field.local] ?? '') ?? [];
    const inode = fields[field.inode];
    if (address === undefined || port === undefined || inode === undefined) return [];
    const user = Number(fields[field.user]);
    return [{ address: ipFromBytes(wordsOf(address)), port: Number.parseInt(port, 16), inode, user }];
  });
}

/** The kernel prints each four bytes as a number of the machine, which is little-endian. */
function wordsOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 4)
    view.setUint32(at, Number.parseInt(hex.slice(2 * at, 2 * at + 8), 16), true);
  return bytes;
}
