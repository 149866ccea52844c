import {
  CausewayError,
  type Endpoint,
  type EndpointId,
  type EndpointRow,
  type FeedVersion,
  InterfaceAddress,
  Ip,
  isCausewayError,
  isDriver,
  macForIp,
  type Name,
  type Network,
  type NetworkId,
  type NodeId,
  noRowChanges,
  noRows,
  Prefix,
  type Rows,
  type SentNetwork,
  tableDigest,
  type UnknownDriver,
  Vni,
} from '@causeway/model';
import {
  endpointToMessage,
  errorToStatus,
  networkToMessage,
  rowChangesToMessage,
  rowsToMessages,
} from '@causeway/proto';
import type { ClaimEndpointRequest, ClaimOutcome } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { ConnectRequest, ConnectResponse, Hello } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Endpoint as EndpointMessage } from '@causeway/proto/gen/causeway/v1/types.js';
import { Queue } from '@causeway/runtime';
import type { ManagerLink, SessionChannel } from '../managers/link.ts';
import { newestFeed } from './table.ts';

type Message = ConnectResponse['message'];

interface HeldNetwork {
  readonly network: SentNetwork;
  revision: bigint;
  readonly rows: Map<EndpointId, EndpointRow>;
}

interface Peer {
  readonly queue: Queue<ConnectResponse>;
  readonly requests: ConnectRequest['message'][];
  nodeId: NodeId | undefined;
  readonly subscribed: Set<NetworkId>;
}

/** The managers of a cluster as one agent sees them, in memory. Tests can make them fail. */
export class FakeManager implements ManagerLink {
  clusterId = 'c000000000000001';
  epoch = 1n;
  term = 1n;
  /** The feed version that the manager speaks. */
  feed: FeedVersion = newestFeed;
  /** While true, no manager answers, and sessions break. */
  #down = false;
  #revision = 100n;
  #count = 0;
  readonly networks = new Map<string, HeldNetwork>();
  readonly #outcomes = new Map<string, EndpointMessage>();
  readonly #labels = new Map<EndpointId, Record<string, string>>();
  readonly #peers = new Set<Peer>();
  /** Errors for the next claims, one for each claim. */
  readonly claimFailures: CausewayError[] = [];
  /** Number of claims that are made although their replies get lost. */
  loseClaimReplies = 0;
  /** Called when a session has begun. */
  onWelcome: () => void = () => undefined;
  #removed: CausewayError | undefined;
  /** Number of sessions that agents have tried to open. */
  attempts = 0;
  /** The manager sends only Welcome. */
  silent = false;
  readonly released: EndpointId[] = [];

