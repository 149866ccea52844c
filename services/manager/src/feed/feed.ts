import {
  CausewayError,
  type Endpoint,
  type FeedVersion,
  feedVersions,
  isCausewayError,
  type NetworkId,
  type Node,
  type NodeId,
} from '@causeway/model';
import type { Hello } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { type Clock, type Log, milliseconds, type Startable, seconds, within } from '@causeway/runtime';
import type { Identity } from '../call/identity.ts';
import { checkOwnNode } from '../call/policy.ts';
import type { Controller, Term } from '../election/term.ts';
import type { EventSink } from '../events/event-sink.ts';
import type { Moment } from '../store/moment.ts';
import type { Versioned, View, ViewChange } from '../store/view.ts';
import { AgentMessages } from './agent-messages.ts';
import type { AppliedSummary } from './applied.ts';
import { AppliedTracker, type NetworkProgress } from './applied-tracker.ts';
import type { AgentChannel } from './channel.ts';
import { encodeWelcome } from './encode.ts';
import { readHello } from './hello.ts';
import { allHistoryBytes, HistoryBudget } from './history.ts';
import { Holdings, type Standing } from './holdings.ts';
import { type HostFacts, Hosts } from './hosts.ts';
import type { LiveSession } from './live-session.ts';
import { heartbeat } from './liveness.ts';
import { type Publication, Publisher } from './publisher.ts';
import type { Registrar } from './registrar.ts';
import { later } from './revision.ts';
import { checkRivals } from './rivals.ts';
import { Sessions } from './sessions.ts';
import { VerifyCalls, type VerifyOutcome } from './verify-calls.ts';

/** How often connections of agents that are owed something are looked at for room. Only while there are any. */
const roomPeriod = milliseconds(50);

/** A view that is behind what an agent has seen catches up in one watch message; beyond this it is not going to. */
const catchUpLimit = seconds(5);

export interface FeedModules {
  readonly view: View;
  readonly registrar: Registrar;
  readonly sink: EventSink;
  readonly clock: Clock;
  readonly log: Log;
}

export interface FeedSettings {
  /** Host:port of this manager's gRPC service: no agent is sent there when it does not lead. */
  readonly address: string;
  /** Feed versions that it speaks, from the oldest; absent: this version's. */
  readonly feeds?: readonly FeedVersion[];
  /** What may be kept of the past of all networks, in bytes; absent: as much as a manager can afford. */
  readonly historyBytes?: number;
}

/**
 * Brings every host exactly the networks it has an endpoint on, and knows what each has applied. Tables follow the view
 * on every manager, so that one which takes over can continue cursors; sessions are only for the leader.
 */
export class Feed implements Startable, Controller {
  readonly #modules: FeedModules;
  readonly #address: string;
  readonly #feeds: readonly FeedVersion[];
  readonly #publisher: Publisher;
  readonly #sessions: Sessions;
  readonly #applied: AppliedTracker;
  readonly #verifyCalls = new VerifyCalls();
  readonly #hosts = new Hosts();
  readonly #holdings: Holdings;
  /** When a host's session began, or ended. The store need not move at that. */
  readonly #sessionSince = new Map<NodeId, Moment>();
  readonly #standingListeners = new Set<(network: NetworkId) => void>();
  readonly #agentMessages: AgentMessages;
  readonly #abort = new AbortController();
  #term: Term | undefined;
  #unsubscribe: (() => void) | undefined;
  #liveness: Promise<void> | undefined;
  #draining: Promise<void> | undefined;

