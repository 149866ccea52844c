import { readFile } from 'node:fs/promises';
import { type Ip, ipFromBytes } from '@causeway/model';

/** A TCP connection that another process has opened to this host. */
export interface TcpConnection {
  readonly localPort: number;
  readonly local: Ip;
  readonly remote: Ip;
}

/** The state of an established connection in /proc/net/tcp (include/net/tcp_states.h). */
const established = '01';

/** The established connections of this network namespace, as `ss -tn state established` lists them. */
export async function tcpConnections(): Promise<readonly TcpConnection[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'utf8').catch(() => '')),
  );
  return tables.flatMap(parseTcpTable);
}

/** The rows of /proc/net/tcp or tcp6. Rows of another form are left out. */
export function parseTcpTable(table: string): readonly TcpConnection[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state] = line.trim().split(/\s+/);
    if (state !== established) return [];
    const [from, to] = [parseEnd(local), parseEnd(remote)];
    return from === undefined || to === undefined ? [] : [{ local: from.ip, localPort: from.port, remote: to.ip }];
  });
}

/** "0100007F:0947": an address as words of 32 bits, each with its last byte first, and a port. */
function parseEnd(text: string): { readonly ip: Ip; readonly port: number } | undefined {
  const [, address = '', port = ''] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(text) ?? [];
  const words = address.match(/.{8}/g) ?? [];
  if (words.length !== 1 && words.length !== 4) return undefined;
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse().map((pair) => Number.parseInt(pair, 16)));
  return { ip: ipFromBytes(Uint8Array.from(bytes)), port: Number.parseInt(port, 16) };
}
