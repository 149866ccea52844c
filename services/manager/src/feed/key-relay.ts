import { CausewayError, type NodeKeys as Keys, messageOf, type NetworkId, type NodeId, usesEsp } from '@causeway/model';
import { nodeKeysFromMessage, nodeKeysToMessage } from '@causeway/proto';
import type {
  KeyReceipt,
  KeyReceipts,
  NodeKeys,
  OwnKeys,
  PeerKey,
} from '@causeway/proto/gen/causeway/v1/session_service.js';
import { type Clock, type Log, type Rate, TokenBucket } from '@causeway/runtime';
import type { View, ViewChange } from '../store/view.ts';
import { encodeKeyReceipts, encodeOwnKeys, encodePeerKeys } from './encode.ts';
import { KeyOutbox } from './key-outbox.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { Tables } from './steps.ts';

/** Writes the keys of hosts. */
export interface KeyWriter {
  /** The host's number in SPIs, which it gets if it has none, with the keys that the store has. */
  reserveIndex(node: NodeId): Promise<Keys>;
  /** @throws CausewayError invalid-argument, revision-conflict, not-leader, store-unavailable … */
  publish(keys: Keys): Promise<Keys>;
}

export interface KeyRelayParts {
  readonly view: Pick<View, 'records' | 'nodes' | 'networks' | 'networksOn'>;
  readonly tables: Tables;
  readonly sessions: Pick<Sessions, 'of'>;
  readonly keys: KeyWriter;
  readonly clock: Clock;
  readonly log: Log;
}

/** `print`: what the peer's keys and its place are, in short. */
interface Peer {
  readonly print: string;
  readonly keys: Keys;
  readonly dataPath: string;
}

/** A host has at most three generations, and so has its peer. */
const mostPairs = 9;
const mostReceipts = 1024;
/**
 * How often an agent may ask for its index or publish keys. A new key takes it two messages, each of which is a write, and a message
 * to each peer.
 */
const publications: Rate = { burst: 10, perSecond: 2 };

/**
 * Passes keys and receipts between hosts that share an encrypted network. Keys are in the store. Receipts are not: a host sends
 * all of its receipts in each session, and the leader keeps the last one between any two hosts.
 */
export class KeyRelay {
  readonly #parts: KeyRelayParts;
  /** By receiver, then by sender. */
  readonly #receipts = new Map<NodeId, Map<NodeId, KeyReceipt>>();
  /** What each agent that takes part was sent: of each peer, what its keys and its place were. */
  readonly #told = new WeakMap<Session, Map<NodeId, string>>();
  readonly #published = new WeakMap<Session, TokenBucket>();
  readonly #outbox: KeyOutbox;

  constructor(parts: KeyRelayParts) {
    this.#parts = parts;
    this.#outbox = new KeyOutbox({ ...parts, tellKeys: (session) => this.#update(session) });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#outbox.run(signal);
  }

  /** Called when a term begins. */
  reset(): void {
    this.#receipts.clear();
  }

