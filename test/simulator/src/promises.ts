import { ConnectRequest, ConnectResponse, type EndpointRow } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import type { SimCluster } from './cluster.ts';
import { actualState, expectedState } from './expected-state.ts';
import type { Moment, Records } from './records.ts';

/** A host's copy of a network, computed from the messages that the host was sent. */
interface Copy {
  readonly network: Network;
  readonly peers: ReadonlyMap<string, EndpointRow>;
}

/** A check that must wait: the records of its revision are not there yet. */
interface Pending {
  readonly revision: bigint;
  readonly check: () => void;
}

/**
 * Reads all messages between agents and managers and compares them with the store's records. A table or a delta must
 * lead to the records at its revision. Ready must mean that the host lacks nothing. What a host reports as applied must
 * be in its kernel at that moment.
 */
export class Promises {
  readonly faults: string[] = [];
  /** How often each was checked. */
  readonly seen = {
    complete: 0,
    delta: 0,
    emptyStep: 0,
    changedNetwork: 0,
    ready: 0,
    applied: 0,
    withdraw: 0,
  };
  readonly #cluster: SimCluster;
  readonly #records: Records;
  /** By host, then by network and revision: a session may continue from any copy that the host was ever sent. */
  readonly #copies = new Map<string, Map<string, Copy>>();
  /** By host: the revision of each network in the open session. */
  readonly #sessions = new Map<string, Map<string, bigint>>();
  /** By host: lines that another program has removed from its kernel, until they are back. */
  readonly #taken = new Map<string, Set<string>>();
  #pending: Pending[] = [];

