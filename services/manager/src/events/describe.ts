import { formatPin, formatTime, type PeerName, pinOf } from '@causeway/identity';
import { addressOf, clip, type Endpoint, type Ip, type Network, type NetworkId, type Node } from '@causeway/model';
import type { RefusedCalls } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, formatDuration } from '@causeway/runtime';
import type { Ca } from '../store/records/ca.ts';
import type { ManagerRecord } from '../store/records/manager.ts';
import type { StoredToken } from '../store/records/token.ts';
import type { View } from '../store/view.ts';
import { changesOf, printSubnet } from './differences.ts';
import type { EventInput, Refusal } from './event-input.ts';

type Names = Pick<View, 'networks' | 'nodes'>;

/** Most characters of a message of another manager. */
const mostText = 500;
/** A kind, and two names with 63 characters each. */
const longestObject = 140;

export function networkCreated(network: Network): EventInput {
  const subnets = network.subnets.map(printSubnet).join('; ');
  const message = `network ${network.name} created: ${subnets}, VNI ${network.vni}, MTU ${network.mtu.bytes}`;
  return { kind: 'network.created', ...ofNetwork(network), message };
}

/** No event if nothing has changed that an operator sees. */
export function networkChanged(before: Network, after: Network): readonly EventInput[] {
  const changes = changesOf(before, after);
  if (changes.length === 0) return [];
  return [
    {
      kind: 'network.changed',
      ...ofNetwork(after),
      message: `network ${before.name} changed: ${changes.join(', ')}`,
    },
  ];
}

export function networkDeleted(network: Network): EventInput {
  return { kind: 'network.deleted', ...ofNetwork(network), message: `network ${network.name} deleted` };
}

export function endpointAttached(endpoint: Endpoint, view: Names): EventInput {
  return endpointEvent('attached', endpoint, view);
}

/** The endpoint was released without a detach. */
export function endpointOrphaned(endpoint: Endpoint, view: Names, why: string): EventInput {
  const event = endpointEvent('orphaned', endpoint, view);
  return { ...event, message: `${event.message}: ${why}` };
}

/** The host keeps the endpoint, but no longer knows where its container is. */
export function endpointKept(endpoint: Endpoint, view: Names): EventInput {
  const event = endpointEvent('kept', endpoint, view);
  const message = `${event.message}, which has lost its record of the container: attach it once more as it was, or detach it`;
  return { ...event, actor: `agent/${event.host}`, cause: 'record-lost', message };
}

/** `why`: given unless the host itself asked for the release. */
export function endpointDetached(endpoint: Endpoint, view: Names, why?: string): EventInput {
  const event = endpointEvent('detached', endpoint, view);
  return why === undefined ? event : { ...event, message: `${event.message}: ${why}` };
}

export function addressReserved(network: Network, address: Ip, purpose: string): EventInput {
  const message = `${address} reserved for ${purpose}`;
  return { kind: 'address.reserved', ...ofNetwork(network), addresses: [address], purpose, message };
}

export function addressReleased(network: Network, address: Ip, purpose: string): EventInput {
  const message = `${address} released, it was reserved for ${purpose}`;
  return { kind: 'address.released', ...ofNetwork(network), addresses: [address], purpose, message };
}

/** `repairs`: each repair in words. */
export function claimsRepaired(network: NetworkId, repairs: readonly string[], view: Names): EventInput {
  const name = view.networks.get(network)?.value.name ?? network;
  const message = `claims of network ${name} repaired: ${repairs.join(', ')}`;
  return { kind: 'claims.repaired', network: name, networkId: network, count: repairs.length, message };
}

export function nodeJoined(node: Node): EventInput {
  const message = `host ${node.name} joined: VTEP ${node.dataPath}, underlay MTU ${node.underlayMtu}`;
  return { kind: 'node.joined', host: node.name, message };
}

