import {
  CausewayError,
  type FeedVersion,
  feedVersions,
  isCausewayError,
  messageOf,
  type NetworkId,
  type Node,
  type NodeId,
} from '@causeway/model';
import type { CryptoResult } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { type Clock, type Duration, type Log, Loop, type Startable } from '@causeway/runtime';
import type { Controller, Term } from '../election/term.ts';
import type { EventSink } from '../events/event-sink.ts';
import type { StepFacts } from '../plan/change-driver.ts';
import { isRemoved, removedHost } from '../plan/removed-node.ts';
import type { Moment } from '../store/moment.ts';
import type { View, ViewChange } from '../store/view.ts';
import { Admission, type Registrar } from './admission.ts';
import { AgentMessages } from './agent-messages.ts';
import type { AgentChannel } from './channel.ts';
import { Delivery } from './delivery.ts';
import { encodeCryptoCall, encodeRekey, encodeRemovedManagers } from './encode.ts';
import { type FanOutPause, fanOutPause } from './fan-out.ts';
import { allHistoryBytes, HistoryBudget } from './history.ts';
import { HostCalls } from './host-calls.ts';
import { HostProgress } from './host-progress.ts';
import { type HostFacts, Hosts } from './hosts.ts';
import { KeyRelay, type KeyWriter } from './key-relay.ts';
import { Looks, lookEvery } from './liveness.ts';
import { Publisher } from './publisher.ts';
import { removedManagers } from './removed-managers.ts';
import type { Session } from './session.ts';
import { Sessions } from './sessions.ts';
import { VerifyCalls, type VerifyOutcome } from './verify-calls.ts';

export interface FeedParts {
  readonly view: View;
  readonly registrar: Registrar;
  readonly keys: KeyWriter;
  readonly sink: EventSink;
  readonly clock: Clock;
  readonly log: Log;
}

export interface FeedSettings {
  /** Host:port of this manager's gRPC service. When this manager does not lead, it sends no agent to this address. */
  readonly address: string;
  /** Feed versions that this manager speaks, from the oldest; absent: this version's. */
  readonly feeds?: readonly FeedVersion[];
  /** Limit for the history of all networks, bytes; absent: `allHistoryBytes`. */
  readonly historyBytes?: number;
  /** Pause after a network's changes went to its hosts; absent: `fanOutPause`. */
  readonly pause?: FanOutPause;
}

/**
 * Sends every host exactly the networks in which the host has an endpoint, and knows what each host has applied. The tables
 * follow the view on every manager, so that a new leader can continue cursors. Only the leader has sessions.
 */
export class Feed implements Startable, Controller {
  readonly #parts: FeedParts;
  readonly #address: string;
  readonly #publisher: Publisher;
  /** What hosts have reported that they hold. */
  readonly progress: HostProgress;
  readonly #sessions: Sessions;
  readonly #admission: Admission;
  readonly #messages: AgentMessages;
  readonly #verifyCalls = new VerifyCalls();
  readonly #cryptoCalls = new HostCalls<CryptoResult>();
  readonly #hosts = new Hosts();
  readonly #abort = new AbortController();
  readonly #delivery: Delivery;
  readonly #keyRelay: KeyRelay;
  #term: Term | undefined;
  #unsubscribe: (() => void) | undefined;
  #loops: Promise<unknown> | undefined;

