import { CausewayError, type FeedVersion, type Node, type NodeId } from '@causeway/model';
import type { Clock, Log } from '@causeway/runtime';
import { nodeLost, nodeReady } from '../events/describe.ts';
import type { EventSink } from '../events/event-sink.ts';
import type { Moment } from '../store/moment.ts';
import type { View } from '../store/view.ts';
import type { AgentChannel } from './channel.ts';
import { helloLimit, isSilent, silenceLimit } from './liveness.ts';
import { Session } from './session.ts';
import type { Tables } from './steps.ts';
import type { SubscriptionEvent } from './subscriptions.ts';

export interface SessionsParts {
  readonly view: Pick<View, 'revision'>;
  readonly tables: Tables;
  readonly sink: Pick<EventSink, 'emit'>;
  readonly clock: Clock;
  readonly log: Log;
  /** A host has no session any more. */
  readonly ended: (node: NodeId) => void;
}

/** All agents' connections; at most one admitted session a host. */
export class Sessions {
  readonly #parts: SessionsParts;
  /** Every connection, admitted or not. */
  readonly #open = new Set<Session>();
  readonly #admitted = new Map<NodeId, Session>();
  readonly #behind = new Set<Session>();
  /** Of a host that was ready in the session before. */
  readonly #handedOver = new WeakSet<Session>();
  /** When a host's session began, or ended. The store need not move at that. */
  readonly #since = new Map<NodeId, Moment>();
  /** Why the last session of each host that has none ended. */
  readonly #lastWords = new Map<NodeId, string>();

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  of(node: NodeId): Session | undefined {
    return this.#admitted.get(node);
  }

  /** When the host's session began or ended in this term; undefined: neither has happened. */
  sinceOf(node: NodeId): Moment | undefined {
    return this.#since.get(node);
  }

  /** Why the host's last session with this manager ended; undefined: it has one, or never had. */
  lastWordsOf(node: NodeId): string | undefined {
    return this.#lastWords.get(node);
  }

  /** Those that are owed something and wait for room. */
  get behind(): ReadonlySet<Session> {
    return this.#behind;
  }

  /** A term begins. */
  reset(): void {
    this.#since.clear();
  }

  /** The host is no part of the cluster any more. */
  forget(node: NodeId): void {
    this.#since.delete(node);
    this.#lastWords.delete(node);
  }

  open(channel: AgentChannel): Session {
    const session = new Session(channel, this.#parts.clock.now());
    this.#open.add(session);
    return session;
  }

  /**
   * An older session of the host makes room: its agent has begun anew. Should another agent have the same identity, each is told, so
   * that it does not come back at once. A host that was ready stays so for those who are told of hosts.
   */
  admit(session: Session, node: Node, feed: FeedVersion): void {
    const { view, tables, log } = this.#parts;
    const older = this.#admitted.get(node.id);
    if (older?.isReady === true) this.#handedOver.add(session);
    if (older !== undefined) {
      older.dismiss({ reason: 'the agent of this host began another session', taken: true });
      this.#remove(older);
    }
    session.admit(node, tables, () => view.revision, feed);
    this.#admitted.set(node.id, session);
    this.#lastWords.delete(node.id);
    this.#changed(node.id);
    log.info('session.admitted', { nodeId: node.id, node: node.name, feedVersion: feed.number });
  }

  /** A session that cannot take what it should send ends; the agent's next one begins from its cursor. */
  step(session: Session, event: SubscriptionEvent): void {
    const wasReady = session.isReady;
    try {
      session.step(event);
    } catch (error) {
      this.#parts.log.error('session.failed', { nodeId: session.node?.id, message: String(error) });
      this.end(session, new CausewayError('internal', 'the session failed, see the log of the manager'));
    }
    if (session.isBehind) this.#behind.add(session);
    else this.#behind.delete(session);
    if (session.isReady && !wasReady && session.node !== undefined) {
      const host = session.node.name;
      this.#parts.log.info('session.ready', { nodeId: session.node.id, node: host });
      if (!this.#handedOver.delete(session)) this.#parts.sink.emit(nodeReady(session.node));
    }
  }

  /** The agent should go elsewhere. */
  dismiss(session: Session, leaderAddress: string, reason: string): void {
    session.dismiss({ leaderAddress, reason });
    this.#remove(session);
  }

  dismissAll(leaderAddress: string, reason: string): void {
    for (const session of [...this.#open]) this.dismiss(session, leaderAddress, reason);
  }

  /** The session is lost, or refused when it was not admitted yet. Ending twice is ending once. */
  end(session: Session, error?: CausewayError): void {
    session.close(error);
    const node = this.#remove(session);
    if (node === undefined) return;
    this.#parts.log.warn('session.lost', { nodeId: node.id, node: node.name, code: error?.code });
    const why = error?.message ?? 'its agent closed it or the connection broke';
    this.#lastWords.set(node.id, why);
    this.#parts.sink.emit(nodeLost(node, why));
  }

  endSilent(now: number): void {
    for (const session of [...this.#open])
      if (isSilent(session, now)) this.end(session, session.state.kind === 'connected' ? noHello() : unheard());
  }

  /** Returns the host that has no session now because of this. */
  #remove(session: Session): Node | undefined {
    this.#open.delete(session);
    this.#behind.delete(session);
    const { node } = session;
    if (node === undefined || this.#admitted.get(node.id) !== session) return undefined;
    this.#admitted.delete(node.id);
    this.#changed(node.id);
    this.#parts.ended(node.id);
    return node;
  }

  #changed(node: NodeId): void {
    const { view, clock } = this.#parts;
    this.#since.set(node, { revision: view.revision, time: clock.wall() });
  }
}

function unheard(): CausewayError {
  return new CausewayError('agent-unavailable', `nothing heard for ${silenceLimit} ms`);
}

function noHello(): CausewayError {
  const message = `no Hello within ${helloLimit} ms: the first message of a session must be hello`;
  return new CausewayError('invalid-argument', message, { field: 'message' });
}
