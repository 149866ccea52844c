import { CausewayError, type FeedVersion, feedVersions, type NetworkId, type Node, type NodeId } from '@causeway/model';
import type { Hello } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { type Clock, type Log, seconds, within } from '@causeway/runtime';
import type { Identity } from '../call/identity.ts';
import { checkOwnNode } from '../call/policy.ts';
import type { Term } from '../election/term.ts';
import { checkNotRemoved } from '../plan/removed-node.ts';
import { later } from '../store/moment.ts';
import type { Cluster, View } from '../store/view.ts';
import { encodeRemovedManagers, encodeWelcome } from './encode.ts';
import { type CheckedHello, readHello } from './hello.ts';
import type { HostProgress } from './host-progress.ts';
import { checkIdentityConflicts } from './identity-conflicts.ts';
import { heartbeat, returnWithin } from './liveness.ts';
import { removedManagers } from './removed-managers.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** How long to wait for a view that is behind an agent's cursors. Normally the next watch message brings the view there. */
const catchUpLimit = seconds(5);

export interface Registrar {
  /**
   * Writes the host's record if it is new or changed, and the resulting changes of networks. Returns the store revision that
   * has all this. @throws CausewayError name-taken, not-leader, store-unavailable …
   */
  register(node: Node): Promise<bigint>;
}

export interface AdmissionParts {
  readonly view: View;
  readonly registrar: Registrar;
  readonly sessions: Sessions;
  readonly progress: HostProgress;
  /** The term in which this manager leads; undefined: this manager does not lead. */
  readonly term: () => Term | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AdmissionSettings {
  /** Feed versions that this manager speaks, from the oldest; absent: this version's. */
  readonly feeds?: readonly FeedVersion[];
}

/** All steps between an agent's Hello and its Welcome. */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #feeds: readonly FeedVersion[];

  constructor(parts: AdmissionParts, { feeds = feedVersions }: AdmissionSettings) {
    this.#parts = parts;
    this.#feeds = feeds;
  }

  /** False: this manager does not lead. @throws CausewayError what is wrong with the Hello, or the host */
  async admit(session: Session, hello: Hello, peer: Identity): Promise<boolean> {
    const { view, registrar, clock, log } = this.#parts;
    if (!session.introduce()) throw new CausewayError('invalid-argument', 'hello was sent twice', { field: 'message' });
    const { cluster } = view;
    const term = this.#parts.term();
    if (hello.node !== undefined) checkNotRemoved(view, hello.node.id as NodeId);
    if (cluster === undefined || term === undefined) return false;
    const checked = readHello(hello, cluster, this.#feeds);
    checkOwnNode(peer, checked.node.id);
    this.#checkIdentityConflicts(checked.node);
    const registered = await registrar.register(checked.node);
    const needed = later(registered, checked.atLeast);
    const caughtUp = await within(clock, catchUpLimit, (signal) => reached(view, needed, signal));
    if (!caughtUp)
      log.warn('session.ahead', { nodeId: checked.node.id, revision: needed, viewRevision: view.revision });
    if (session.state.kind === 'closed') return true;
    if (this.#parts.term() !== term) return false;
    checkNotRemoved(view, checked.node.id); // it may have been removed meanwhile
    this.#checkIdentityConflicts(checked.node); // another host may have been admitted meanwhile
    this.#welcome(session, checked, cluster, term);
    return true;
  }

  #welcome(session: Session, { node, cursors, continues, feed }: CheckedHello, cluster: Cluster, term: Term): void {
    const { view, sessions, progress } = this.#parts;
    const { id: clusterId, epoch } = cluster;
    sessions.admit(session, node, feed);
    session.send(
      encodeWelcome({
        ...{ clusterId, epoch, term: term.revision, feedVersion: feed.number },
        ...{ heartbeatMs: heartbeat, returnWithinMs: returnWithin(view.nodes.size) },
      }),
    );
    const removed = removedManagers(view);
    if (removed.length > 0) session.send(encodeRemovedManagers(removed));
    session.tellState({ drained: view.nodes.get(node.id)?.value.drained ?? false });
    progress.sessionBegan(node.id, this.#known(cursors.map(({ networkId }) => networkId as NetworkId)));
    sessions.step(session, { kind: 'hello', cursors, subscribed: view.networksOn(node.id), continues });
  }

  #checkIdentityConflicts(node: Node): void {
    const { view, sessions, progress, clock } = this.#parts;
    checkIdentityConflicts(node, {
      live: (id) => sessions.of(id)?.node,
      silentSince: (id) => progress.silentSince(id),
      endpointsOn: (id) => view.endpointsOn(id).size,
      nodes: view.nodesAt(node.dataPath),
      now: clock.now(),
    });
  }

  /** The networks, of those that a host names, that exist or that were deleted and still have claims that wait for hosts. */
  #known(named: readonly NetworkId[]): readonly NetworkId[] {
    const { view } = this.#parts;
    if (named.every((id) => view.networks.has(id))) return named;
    const cooling = new Set(view.networksWithClaims());
    for (const { claim } of view.vnis.values()) if (claim.kind === 'cooling') cooling.add(claim.network);
    return named.filter((id) => view.networks.has(id) || cooling.has(id));
  }
}

function reached(view: View, revision: bigint, signal: AbortSignal): Promise<boolean> {
  return view.waitFor(revision, signal).then(
    () => true,
    () => false,
  );
}