  constructor(parts: FeedParts, settings: FeedSettings) {
    const { view, clock } = parts;
    const { feeds = feedVersions, historyBytes: most = allHistoryBytes, pause = fanOutPause } = settings;
    this.#parts = parts;
    this.#address = settings.address;
    this.#publisher = new Publisher(view, feeds, new HistoryBudget({ most }));
    const { tables } = this.#publisher;
    this.progress = new HostProgress({ tables, view, clock });
    this.#sessions = new Sessions({ ...parts, tables, ended: (node) => this.progress.sessionEnded(node) });
    const shared = { ...parts, progress: this.progress, sessions: this.#sessions };
    this.#admission = new Admission({ ...shared, term: () => this.#term }, { feeds });
    this.#keyRelay = new KeyRelay({ ...parts, tables, sessions: this.#sessions });
    this.#messages = new AgentMessages({
      ...shared,
      hosts: this.#hosts,
      verifyCalls: this.#verifyCalls,
      cryptoCalls: this.#cryptoCalls,
      keyRelay: this.#keyRelay,
    });
    this.#delivery = new Delivery({ ...parts, tables, sessions: this.#sessions }, { pause });
  }

  async start(): Promise<void> {
    const { view } = this.#parts;
    const { signal } = this.#abort;
    this.#publisher.update([{ kind: 'reset', revision: view.revision }]);
    this.#unsubscribe = view.subscribe((changes) => this.#follow(changes));
    const loops = [this.#liveness(), this.#delivery, this.#keyRelay];
    this.#loops = Promise.all(loops.map((loop) => loop.run(signal)));
  }

  async stop(): Promise<void> {
    this.#standDown('this manager is stopping');
    this.#unsubscribe?.();
    this.#abort.abort();
    await this.#loops;
  }

  /**
   * Accepts sessions in this term. The view must have reached the term. Reports of agents from an earlier term are dropped:
   * the agents may have reported something else to another leader since. At the end of the term, the goodbye names the new
   * leader, if this manager knows it.
   */
  run(term: Term): Promise<void> {
    this.#term = term;
    for (const book of [this.#sessions, this.progress, this.#hosts, this.#keyRelay]) book.reset();
    return new Promise((resolve) => {
      const end = (): void => {
        this.#standDown('this manager does not lead any more');
        resolve();
      };
      term.signal.addEventListener('abort', end, { once: true });
    });
  }

  isReady(node: NodeId): boolean {
    return this.#sessions.of(node)?.isReady ?? false;
  }

  factsOf(node: NodeId): HostFacts {
    return this.#hosts.of(node);
  }

  /** State of the host's session, and since when, as far as this manager knows: at the earliest since it leads. */
  sessionOf(node: NodeId): { readonly state: 'ready' | 'syncing' | 'none'; readonly since: Moment } {
    const session = this.#sessions.of(node);
    const since = this.#sessions.sinceOf(node) ?? { revision: this.#term?.revision ?? 0n };
    if (session === undefined) return { state: 'none', since };
    return { state: session.isReady ? 'ready' : 'syncing', since };
  }

  /** For a host that is not ready: since when (Unix ms), and why its last session ended. */
  absenceOf(node: NodeId): { readonly since: number; readonly reason: string } {
    const { clock } = this.#parts;
    const silent = clock.now() - (this.progress.silentSince(node) ?? clock.now());
    return { since: clock.wall() - silent, reason: this.#sessions.reasonOf(node) ?? '' };
  }

  /** Hosts that have an endpoint in the network. */
  hostsOf(network: NetworkId): readonly NodeId[] {
    return [...(this.#publisher.tables.get(network)?.hosts.keys() ?? [])];
  }

  /**
   * Asks hosts to compare their kernels with the intent. A host that has not answered when the signal aborts is unreachable.
   */
  verify(nodes: readonly Node[], repair: boolean, signal: AbortSignal): Promise<VerifyOutcome> {
    return this.#verifyCalls.askAll(nodes, (node) => this.#sessions.of(node.id), repair, signal);
  }

  /** Asks hosts for the SAs of their kernels. undefined: the host has not answered when the signal aborts. */
  sasOf(nodes: readonly Node[], signal: AbortSignal): Promise<ReadonlyMap<Node, CryptoResult | undefined>> {
    return this.#cryptoCalls.askAll(nodes, (node) => this.#sessions.of(node.id), encodeCryptoCall, signal);
  }

  /** Asks the host for a key of a later generation, which the host publishes. Without a session nothing happens. */
  rekey(node: NodeId, after: number): void {
    this.#sessions.of(node)?.send(encodeRekey(after));
  }

  /** Hosts that may still use a key of this host up to the generation, as far as receipts of both say. */
  usersOfKeys(node: NodeId, upTo: number): readonly NodeId[] {
    return this.#keyRelay.usersOf(node, upTo);
  }

  /** What the next step of the network's driver depends on. */
  stepFacts(network: NetworkId): StepFacts {
    const { view } = this.#parts;
    const name = (node: NodeId): string => view.nodes.get(node)?.value.name ?? node;
    const { waiting = [], unreachable = [] } = this.progress.summaryNow(network) ?? {};
    const without = this.#keyRelay.withoutSas(this.hostsOf(network));
    return {
      waiting: waiting.map(name),
      unreachable: unreachable.map(name),
      withoutSas: map(without, ([from, to]) => [name(from), name(to)] as const),
    };
  }

  /** Serves one agent until its connection ends. Never throws: a bad message ends at most the agent's own session. */
  async accept(channel: AgentChannel): Promise<void> {
    const session = this.#sessions.open(channel);
    try {
      if (this.#term === undefined) this.#turnAway(session);
      await this.#read(session, channel);
      this.#sessions.end(session);
    } catch (error) {
      this.#sessions.end(session, this.#refusal(session, error));
    } finally {
      for (const calls of [this.#verifyCalls, this.#cryptoCalls]) calls.sessionEnded(session);
    }
  }

  async #read(session: Session, { peer, requests }: AgentChannel): Promise<void> {
    for await (const { message } of requests) {
      session.lastHeard = this.#parts.clock.now();
      if (message.oneofKind !== 'hello') this.#messages.receive(session, message);
      else if (await this.#admission.admit(session, message.hello, peer)) this.#delivery.lookForRoom();
      else this.#turnAway(session);
    }
  }

  #refusal(session: Session, error: unknown): CausewayError {
    const { log } = this.#parts;
    const fields = { nodeId: session.node?.id, message: messageOf(error) };
    if (isCausewayError(error)) {
      log.warn('session.refused', { ...fields, code: error.code });
      return error;
    }
    log.error('session.failed', fields);
    return new CausewayError('internal', 'the session failed, see the log of the manager');
  }

  #follow(changes: readonly ViewChange[]): void {
    for (const change of changes) {
      if (change.kind === 'reset') this.#beginAgain();
      if (change.kind === 'reset' || (change.kind === 'removed' && change.role === 'manager')) this.#tellRemoved();
      if (change.kind !== 'node') continue;
      if (change.after === undefined) this.#forget(change.id);
      else this.#tellState(change.after.value);
    }
    const publications = this.#publisher.update(changes);
    for (const publication of publications) this.progress.published(publication);
    this.#delivery.publish(publications);
    this.#keyRelay.follow(changes);
  }

  /** Tells the host's agent what the managers have decided about the host. */
  #tellState({ id, drained = false }: Node): void {
    this.#sessions.of(id)?.tellState({ drained });
  }

  /** Tells all agents which managers they must not trust any more. */
  #tellRemoved(): void {
    const removed = removedManagers(this.#parts.view);
    if (removed.length === 0) return;
    const bytes = encodeRemovedManagers(removed);
    for (const node of this.#sessions.hosts) this.#sessions.of(node)?.send(bytes);
  }

  /** After a snapshot it is not known what has changed. */
  #beginAgain(): void {
    const { view } = this.#parts;
    for (const { value } of view.nodes.values()) this.#tellState(value);
    for (const node of [...this.#sessions.hosts]) if (isRemoved(view, node)) this.#forget(node);
  }

  /** The host's record is gone. If the host was removed, its session ends at once. */
  #forget(node: NodeId): void {
    const { view } = this.#parts;
    if (isRemoved(view, node)) this.#sessions.cut(node, removedHost(view, node));
    for (const book of [this.#hosts, this.#sessions, this.progress, this.#keyRelay]) book.forget(node);
  }

  #standDown(reason: string): void {
    this.#term = undefined;
    this.#sessions.dismissAll(this.#leaderElsewhere(), reason);
  }

  #turnAway(session: Session): void {
    this.#sessions.dismiss(session, this.#leaderElsewhere(), 'this manager does not lead');
  }

  #leaderElsewhere(): string {
    const { leader } = this.#parts.view;
    return leader === undefined || leader.address === this.#address ? '' : leader.address;
  }

  #liveness(): Loop {
    const { clock, log } = this.#parts;
    const looks = new Looks();
    const step = async (): Promise<Duration> => {
      const now = clock.now();
      if (looks.counts(now)) this.#sessions.endSilent(now);
      return lookEvery;
    };
    const failed = (error: unknown): void => log.error('session.failed', { message: String(error) });
    return new Loop(this.#parts, { step, failed, retryAfter: lookEvery });
  }
}

function* map<From, To>(all: Iterable<From>, to: (from: From) => To): Generator<To> {
  for (const each of all) yield to(each);
}