  /** The host's record was removed. */
  forget(node: NodeId): void {
    this.#receipts.delete(node);
    for (const others of this.#receipts.values()) others.delete(node);
  }

  /** The agent asks for its index, or publishes keys. It is answered when they are stored, or not at all, and tries again. */
  async published(session: Session, node: NodeId, message: NodeKeys): Promise<void> {
    const { keys, log } = this.#parts;
    if (!this.#mayPublish(session)) return;
    try {
      const own =
        message.version === 0n ? keys.reserveIndex(node) : keys.publish({ ...nodeKeysFromMessage(message), node });
      session.send(encodeOwnKeys(ownKeys(await own)));
      this.#introduce(session);
    } catch (error) {
      log.warn('keys.not-stored', { nodeId: node, message: messageOf(error) });
    }
  }

  /** @throws CausewayError invalid-argument */
  received(from: NodeId, { receipts }: KeyReceipts): void {
    if (receipts.length > mostReceipts || receipts.some(({ receives }) => receives.length > mostPairs))
      throw new CausewayError('invalid-argument', 'these are more receipts than a host has', { field: 'receipts' });
    for (const receipt of receipts) {
      const to = receipt.nodeId as NodeId;
      if (!this.#parts.view.nodes.has(to)) continue;
      const toThem = this.#receipts.get(to) ?? new Map<NodeId, KeyReceipt>();
      this.#receipts.set(to, toThem);
      const passed = { ...receipt, nodeId: from };
      toThem.set(from, passed);
      const session = this.#parts.sessions.of(to);
      if (session !== undefined && this.#told.get(session)?.has(from) === true)
        this.#outbox.oweReceipt(session, passed);
    }
  }

  /**
   * Peers that send to the host with its keys up to this generation, or get packets from the host with them. A peer that has said
   * nothing may do so.
   */
  usersOf(node: NodeId, upTo: number): readonly NodeId[] {
    return [...this.#peersOf(node).keys()].filter((peer) => {
      const [received, sent] = [this.#receipt(peer, node), this.#receipt(node, peer)];
      if (received === undefined) return true;
      const generations = [received.sends?.receiver, sent?.sends?.sender];
      return generations.some((generation) => generation !== undefined && generation <= BigInt(upTo));
    });
  }

  /** Hosts of these that send nothing in ESP to another one of these, as far as receipts say. */
  *withoutSas(hosts: readonly NodeId[]): Generator<readonly [from: NodeId, to: NodeId]> {
    for (const from of hosts) {
      for (const to of hosts) {
        if (from !== to && this.#receipt(from, to)?.sends === undefined) yield [from, to];
      }
    }
  }

  #receipt(from: NodeId, to: NodeId): KeyReceipt | undefined {
    return this.#receipts.get(to)?.get(from);
  }

  /** The view and the tables have changed. */
  follow(changes: readonly ViewChange[]): void {
    for (const node of this.#concerned(changes)) {
      const session = this.#parts.sessions.of(node);
      if (session !== undefined && this.#told.has(session)) this.#outbox.oweKeys(session);
    }
  }

  /** The first message to an agent has all of its peers, then come all receipts to it. */
  #introduce(session: Session): void {
    if (this.#told.has(session)) return;
    this.#told.set(session, new Map());
    this.#update(session, true);
  }

  /** What is too much is not answered, so an agent that has made no mistake says the same again after a while. */
  #mayPublish(session: Session): boolean {
    const now = this.#parts.clock.now();
    const bucket = this.#published.get(session) ?? new TokenBucket(publications, now);
    this.#published.set(session, bucket);
    return bucket.take(now);
  }

  /** Sends an agent what has changed of its peers since the last message. */
  #update(session: Session, complete = false): void {
    const told = this.#told.get(session);
    const node = session.node?.id;
    if (told === undefined || node === undefined) return;
    const peers = this.#peersOf(node);
    const news = [...peers].filter(([id, { print }]) => told.get(id) !== print);
    const removed = [...told.keys()].filter((id) => !peers.has(id));
    if (news.length + removed.length === 0 && !complete) return;
    const isNew = news.filter(([id]) => !told.has(id)).map(([id]) => id);
    for (const id of removed) {
      told.delete(id);
      this.#outbox.forget(session, id);
    }
    for (const [id, { print }] of news) told.set(id, print);
    const keys = news.map(([, peer]) => peerKey(peer));
    session.send(encodePeerKeys({ complete, peers: keys, removedNodeIds: removed }));
    const receipts = isNew.flatMap((id) => this.#receipts.get(node)?.get(id) ?? []);
    if (receipts.length > 0) session.send(encodeKeyReceipts(receipts));
  }

  #peersOf(node: NodeId): ReadonlyMap<NodeId, Peer> {
    const { view, tables } = this.#parts;
    const peers = new Map<NodeId, Peer>();
    for (const network of view.networksOn(node)) {
      if (!this.#usesEsp(network)) continue;
      for (const id of tables.get(network)?.hosts.keys() ?? []) {
        const record = view.records('nodeKeys').get({ id });
        const dataPath = view.nodes.get(id)?.value.dataPath;
        if (id === node || peers.has(id) || dataPath === undefined || record === undefined) continue;
        if (record.value.version === 0) continue;
        peers.set(id, { print: `${record.revision} ${dataPath}`, keys: record.value, dataPath });
      }
    }
    return peers;
  }

  #usesEsp(id: NetworkId): boolean {
    const network = this.#parts.view.networks.get(id)?.value;
    return network !== undefined && usesEsp(network);
  }

  /** Hosts whose peers may have changed. */
  #concerned(changes: readonly ViewChange[]): ReadonlySet<NodeId> {
    const { view, tables } = this.#parts;
    const nodes = new Set<NodeId>();
    const addHostsOf = (network: NetworkId): void => {
      if (!this.#usesEsp(network)) return;
      for (const host of tables.get(network)?.hosts.keys() ?? []) nodes.add(host);
    };
    for (const change of changes) {
      if (change.kind === 'reset') for (const id of view.networks.keys()) addHostsOf(id);
      if (change.kind === 'network') addHostsOf(change.id);
      if (change.kind === 'node' || change.kind === 'node-keys')
        for (const id of view.networksOn(change.id)) addHostsOf(id);
      if (change.kind !== 'endpoint') continue;
      addHostsOf(change.network);
      for (const { value } of [change.before, change.after].flatMap((each) => each ?? [])) nodes.add(value.node);
    }
    return nodes;
  }
}

/** Made for what has changed only: a change of one host's keys makes all of its peers look through all of theirs. */
function peerKey({ keys, dataPath }: Peer): PeerKey {
  return { keys: nodeKeysToMessage(keys), dataPath };
}

function ownKeys({ index, version, generations }: Keys): OwnKeys {
  return { index, version: BigInt(version), newest: BigInt(generations.at(-1)?.generation ?? 0) };
}
