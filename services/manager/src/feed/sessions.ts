import { CausewayError, type FeedVersion, type Node, type NodeId } from '@causeway/model';
import type { Clock, Log } from '@causeway/runtime';
import { nodeLost, nodeReady } from '../events/describe.ts';
import type { EventSink } from '../events/event-sink.ts';
import type { View } from '../store/view.ts';
import type { AgentChannel } from './channel.ts';
import { LiveSession } from './live-session.ts';
import { greetingLimit, silenceLimit, silent } from './liveness.ts';
import type { SessionEvent } from './session.ts';
import type { Tables } from './steps.ts';

export interface SessionsModules {
  readonly view: Pick<View, 'revision'>;
  readonly tables: Tables;
  readonly sink: Pick<EventSink, 'emit'>;
  readonly clock: Clock;
  readonly log: Log;
  /** A host's session began or ended. */
  readonly changed: (node: NodeId) => void;
}

/** All agents' connections; at most one admitted session a host. */
export class Sessions {
  readonly #modules: SessionsModules;
  /** Every connection, greeted or not. */
  readonly #open = new Set<LiveSession>();
  readonly #admitted = new Map<NodeId, LiveSession>();

  readonly #behind = new Set<LiveSession>();
  /** Of a host that was ready in the session before. */
  readonly #handedOver = new WeakSet<LiveSession>();
  /** Why the last session of each host that has none ended. */
  readonly #lastWords = new Map<NodeId, string>();

  constructor(modules: SessionsModules) {
    this.#modules = modules;
  }

  of(node: NodeId): LiveSession | undefined {
    return this.#admitted.get(node);
  }

  /** Why the host's last session with this manager ended; undefined: it has one, or never had. */
  lastWordsOf(node: NodeId): string | undefined {
    return this.#lastWords.get(node);
  }

  forget(node: NodeId): void {
    this.#lastWords.delete(node);
  }

  /** Those that are owed something and wait for room. */
  get behind(): ReadonlySet<LiveSession> {
    return this.#behind;
  }

  open(channel: AgentChannel): LiveSession {
    const live = new LiveSession(channel, this.#modules.clock.now());
    this.#open.add(live);
    return live;
  }

  /**
   * An older session of the host makes room: its agent has begun anew. Should another agent have the same identity, each is told, so
   * that it does not come back at once. A host that was ready stays so for those who are told of hosts.
   */
  admit(live: LiveSession, node: Node, feed: FeedVersion): void {
    const { view, tables, log, changed } = this.#modules;
    const older = this.#admitted.get(node.id);
    if (older?.isReady === true) this.#handedOver.add(live);
    if (older !== undefined) {
      older.dismiss({ reason: 'the agent of this host began another session', taken: true });
      this.#remove(older);
    }
    live.admit(node, tables, () => view.revision, feed);
    this.#admitted.set(node.id, live);
    this.#lastWords.delete(node.id);
    log.info('session.admitted', { nodeId: node.id, node: node.name, feedVersion: feed.number });
    changed(node.id);
  }

  /** A session that cannot take what it should send ends; the agent's next one begins from its cursor. */
  step(live: LiveSession, event: SessionEvent): void {
    const wasReady = live.isReady;
    try {
      live.step(event);
    } catch (error) {
      this.#modules.log.error('session.failed', { nodeId: live.node?.id, message: String(error) });
      this.end(live, new CausewayError('internal', 'the session failed, see the log of the manager'));
    }
    if (live.isBehind) this.#behind.add(live);
    else this.#behind.delete(live);
    if (live.isReady && !wasReady && live.node !== undefined) {
      const host = live.node.name;
      this.#modules.log.info('session.ready', { nodeId: live.node.id, node: host });
      if (!this.#handedOver.delete(live)) this.#modules.sink.emit(nodeReady(live.node));
    }
  }

  /** The agent should go elsewhere. */
  dismiss(live: LiveSession, leaderAddress: string, reason: string): void {
    live.dismiss({ leaderAddress, reason });
    this.#remove(live);
  }

  dismissAll(leaderAddress: string, reason: string): void {
    for (const live of [...this.#open]) this.dismiss(live, leaderAddress, reason);
  }

  /** The session is lost, or refused when it was not admitted yet. Ending twice is ending once. */
  end(live: LiveSession, error?: CausewayError): void {
    live.close(error);
    const node = this.#remove(live);
    if (node === undefined) return;
    this.#modules.log.warn('session.lost', { nodeId: node.id, node: node.name, code: error?.code });
    const why = error?.message ?? 'its agent closed it or the connection broke';
    this.#lastWords.set(node.id, why);
    this.#modules.sink.emit(nodeLost(node, why));
  }

  endSilent(now: number): void {
    for (const live of silent(this.#open, now)) this.end(live, live.isGreeted ? unheard() : ungreeted());
  }

  /** Returns the host that has no session now because of this. */
  #remove(live: LiveSession): Node | undefined {
    this.#open.delete(live);
    this.#behind.delete(live);
    const { node } = live;
    if (node === undefined || this.#admitted.get(node.id) !== live) return undefined;
    this.#admitted.delete(node.id);
    this.#modules.changed(node.id);
    return node;
  }
}

function unheard(): CausewayError {
  return new CausewayError('agent-unavailable', `nothing heard for ${silenceLimit} ms`);
}

function ungreeted(): CausewayError {
  const message = `no Hello within ${greetingLimit} ms: the first message of a session must be hello`;
  return new CausewayError('invalid-argument', message, { field: 'message' });
}