/** No event if only the routes changed: routes change often. */
export function nodeChanged(before: Node, after: Node): readonly EventInput[] {
  const fields: readonly (readonly [string, string | number, string | number])[] = [
    ['name', before.name, after.name],
    ['VTEP', before.dataPath, after.dataPath],
    ['underlay MTU', before.underlayMtu, after.underlayMtu],
    ['port of ESP in UDP', before.encapPort ?? 'none', after.encapPort ?? 'none'],
    ['version', before.version, after.version],
  ];
  const changes = fields.filter(([, was, is]) => was !== is).map(([what, was, is]) => `${what} ${was} -> ${is}`);
  if (changes.length === 0) return [];
  return [{ kind: 'node.changed', host: after.name, message: `host ${before.name} changed: ${changes.join(', ')}` }];
}

export function nodeReady({ name }: Node): EventInput {
  return { kind: 'node.ready', host: name, cause: 'session', message: `host ${name} is ready` };
}

export function nodeLost({ name }: Node, why: string): EventInput {
  return { kind: 'node.lost', host: name, cause: 'session', message: `host ${name} has no session: ${why}` };
}

export function nodeDrained({ name }: Node): EventInput {
  return { kind: 'node.drained', host: name, message: `host ${name} is drained: it gets no new endpoints` };
}

export function nodeUndrained({ name }: Node): EventInput {
  return { kind: 'node.undrained', host: name, message: `host ${name} gets new endpoints again` };
}

/** `released`: how many endpoints the removal has released. */
export function nodeRemoved({ name, id }: Pick<Node, 'name' | 'id'>, released: number): EventInput {
  const endpoints =
    released === 0 ? '' : `; ${released === 1 ? '1 endpoint was' : `${released} endpoints were`} released`;
  return { kind: 'node.removed', host: name, message: `host ${name} (${id}) was removed${endpoints}` };
}

export function leaderChanged(name: string, address: string): EventInput {
  return { kind: 'leader.changed', cause: 'election', message: `manager ${name} (${address}) leads` };
}

export function managerJoined({ name, address, version }: ManagerRecord): EventInput {
  return { kind: 'manager.joined', cause: 'registration', message: `manager ${name} ${version} runs at ${address}` };
}

/** `removed`: the manager's etcd member was removed from the store. */
export function managerGone({ name, address }: ManagerRecord, removed: boolean): EventInput {
  return removed
    ? { kind: 'manager.removed', cause: 'registration', message: `manager ${name} (${address}) was removed` }
    : { kind: 'manager.lost', cause: 'registration', message: `manager ${name} (${address}) stopped, or is silent` };
}

export function tokenCreated({ id, role, uses, name, expires }: StoredToken): EventInput {
  const whom = name === undefined ? role : `${role} ${name}`;
  const message = `join token ${id} created: ${whom}, ${uses === 1 ? 'one use' : `${uses} uses`}, until ${formatTime(expires)}`;
  return { kind: 'token.created', message };
}

export function tokenRevoked({ id, role }: StoredToken): EventInput {
  return { kind: 'token.revoked', message: `join token ${id} (${role}) revoked` };
}

/** `token`: the token with which the holder joined. */
export function certificateIssued(to: Member, name: string, token: string, expires: number): EventInput {
  const message = `${named(to, name)} joined with the token ${token}: certificate until ${formatTime(expires)}`;
  return { kind: 'certificate.issued', ...hostOf(to, name), message };
}

export function certificateRenewed(to: Member, name: string, expires: number): EventInput {
  const message = `${named(to, name)} has a new certificate until ${formatTime(expires)}`;
  return { kind: 'certificate.renewed', ...hostOf(to, name), message };
}

export function operatorRevoked(name: string): EventInput {
  return {
    kind: 'operator.revoked',
    message: `operator ${name} revoked: no certificate of that name is accepted, and its tokens are revoked`,
  };
}

/** Calls that were refused for the same reason. `message`: the refusal of one of them. */
export function callRefused({ subject, method, object, code, message }: Refusal, count: number): EventInput {
  const about = object === undefined ? '' : ` of ${object}`;
  const times = count === 1 ? '' : ` ${count} times, the last time:`;
  return {
    ...{ kind: 'call.refused', actor: subject, cause: 'refused', subject, method, count },
    ...(object !== undefined && { object }),
    refusal: code.toUpperCase().replaceAll('-', '_'),
    message: `${subject} was refused ${method}${about}:${times} ${message}`,
  };
}

