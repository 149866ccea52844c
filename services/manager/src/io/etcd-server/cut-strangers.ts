import { type Ip, parseIp } from '@causeway/model';
import { type Clock, type Log, milliseconds, seconds } from '@causeway/runtime';
import type { StoreMember } from '../../store/store.ts';
import type { EmbeddedEtcd } from './embedded-etcd.ts';
import type { TcpConnection } from './tcp-connections.ts';

interface CutParts {
  readonly etcd: Pick<EmbeddedEtcd, 'ports' | 'restart'>;
  /** The established connections of this host. */
  readonly connections: () => Promise<readonly TcpConnection[]>;
  /** The members of etcd's cluster. */
  readonly members: () => Promise<readonly StoreMember[]>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long a manager that was removed has to end its connections itself. */
const patience = seconds(2);
/** Managers restart their etcds one after another, so that a majority serves. A restart takes about a second. */
const turn = seconds(2);

/**
 * Ends the connections that removed managers have to the etcd of the manager with this name. etcd looks at a certificate in the
 * handshake only, and ends no connection, so it is restarted if there are such connections. A removed manager that runs as it should
 * ends by itself, so usually there are none.
 */
export async function cutStrangers(parts: CutParts, name: string, signal: AbortSignal): Promise<void> {
  const { etcd, clock, log } = parts;
  await clock.sleep(patience, signal);
  const members = await parts.members();
  const names = members.map((member) => member.name).sort();
  await clock.sleep(milliseconds(turn * Math.max(0, names.indexOf(name))), signal);
  if (signal.aborted) return;
  const addresses = strangersIn(await parts.connections(), etcd.ports, members);
  if (addresses.length === 0) return;
  log.warn('etcd.strangers-cut', { addresses });
  await etcd.restart();
}

/** From which addresses hosts are connected to these ports of this host that are neither this host nor a member's. */
export function strangersIn(
  connections: readonly TcpConnection[],
  ports: readonly number[],
  members: readonly Pick<StoreMember, 'peerUrls' | 'clientUrls'>[],
): readonly Ip[] {
  const known = new Set(members.flatMap(({ peerUrls, clientUrls }) => [...peerUrls, ...clientUrls].flatMap(ipOf)));
  const strange = connections.filter(
    ({ localPort, local, remote }) => ports.includes(localPort) && remote !== local && !known.has(remote),
  );
  return [...new Set(strange.map(({ remote }) => remote))];
}

function ipOf(url: string): readonly Ip[] {
  const parsed = parseIp(new URL(url).hostname.replace(/^\[(.*)\]$/, '$1'));
  return parsed.ok ? [parsed.value] : [];
}