  set down(down: boolean) {
    this.#down = down;
    if (!down) return;
    for (const peer of this.#peers) peer.queue.fail(unavailable());
    this.#peers.clear();
  }

  /** The agent's host was removed from the cluster: its session ends with this error, and so does every later one. */
  set removed(error: CausewayError) {
    this.#removed = error;
    for (const peer of this.#peers) peer.queue.fail(error);
    this.#peers.clear();
  }

  /** Sets the store back to a revision, as a restore from a backup does. Agents learn this at their next session. */
  restore(revision: bigint): void {
    this.down = true;
    this.#revision = revision;
    for (const held of this.networks.values()) held.revision = revision;
    this.epoch++;
    this.term = 0n;
    this.down = false;
  }

  network(name: string, prefix = '10.66.0.0/16'): Network {
    const id = (this.networks.size + 0xaa).toString(16).padStart(10, '0').padEnd(16, '0') as NetworkId;
    const network: Network = {
      id,
      name: name as Name,
      addressSpace: 'default' as Name,
      driver: 'overlay',
      internal: false,
      vni: Vni(4096 + this.networks.size),
      mtu: { kind: 'automatic', bytes: 1450 },
      subnets: [{ prefix: Prefix(prefix), gateway: Ip(prefix.replace('.0/16', '.1')) }],
      labels: {},
    };
    this.networks.set(name, { network, revision: ++this.#revision, rows: new Map() });
    return network;
  }

  /** An endpoint of another host. */
  peer(networkName: string, n: number, vtep = '192.0.2.2'): EndpointRow {
    const row = this.#row(networkName, `peer-${n}`, 'b000000000000002' as NodeId, n, Ip(vtep));
    this.#step(networkName, [row], []);
    return row;
  }

  /** The host of this endpoint receives VXLAN at another address from now on. */
  moved(networkName: string, row: EndpointRow, vtep: string): void {
    this.#step(networkName, [{ ...row, vtep: Ip(vtep) }], []);
  }

  /** An endpoint of the agent's host that the agent does not know. */
  foreignClaim(networkName: string, n: number, nodeId: NodeId): EndpointRow {
    const row = this.#row(networkName, `ghost-${n}`, nodeId, n, Ip('192.0.2.1'));
    this.#step(networkName, [row], []);
    return row;
  }

  /** Changes the driver of a network, as a later manager could. */
  changeDriver(networkName: string, driver: string): void {
    const held = this.#held(networkName);
    const network = withDriver(held.network, driver);
    this.networks.set(networkName, { ...held, network });
    this.down = true;
    this.down = false;
  }

  remove(networkName: string, ...ids: EndpointId[]): void {
    this.#step(networkName, [], ids);
  }

  rows(networkName: string): string[] {
    return Array.from(this.#held(networkName).rows.values(), ({ name }) => name as string).sort();
  }

  ids(networkName: string): EndpointId[] {
    return [...this.#held(networkName).rows.keys()];
  }

  /** What agents have sent on the present sessions. */
  requests<Kind extends ConnectRequest['message']['oneofKind']>(
    kind: Kind,
  ): Extract<ConnectRequest['message'], { oneofKind: Kind }>[] {
    return [...this.#peers].flatMap((peer) =>
      peer.requests.filter(
        (message): message is Extract<ConnectRequest['message'], { oneofKind: Kind }> => message.oneofKind === kind,
      ),
    );
  }

  /** Sends an unsolicited message to every agent. */
  say(message: Message): void {
    for (const peer of this.#peers) peer.queue.push({ message });
  }

  get sessions(): number {
    return this.#peers.size;
  }

  reaches(): Promise<boolean> {
    return Promise.resolve(!this.#down);
  }

  connect(): SessionChannel {
    const peer: Peer = { queue: new Queue(), requests: [], nodeId: undefined, subscribed: new Set() };
    this.attempts++;
    if (this.#removed !== undefined) peer.queue.fail(this.#removed);
    else if (this.#down) peer.queue.fail(unavailable());
    else this.#peers.add(peer);
    return {
      messages: peer.queue,
      send: ({ message }) => {
        if (!this.#peers.has(peer)) return;
        peer.requests.push(message);
        if (message.oneofKind === 'hello') this.#greet(peer, message.hello);
        if (message.oneofKind === 'resync') this.#complete(peer, this.#byId(message.resync.networkId));
      },
      close: () => {
        this.#peers.delete(peer);
        peer.queue.end();
      },
    };
  }

  claimEndpoint: ManagerLink['claimEndpoint'] = async (_, request) => {
    if (this.#down) throw unavailable();
    const failure = this.claimFailures.shift();
    if (failure !== undefined) throw failure;
    const held = this.networks.get(request.network) ?? this.#byIdOrUndefined(request.network);
    if (held === undefined) throw new CausewayError('network-unknown', `no network "${request.network}"`);
    const { network } = held;
    const endpoint = this.#outcomes.get(request.requestId) ?? this.#claim(held, request);
    this.#outcomes.set(request.requestId, endpoint);
    if (this.loseClaimReplies > 0) {
      this.loseClaimReplies--;
      throw unavailable();
    }
    return { endpoint, network: networkToMessage(network, held.revision), epoch: this.epoch };
  };

  claimEndpoints: ManagerLink['claimEndpoints'] = async (address, { claims }, limits) => {
    const outcomes: ClaimOutcome[] = [];
    for (const claim of claims) {
      try {
        const { endpoint } = await this.claimEndpoint(address, claim, limits);
        if (endpoint !== undefined) outcomes.push({ outcome: { oneofKind: 'endpoint', endpoint } });
      } catch (error) {
        if (!isCausewayError(error) || error.kind === 'unavailable') throw error;
        outcomes.push({ outcome: { oneofKind: 'refused', refused: errorToStatus(error) } });
      }
    }
    return { outcomes, epoch: this.epoch };
  };

  releaseEndpoint: ManagerLink['releaseEndpoint'] = async (_, { endpointId }) => {
    if (this.#removed !== undefined) throw this.#removed;
    if (this.#down) throw unavailable();
    const id = endpointId as EndpointId;
    const held = [...this.networks].find(([, { rows }]) => rows.has(id));
    if (held === undefined) throw new CausewayError('endpoint-unknown', `no endpoint ${id}`);
    this.released.push(id);
    this.#step(held[0], [], [id]);
    return { revision: this.#revision };
  };

  /** There are no endpoints of other hosts to detach. */
  detachEndpoint: ManagerLink['detachEndpoint'] = async (_, { endpoint }) => {
    throw new CausewayError('endpoint-unknown', `there is no endpoint "${endpoint}"`);
  };

  close(): void {
    this.#peers.clear();
  }

  #claim(held: HeldNetwork, request: ClaimEndpointRequest): EndpointMessage {
    const { name, nodeId, addresses, labels } = request;
    const names = { network: held.network.name, host: 'h1' };
    const known = held.rows.get(request.endpointId as EndpointId);
    if (known !== undefined) {
      if (known.node !== nodeId) throw new CausewayError('endpoint-exists', `endpoint ${known.id} is another host's`);
      return endpointToMessage(
        { ...known, network: held.network.id, labels: this.#labels.get(known.id) ?? {} },
        names,
        held.revision,
      );
    }
    const namesake = [...held.rows.values()].find((row) => row.name === name);
    if (namesake !== undefined) {
      const message = `name "${name}" is taken in network ${held.network.name}`;
      throw new CausewayError('name-taken', message, { endpoint: namesake.id });
    }
    const [requested] = addresses;
    const row = this.#row(held.network.name, name, nodeId as NodeId, this.#count + 10, Ip('192.0.2.1'), requested);
    this.#step(held.network.name, [row], []);
    const endpoint: Endpoint = { ...row, network: held.network.id, labels };
    this.#labels.set(row.id, labels);
    return endpointToMessage(endpoint, names, this.#revision);
  }

  #row(networkName: string, name: string, node: NodeId, n: number, vtep: Ip, asked?: string): EndpointRow {
    const prefix = this.#held(networkName).network.subnets[0]?.prefix ?? '';
    const ip = Ip(asked ?? prefix.replace('.0.0/16', `.${n >> 8}.${n & 255}`));
    const id = (++this.#count).toString(16).padStart(12, '0').padEnd(16, '0') as EndpointId;
    return { id, name: name as Name, node, addresses: [InterfaceAddress(`${ip}/16`)], mac: macForIp(ip), vtep };
  }

  #step(networkName: string, upserts: EndpointRow[], removedIds: EndpointId[]): void {
    const held = this.#held(networkName);
    const from = held.revision;
    held.revision = ++this.#revision;
    for (const id of removedIds) held.rows.delete(id);
    for (const row of upserts) held.rows.set(row.id, row);
    for (const peer of this.#peers) {
      if (peer.nodeId === undefined || this.silent) continue;
      const wants = this.#wants(peer, held);
      const { id } = held.network;
      if (wants && !peer.subscribed.has(id)) this.#complete(peer, held);
      else if (wants) {
        const delta = {
          networkId: id,
          from,
          to: held.revision,
          digest: this.#digestOf(held),
          ...rowChangesToMessage({ ...noRowChanges(), endpoint: { upserts, removed: removedIds } }),
        };
        peer.queue.push({ message: { oneofKind: 'delta', delta } });
      } else if (peer.subscribed.delete(id)) {
        peer.queue.push({ message: { oneofKind: 'withdraw', withdraw: { networkId: id } } });
      }
    }
  }

  #greet(peer: Peer, hello: Hello): void {
    peer.nodeId = hello.node?.id as NodeId;
    const { clusterId, epoch, term } = this;
    const pace = { heartbeatMs: 2_000, returnWithinMs: 0 };
    const welcome = { clusterId, epoch, term, ...pace, feedVersion: this.feed.number };
    peer.queue.push({ message: { oneofKind: 'welcome', welcome } });
    if (this.silent) return;
    for (const held of this.networks.values()) if (this.#wants(peer, held)) this.#complete(peer, held);
    for (const { networkId } of hello.cursors) {
      if (peer.subscribed.has(networkId as NetworkId)) continue;
      peer.queue.push({ message: { oneofKind: 'withdraw', withdraw: { networkId } } });
    }
    peer.queue.push({ message: { oneofKind: 'ready', ready: { revision: this.#revision } } });
    this.onWelcome();
  }

  #complete(peer: Peer, held: HeldNetwork): void {
    if (this.silent) return;
    peer.subscribed.add(held.network.id);
    const { network, revision, rows } = held;
    const digest = this.#digestOf(held);
    const complete = {
      network: networkToMessage(network, revision),
      revision,
      digest,
      ...rowsToMessages((kind) => (kind === 'endpoint' ? rows.values() : [])),
      epoch: 0n,
      feedVersion: 0,
    };
    peer.queue.push({ message: { oneofKind: 'complete', complete } });
  }

  #digestOf({ network, rows }: HeldNetwork): bigint {
    return tableDigest(this.feed, network, { ...(noRows() as Rows), endpoint: rows });
  }

  #wants(peer: Peer, held: HeldNetwork): boolean {
    return [...held.rows.values()].some((row) => row.node === peer.nodeId);
  }

  #held(name: string): HeldNetwork {
    const held = this.networks.get(name);
    if (held === undefined) throw new Error(`no network ${name}`);
    return held;
  }

  #byId(id: string): HeldNetwork {
    const held = this.#byIdOrUndefined(id);
    if (held === undefined) throw new Error(`no network ${id}`);
    return held;
  }

  #byIdOrUndefined(id: string): HeldNetwork | undefined {
    return [...this.networks.values()].find(({ network }) => network.id === id);
  }
}

/** A driver that this version does not know belongs to a later version, which sends its networks without a VNI. */
function withDriver(network: SentNetwork, driver: string): SentNetwork {
  const { vni, sentVni, ...common } = { vni: Vni(4096), sentVni: 0, ...network };
  return isDriver(driver) ? { ...common, driver, vni } : { ...common, driver: driver as UnknownDriver, sentVni };
}

function unavailable(): CausewayError {
  return new CausewayError('manager-unavailable', 'no manager answers at 10.0.0.1:7443');
}