/** The same, as another manager reports it. */
export function callRefusedBy(
  manager: string,
  { subject, method, object, code, count, message }: RefusedCalls,
): EventInput {
  const said = { subject: clip(subject), method: clip(method), refusal: clip(code) };
  return {
    ...{ kind: 'call.refused', actor: said.subject, cause: 'refused', ...said, count },
    ...(object !== '' && { object: clip(object, longestObject) }),
    message: `${clip(message, mostText)} (by ${manager})`,
  };
}

export function caRotating({ generation, roots }: Ca): EventInput {
  const [root] = roots;
  const pin = root === undefined ? '' : formatPin(pinOf(root));
  return {
    kind: 'ca.rotating',
    message: `CA ${generation} (${pin}) replaces CA ${generation - 1}: members renew their certificates`,
  };
}

export function autolockChanged(on: boolean): EventInput {
  const message = on
    ? 'autolock is on: a manager that starts needs the unlock key before it can issue certificates'
    : 'autolock is off: managers keep their sealing key open';
  return { kind: 'ca.autolock', message };
}

export function certificateLifeChanged(life: Duration): EventInput {
  const message = `certificates that are issued from now on are valid for ${formatDuration(life)}`;
  return { kind: 'ca.life', message };
}

/** `left`: how many members had no certificate of the new CA. */
export function caRotated(generation: number, left: number): EventInput {
  const who = left === 0 ? 'all members have changed' : `${left} members have not changed and must join again`;
  return { kind: 'ca.rotated', message: `only CA ${generation} is trusted now: ${who}` };
}

/** Hosts that have keys for encrypted networks change to new keys. */
export function keysRotating(hosts: number, atOnce: boolean): EventInput {
  const who = hosts === 1 ? '1 host makes a new key' : `${hosts} hosts make new keys`;
  return {
    kind: 'keys.rotating',
    message: `${who} for encrypted networks, ${atOnce ? 'all at once' : 'a few at a time'}`,
  };
}

export function keysRotated(): EventInput {
  return {
    kind: 'keys.rotated',
    message: 'all hosts use new keys for encrypted networks, and the former ones are gone',
  };
}

/** The repairs of one kind in one network by one host. `examples`: some of them in words. */
export function driftRepaired(
  { host, network, kind }: Pick<Drift, 'host' | 'network' | 'kind'>,
  count: number,
  examples: readonly string[],
): EventInput {
  const message =
    count === 1
      ? `${kind} ${examples.join()} on ${host}`
      : `${count} of ${kind} on ${host} repaired, such as ${examples.join('; ')}`;
  return { kind: 'drift.repaired', actor: `agent/${host}`, cause: 'drift', network, host, count, message };
}

/** For example "02:42:0a:42:00:09 repaired: missing -> dst 10.90.0.2". */
export function printRepair({ key, desired, actual }: Drift): string {
  const to = desired === '' ? 'removed' : desired;
  const from = actual === '' ? 'missing' : actual;
  return `${key} repaired: ${from} -> ${to}`;
}

type Member = Pick<PeerName, 'role' | 'id'>;

function named({ role, id }: Member, name: string): string {
  return name === id ? `${role} ${name}` : `${role} ${name} (${id})`;
}

function hostOf({ role }: Member, name: string): Pick<EventInput, 'host'> {
  return role === 'agent' ? { host: name } : {};
}

function ofNetwork({ id, name }: Network): { readonly network: string; readonly networkId: NetworkId } {
  return { network: name, networkId: id };
}

function endpointEvent(
  what: 'attached' | 'detached' | 'kept' | 'orphaned',
  endpoint: Endpoint,
  view: Names,
): EventInput {
  const host = view.nodes.get(endpoint.node)?.value.name ?? endpoint.node;
  return {
    kind: `endpoint.${what}`,
    network: view.networks.get(endpoint.network)?.value.name ?? endpoint.network,
    networkId: endpoint.network,
    endpoint: endpoint.name,
    endpointId: endpoint.id,
    host,
    addresses: endpoint.addresses.map(addressOf),
    message: `${endpoint.name} ${endpoint.addresses.join(' ')} ${what} on ${host}`,
  };
}
