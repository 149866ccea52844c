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
  /** Called when a host has no session any more. */
  readonly ended: (node: NodeId) => void;
}

/** The connections of all agents. Each host has at most one admitted session. */
export class Sessions {
  readonly #parts: SessionsParts;
  /** Every connection, admitted or not. */
  readonly #open = new Set<Session>();
  readonly #admitted = new Map<NodeId, Session>();
  readonly #behind = new Set<Session>();
  /** Sessions of hosts that were ready in the session before. */
  readonly #handedOver = new WeakSet<Session>();
  /** When a host's session began or ended. The store's revision need not change at that moment. */
  readonly #since = new Map<NodeId, Moment>();
  /** For each host without a session: why its last session ended. */
  readonly #reasons = new Map<NodeId, string>();

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  of(node: NodeId): Session | undefined {
    return this.#admitted.get(node);
  }

  /** Hosts that have a session. */
  get hosts(): Iterable<NodeId> {
    return this.#admitted.keys();
  }

  /** When the host's session began or ended in this term; undefined: neither happened. */
  sinceOf(node: NodeId): Moment | undefined {
    return this.#since.get(node);
  }

  /** Why the host's last session with this manager ended; undefined: the host has a session, or never had one. */
  reasonOf(node: NodeId): string | undefined {
    return this.#reasons.get(node);
  }

  /** Sessions that wait for room in the connection for what they are owed. */
  get behind(): ReadonlySet<Session> {
    return this.#behind;
  }

  /** Called when a term begins. */
  reset(): void {
    this.#since.clear();
  }

  /** The host's record was removed. */
  forget(node: NodeId): void {
    this.#since.delete(node);
    this.#reasons.delete(node);
  }

  open(channel: AgentChannel): Session {
    const session = new Session(channel, this.#parts.clock.now());
    this.#open.add(session);
    return session;
  }

  /**
   * Admits a session and ends an older session of the same host: the agent has begun again. `taken` tells the agent of the
   * older session not to come back at once, in case two agents have the same identity. If the host was ready in the older
   * session, the new one emits no second event for it.
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
    this.#reasons.delete(node.id);
    this.#changed(node.id);
    log.info('session.admitted', { nodeId: node.id, node: node.name, feedVersion: feed.number });
  }

  /** A session that fails ends. The agent's next session continues from the agent's cursors. */
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

  /** Ends the session and sends the agent to the leader, if the leader is known. */
  dismiss(session: Session, leaderAddress: string, reason: string): void {
    session.dismiss({ leaderAddress, reason });
    this.#remove(session);
  }

  dismissAll(leaderAddress: string, reason: string): void {
    for (const session of [...this.#open]) this.dismiss(session, leaderAddress, reason);
  }

  /** The session is lost, or, if it was not admitted yet, refused. A second call has no effect. */
  end(session: Session, error?: CausewayError): void {
    session.close(error);
    const node = this.#remove(session);
    if (node === undefined) return;
    this.#parts.log.warn('session.lost', { nodeId: node.id, node: node.name, code: error?.code });
    const why = error?.message ?? 'its agent closed the session, or the connection broke';
    this.#reasons.set(node.id, why);
    this.#parts.sink.emit(nodeLost(node, why));
  }

  /** Ends the session of a host that must have none. What was sent before still goes out. */
  cut(node: NodeId, error: CausewayError): void {
    const session = this.#admitted.get(node);
    if (session === undefined) return;
    session.close(error);
    this.#remove(session);
    this.#parts.log.warn('session.cut', { nodeId: node, code: error.code, message: error.message });
  }

  endSilent(now: number): void {
    for (const session of [...this.#open])
      if (isSilent(session, now)) this.end(session, session.state.kind === 'connected' ? noHello() : unheard());
  }

  /** Returns the host that has no session now because of this removal. */
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