  constructor(modules: FeedModules, settings: FeedSettings) {
    const { view, clock } = modules;
    this.#modules = modules;
    this.#address = settings.address;
    this.#feeds = settings.feeds ?? feedVersions;
    const { historyBytes: most = allHistoryBytes } = settings;
    this.#publisher = new Publisher(view, this.#feeds, new HistoryBudget({ most }));
    const { tables } = this.#publisher;
    this.#applied = new AppliedTracker({ tables, clock, hasSession: (node) => this.#sessions.of(node) !== undefined });
    this.#holdings = new Holdings({ tables, clock });
    const changed = (node: NodeId): void => {
      this.#sessionSince.set(node, { revision: view.revision, time: clock.wall() });
      this.#applied.sessionChanged(node, view.networksOn(node));
      if (this.#sessions.of(node) === undefined) this.#holdings.ended(node);
      for (const network of [...view.networksOn(node), ...this.#holdings.leavingOf(node)]) this.#standingMoved(network);
    };
    this.#sessions = new Sessions({ ...modules, tables, changed });
    this.#agentMessages = new AgentMessages({
      ...modules,
      applied: this.#applied,
      holdings: this.#holdings,
      standingMoved: (network) => this.#standingMoved(network),
      verifyCalls: this.#verifyCalls,
      hosts: this.#hosts,
      sessions: this.#sessions,
    });
  }

  async start(): Promise<void> {
    const { view } = this.#modules;
    this.#publisher.update([{ kind: 'reset', revision: view.revision }]);
    this.#unsubscribe = view.subscribe((changes) => this.#follow(changes));
    this.#liveness = this.#watchLiveness(this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#standDown('this manager stops');
    this.#unsubscribe?.();
    this.#abort.abort();
    await Promise.all([this.#liveness, this.#draining]);
  }

  /**
   * Sessions are accepted in this term; the view must have reached it. What agents told in an earlier one is forgotten:
   * they may have told another leader otherwise meanwhile. At the end they are told the way to the new leader, if known.
   */
  run(term: Term): Promise<void> {
    this.#term = term;
    this.#sessionSince.clear();
    this.#holdings.reset();
    this.#hosts.reset();
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

  /** And since when it is so, as far as this manager knows: at most since it leads. */
  sessionOf(node: NodeId): { readonly state: 'ready' | 'syncing' | 'none'; readonly since: Moment } {
    const live = this.#sessions.of(node);
    const since = this.#sessionSince.get(node) ?? { revision: this.#term?.revision ?? 0n };
    if (live === undefined) return { state: 'none', since };
    return { state: live.isReady ? 'ready' : 'syncing', since };
  }

  /** Of a host that is not ready: since when, on the wall clock, and what its last session ended with. */
  absenceOf(node: NodeId): { readonly since: number; readonly lastWords: string } {
    const { clock } = this.#modules;
    const silent = clock.now() - (this.silentSince(node) ?? clock.now());
    return { since: clock.wall() - silent, lastWords: this.#sessions.lastWordsOf(node) ?? '' };
  }

  /** Those that have an endpoint of it. */
  hostsOf(network: NetworkId): readonly NodeId[] {
    return [...(this.#publisher.tables.get(network)?.hosts.keys() ?? [])];
  }

  /** Who has the network as it is now; undefined: there is no such network. */
  progressOf(network: NetworkId): NetworkProgress | undefined {
    return this.#applied.progressOf(network);
  }

  /** Whether the host has the network as it is now; undefined: there is no such network. */
  heldBy(node: NodeId, network: NetworkId): { readonly revision: bigint; readonly applied: boolean } | undefined {
    return this.#applied.heldBy(node, network);
  }

  /** Who has programmed the endpoint's last change. */
  appliedOf(endpoint: Versioned<Endpoint>): AppliedSummary {
    return this.#applied.appliedOf(endpoint);
  }

  /** How far the hosts are that may hold something of a network, even of one that is gone. */
  standingOf(network: NetworkId): Standing {
    return this.#holdings.of(network);
  }

  /** When the host's session was lost, on the monotonic clock; undefined while it has one. */
  silentSince(node: NodeId): number | undefined {
    return this.#holdings.silentSince(node);
  }

  /** Resolves with true when the host's kernel follows the network up to the revision, with false when the signal aborts before. */
  waitFollowed(node: NodeId, network: NetworkId, revision: bigint, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (followed: boolean): void => {
        stop();
        signal.removeEventListener('abort', abort);
        resolve(followed);
      };
      const abort = (): void => end(false);
      const look = (moved: NetworkId): void => {
        if (moved === network && this.#holdings.hasReached(node, network, revision)) end(true);
      };
      const stop = this.subscribeStanding(look);
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
      else look(network);
    });
  }

  /** Called when the standing of a network may have moved. Returns the way to stop listening. */
  subscribeStanding(listener: (network: NetworkId) => void): () => void {
    this.#standingListeners.add(listener);
    return () => this.#standingListeners.delete(listener);
  }

  /** Resolves when every host of the network that has a session has applied the revision, or the signal aborts. */
  waitApplied(network: NetworkId, revision: bigint, signal: AbortSignal): Promise<void> {
    return this.#applied.wait(network, revision, signal);
  }

  /** Asks hosts to compare their kernels with the intent; who has not answered when the signal aborts is unreachable. */
  verify(nodes: readonly Node[], repair: boolean, signal: AbortSignal): Promise<VerifyOutcome> {
    return this.#verifyCalls.askAll(nodes, (node) => this.#sessions.of(node.id), repair, signal);
  }

  /** Serves one agent until its connection ends. Never throws: whatever the agent sends ends its own session at most. */
  async accept(channel: AgentChannel): Promise<void> {
    const { clock, log } = this.#modules;
    const live = this.#sessions.open(channel);
    try {
      if (this.#term === undefined) this.#turnAway(live);
      for await (const { message } of channel.requests) {
        live.lastHeard = clock.now();
        if (message.oneofKind === 'hello') await this.#hello(live, message.hello, channel.peer);
        else this.#agentMessages.receive(live, message);
      }
      this.#sessions.end(live);
    } catch (error) {
      const fields = { nodeId: live.node?.id, message: error instanceof Error ? error.message : String(error) };
      const known = isCausewayError(error) ? error : undefined;
      if (known === undefined) log.error('session.failed', fields);
      else log.warn('session.refused', { ...fields, code: known.code });
      this.#sessions.end(
        live,
        known ?? new CausewayError('internal', 'the session failed, see the log of the manager'),
      );
    } finally {
      this.#verifyCalls.sessionEnded(live);
    }
  }

  async #hello(live: LiveSession, hello: Hello, peer: Identity): Promise<void> {
    const { view, registrar, clock, log } = this.#modules;
    if (!live.greet()) throw new CausewayError('invalid-argument', 'hello was sent twice', { field: 'message' });
    const { cluster } = view;
    const term = this.#term;
    if (cluster === undefined || term === undefined) return this.#turnAway(live);
    const greeting = readHello(hello, cluster, this.#feeds);
    checkOwnNode(peer, greeting.node.id);
    this.#checkRivals(greeting.node);
    const registered = await registrar.register(greeting.node);
    const needed = later(registered, greeting.atLeast);
    const caughtUp = await within(clock, catchUpLimit, (signal) => reached(view, needed, signal));
    if (!caughtUp)
      log.warn('session.ahead', { nodeId: greeting.node.id, revision: needed, viewRevision: view.revision });
    if (live.state.kind === 'closed') return;
    if (this.#term !== term) return this.#turnAway(live);
    // Another one may have been quicker.
    this.#checkRivals(greeting.node);
    this.#sessions.admit(live, greeting.node, greeting.feed);
    const { cursors, continues, feed } = greeting;
    const { id: clusterId, epoch } = cluster;
    live.send(
      encodeWelcome({ clusterId, epoch, term: term.revision, heartbeatMs: heartbeat, feedVersion: feed.number }),
    );
    const held = this.#matters(cursors.map(({ networkId }) => networkId as NetworkId));
    this.#holdings.began(greeting.node.id, held);
    for (const network of held) this.#standingMoved(network);
    const subscribed = view.networksOn(greeting.node.id);
    this.#sessions.step(live, { kind: 'hello', cursors, subscribed, continues });
    this.#drain();
  }

  #checkRivals(node: Node): void {
    const { view, clock } = this.#modules;
    checkRivals(node, {
      live: (id) => this.#sessions.of(id)?.node,
      silentSince: (id) => this.silentSince(id),
      nodes: Array.from(view.nodes.values(), ({ value }) => value),
      now: clock.now(),
    });
  }

  /** Of the networks that a host names: those that are, and those that were deleted and whose claims wait for hosts. */
  #matters(named: readonly NetworkId[]): readonly NetworkId[] {
    const { view } = this.#modules;
    if (named.every((id) => view.networks.has(id))) return named;
    const cooling = new Set(view.networksWithClaims());
    for (const { claim } of view.vnis.values()) if (claim.kind === 'cooling') cooling.add(claim.network);
    return named.filter((id) => view.networks.has(id) || cooling.has(id));
  }

  #follow(changes: readonly ViewChange[]): void {
    for (const change of changes) if (change.kind === 'node' && change.after === undefined) this.#forget(change.id);
    for (const publication of this.#publisher.update(changes)) {
      this.#applied.published(publication);
      const network = publication.kind === 'vanished' ? publication.network : publication.table.id;
      for (const node of publication.left) this.#holdings.left(node, network);
      this.#deliver(publication);
    }
    this.#drain();
  }

  /** To the hosts of the network and those that leave it; no other host is even looked at. */
  #deliver(publication: Publication): void {
    const network = publication.kind === 'vanished' ? publication.network : publication.table.id;
    for (const node of publication.left) {
      const live = this.#sessions.of(node);
      if (live !== undefined) this.#sessions.step(live, { kind: 'unsubscribed', network });
    }
    if (publication.kind === 'vanished') return;
    for (const node of publication.table.hosts.keys()) {
      const live = this.#sessions.of(node);
      if (live === undefined) continue;
      const follows = publication.kind === 'moved' && !publication.joined.has(node);
      this.#sessions.step(
        live,
        follows ? { kind: 'delta', network, delta: publication.delta } : { kind: 'subscribed', network },
      );
    }
  }

  #forget(node: NodeId): void {
    const left = this.#holdings.leavingOf(node);
    this.#hosts.forget(node);
    this.#sessions.forget(node);
    this.#sessionSince.delete(node);
    this.#holdings.forget(node);
    for (const network of left) this.#standingMoved(network);
  }

  #standingMoved(network: NetworkId): void {
    for (const listener of this.#standingListeners) listener(network);
  }

  #standDown(reason: string): void {
    this.#term = undefined;
    this.#sessions.dismissAll(this.#leaderElsewhere(), reason);
  }