  constructor(cluster: SimCluster, records: Records) {
    this.#cluster = cluster;
    this.#records = records;
    records.onChange(() => this.#catchUp());
    cluster.connections.tap = (host, way, bytes) => (way === 'up' ? this.#up(host, bytes) : this.#down(host, bytes));
  }

  /** Records that another program removes the line from the host's kernel. The host cannot know this at once. */
  take(host: string, line: string): void {
    this.#taken.set(host, (this.#taken.get(host) ?? new Set()).add(line));
  }

  #up(host: string, bytes: Uint8Array): void {
    const { message } = ConnectRequest.fromBinary(bytes);
    if (message.oneofKind === 'hello') {
      const cursors = message.hello.cursors.map(({ networkId, revision }) => [networkId, revision] as const);
      this.#sessions.set(host, new Map(cursors));
    }
    if (message.oneofKind === 'applied') {
      for (const { networkId, revision } of message.applied.networks) this.#applied(host, networkId, revision);
    }
  }

  /**
   * The kernel may be at any revision from the reported one to the newest. It must have every line that all of these
   * revisions require, and no line that none of them requires.
   */
  #applied(host: string, networkId: string, revision: bigint): void {
    const now = actualState(this.#cluster.host(host), networkId);
    const taken = this.#taken.get(host) ?? new Set<string>();
    for (const line of taken) if (now.has(line)) taken.delete(line);
    const excused = new Set(taken);
    this.#when(revision, () => {
      const span = this.#records.since(revision).map((moment) => expectedState(moment, host, networkId));
      if (span.some((lines) => lines.size === 0)) return;
      this.seen.applied++;
      const [first = new Set<string>()] = span;
      const lasting = [...first].filter((line) => span.every((lines) => lines.has(line)));
      const missing = lasting.filter((line) => !now.has(line) && !excused.has(line));
      const wrong = [...now].filter((line) => !span.some((lines) => lines.has(line)));
      const said = `${host} said that ${networkId} is applied @${revision}`;
      if (missing.length > 0) this.faults.push(`${said}, and had not ${missing.join(', ')}`);
      if (wrong.length > 0) this.faults.push(`${said}, and still had ${wrong.join(', ')}`);
    });
  }

  #down(host: string, bytes: Uint8Array): void {
    const { message } = ConnectResponse.fromBinary(bytes);
    const session = this.#sessions.get(host) ?? new Map<string, bigint>();
    this.#sessions.set(host, session);
    switch (message.oneofKind) {
      case 'complete': {
        const { network, revision, endpoints } = message.complete;
        this.seen.complete++;
        if (network === undefined) this.faults.push(`${host} was sent a table of no network`);
        else this.#become(host, revision, { network, peers: new Map(endpoints.map((peer) => [peer.id, peer])) });
        break;
      }
      case 'delta': {
        const { networkId, from, to, network, endpoints, removedEndpointIds } = message.delta;
        const before = this.#copies.get(host)?.get(`${networkId} ${from}`);
        if (before === undefined || session.get(networkId) !== from) {
          this.faults.push(
            `${host} was sent a step of ${networkId} from ${from}, and has it @${session.get(networkId)}`,
          );
          break;
        }
        this.seen.delta++;
        if (network !== undefined) this.seen.changedNetwork++;
        if (network === undefined && endpoints.length === 0 && removedEndpointIds.length === 0) this.seen.emptyStep++;
        const peers = new Map(before.peers);
        for (const id of removedEndpointIds) peers.delete(id);
        for (const peer of endpoints) peers.set(peer.id, peer);
        this.#become(host, to, { network: network ?? before.network, peers });
        break;
      }
      case 'withdraw':
        this.seen.withdraw++;
        session.delete(message.withdraw.networkId);
        break;
      case 'ready':
        this.seen.ready++;
        this.#ready(host, message.ready.revision, new Map(session));
        break;
      default:
    }
  }

  #become(host: string, revision: bigint, copy: Copy): void {
    const { id } = copy.network;
    const copies = this.#copies.get(host) ?? new Map<string, Copy>();
    this.#copies.set(host, copies.set(`${id} ${revision}`, copy));
    this.#sessions.get(host)?.set(id, revision);
    this.#when(revision, () =>
      this.#compare(`${host} was brought to ${id} @${revision}`, copy, this.#records.at(revision)),
    );
  }

  #ready(host: string, revision: bigint, session: ReadonlyMap<string, bigint>): void {
    this.#when(revision, () => {
      const moment = this.#records.at(revision);
      const node = [...moment.nodes.values()].find(({ name }) => name === host);
      const own = [...moment.endpoints.values()].filter((endpoint) => endpoint.node === node?.id);
      for (const id of new Set(own.map(({ network }) => network))) {
        const at = session.get(id);
        const copy = this.#copies.get(host)?.get(`${id} ${at}`);
        const said = `${host} got Ready @${revision}`;
        if (copy === undefined) this.faults.push(`${said}, and was never sent ${id}`);
        else this.#compare(`${said} with ${id} @${at}`, copy, moment);
      }
    });
  }

  #compare(what: string, copy: Copy, moment: Moment): void {
    const [is, must] = [copyLines(copy), recordLines(moment, copy.network.id)];
    if (is.join() !== must.join()) this.faults.push(`${what}: has [${is}], records say [${must}]`);
  }

  #when(revision: bigint, check: () => void): void {
    this.#pending.push({ revision, check });
    this.#catchUp();
  }

  #catchUp(): void {
    const { revision: now } = this.#records.now;
    const due = this.#pending.filter(({ revision }) => revision <= now);
    this.#pending = this.#pending.filter(({ revision }) => revision > now);
    for (const { check } of due) check();
  }

  /** Number of checks that are still to be made; 0 when all is at rest. */
  get pending(): number {
    return this.#pending.length;
  }
}

function copyLines({ network, peers }: Copy): readonly string[] {
  const { name, vni, mtu, subnets } = network;
  return [
    `${name} vni ${vni} mtu ${mtu} ${subnets.map(({ prefix, gateway }) => `${prefix} ${gateway}`)}`,
    ...Array.from(peers.values(), (peer) =>
      [peer.id, peer.name, peer.nodeId, peer.mac, peer.vtep, ...peer.addresses].join(' '),
    ).sort(),
  ];
}

function recordLines({ networks, endpoints, nodes }: Moment, id: string): readonly string[] {
  const network = networks.get(id);
  if (network === undefined) return [];
  const { name, vni, mtu, subnets } = network;
  const members = [...endpoints.values()].filter((endpoint) => endpoint.network === id);
  return [
    `${name} vni ${vni} mtu ${mtu.bytes} ${subnets.map(({ prefix, gateway = '' }) => `${prefix} ${gateway}`)}`,
    ...members
      .map((each) =>
        [each.id, each.name, each.node, each.mac, nodes.get(each.node)?.dataPath, ...each.addresses].join(' '),
      )
      .sort(),
  ];
}