  #turnAway(live: LiveSession): void {
    this.#sessions.dismiss(live, this.#leaderElsewhere(), 'this manager does not lead');
  }

  #leaderElsewhere(): string {
    const { leader } = this.#modules.view;
    return leader === undefined || leader.address === this.#address ? '' : leader.address;
  }

  /** Pays what agents are owed as their connections take it; runs while anybody is owed something. */
  #drain(): void {
    if (this.#draining !== undefined || this.#sessions.behind.size === 0) return;
    const { clock } = this.#modules;
    const { signal } = this.#abort;
    const run = async (): Promise<void> => {
      while (this.#sessions.behind.size > 0 && !signal.aborted) {
        await clock.sleep(roomPeriod, signal);
        for (const live of [...this.#sessions.behind]) this.#sessions.step(live, { kind: 'room' });
      }
      this.#draining = undefined;
    };
    this.#draining = run();
  }

  async #watchLiveness(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules;
    while (!signal.aborted) {
      await clock.sleep(milliseconds(heartbeat / 2), signal);
      this.#sessions.endSilent(clock.now());
    }
  }
}

function reached(view: View, revision: bigint, signal: AbortSignal): Promise<boolean> {
  return view.waitFor(revision, signal).then(
    () => true,
    () => false,
  );
}
