import {
  assertNever,
  CausewayError,
  type FeedVersion,
  feedOf,
  feedRange,
  type NetworkId,
  type Stamp,
  unnamedFeed,
} from '@causeway/model';
import type { Duration } from '@causeway/runtime';
import type { ClusterPosition } from '../disk/cluster-position.ts';
import type { KeyNews } from '../encryption/news.ts';
import { type Delta, type DeltaMismatch, mismatchOf, type Table } from '../tables/table.ts';
import type { Incoming } from './incoming.ts';

/**
 * One session as values: hello was sent ─ welcome ─▶ catching-up ─ ready ─▶ ready. Every phase can end by `leave`.
 *
 * The machine only reads the tables. It returns what is to be done as effects, in order.
 */
export type SessionState =
  | {
      readonly phase: 'greeting';
      readonly seen: ClusterPosition | undefined;
      /** Feed versions that Hello named, oldest first. */
      readonly feeds: readonly FeedVersion[];
    }
  | {
      readonly phase: 'catching-up' | 'ready';
      readonly seen: ClusterPosition;
      /** Feed version that the manager has chosen from those that both sides know. */
      readonly feed: FeedVersion;
      /** Networks that the agent has asked for whole. Until the whole table arrives, deltas of the network are ignored. */
      readonly resyncing: ReadonlySet<NetworkId>;
      /**
       * The manager has said that the tables are complete up to this revision, but whole tables are still on their way.
       */
      readonly unconfirmed?: bigint;
    };

type Greeting = Extract<SessionState, { phase: 'greeting' }>;
type Welcomed = Extract<SessionState, { phase: 'catching-up' | 'ready' }>;

export type Effect =
  /**
   * The agent has learnt its cluster, or a change of the cluster's epoch or term, and must save it. `alarm`: the store
   * was restored from a snapshot.
   */
  | { readonly effect: 'remember'; readonly seen: ClusterPosition; readonly alarm: boolean }
  | { readonly effect: 'welcomed'; readonly heartbeat: Duration; readonly returnWithin: Duration }
  | { readonly effect: 'replace'; readonly table: Table }
  | { readonly effect: 'step'; readonly delta: Delta }
  | { readonly effect: 'resync'; readonly networkId: NetworkId; readonly why: DeltaMismatch }
  | { readonly effect: 'drop'; readonly networkId: NetworkId }
  /** Every missed change is in the tables now, so an object that is in no table is not desired. */
  | { readonly effect: 'confirm'; readonly stamp: Stamp }
  | { readonly effect: 'verify'; readonly call: bigint; readonly repair: boolean }
  | { readonly effect: 'tell-sas'; readonly call: bigint }
  | { readonly effect: 'rekey'; readonly after: number }
  | { readonly effect: 'keys'; readonly news: KeyNews }
  | { readonly effect: 'drained'; readonly drained: boolean }
  /** Ends the session. */
  | { readonly effect: 'leave'; readonly error: CausewayError };

export interface TablesView {
  get(networkId: NetworkId): Table | undefined;
}

export interface Step {
  readonly state: SessionState;
  readonly effects: readonly Effect[];
}

/** The state before the first message. `seen`: what the data directory knows of the cluster, if anything. */
export function greeting(seen: ClusterPosition | undefined, feeds: readonly FeedVersion[]): SessionState {
  return { phase: 'greeting', seen, feeds };
}

export function step(state: SessionState, incoming: Incoming, tables: TablesView): Step {
  if (incoming.kind === 'goodbye') return leave(state, farewell(incoming));
  if (state.phase === 'greeting') {
    return incoming.kind === 'welcome' ? welcome(state, incoming) : leave(state, disorder(incoming.kind, state.phase));
  }
  switch (incoming.kind) {
    case 'welcome':
      return leave(state, disorder('welcome', state.phase));
    case 'complete':
      return arrived(state, incoming.table.network.id, {
        effect: 'replace',
        table: { ...incoming.table, epoch: state.seen.epoch },
      });
    case 'delta':
      return stepNetwork(state, incoming.delta, tables);
    case 'withdraw':
      return arrived(state, incoming.networkId, { effect: 'drop', networkId: incoming.networkId });
    case 'ready':
      return confirmed({ ...state, phase: 'ready', unconfirmed: incoming.revision }, []);
    case 'verify':
      return { state, effects: [{ effect: 'verify', call: incoming.call, repair: incoming.repair }] };
    case 'crypto':
      return { state, effects: [{ effect: 'tell-sas', call: incoming.call }] };
    case 'rekey':
      return { state, effects: [{ effect: 'rekey', after: incoming.after }] };
    case 'keys':
      return { state, effects: [{ effect: 'keys', news: incoming.news }] };
    case 'host-state':
      return { state, effects: [{ effect: 'drained', drained: incoming.drained }] };
    default:
      return assertNever(incoming);
  }
}

/**
 * greeting -> catching-up. The agent leaves a manager of another cluster, an old leader, and a manager with an unknown
 * feed version.
 */
function welcome(state: Greeting, incoming: Incoming & { kind: 'welcome' }): Step {
  const { seen, feeds } = state;
  const { clusterId, epoch, term, heartbeat, returnWithin } = incoming;
  const feed = feedOf(feeds, incoming.feed);
  if (seen !== undefined && seen.id !== clusterId) {
    const message = `this manager belongs to cluster ${clusterId}, the data directory of this host to cluster ${seen.id}: point --managers at the host's own cluster, or use an empty --data-dir`;
    return leave(state, new CausewayError('cluster-mismatch', message, { cluster: clusterId, own: seen.id }));
  }
  if (seen !== undefined && (epoch < seen.epoch || (epoch === seen.epoch && term < seen.term))) {
    const message = `this manager leads in term ${term} of epoch ${epoch}; this host has seen term ${seen.term} of epoch ${seen.epoch}, so the manager is an old leader`;
    return leave(state, new CausewayError('not-leader', message, { term: String(term) }));
  }
  if (feed === undefined) {
    const own = feedRange(feeds.map(({ number }) => number));
    const message = `this manager speaks feed version ${feedRange([incoming.feed || unnamedFeed])}, the agent of this host ${own}: upgrade the older one, managers first`;
    return leave(state, new CausewayError('feed-unsupported', message, { known: own }));
  }
  const now = { id: clusterId, epoch, term };
  const alarm = seen !== undefined && epoch > seen.epoch;
  const isNew = seen === undefined || seen.epoch !== epoch || seen.term !== term;
  return {
    state: { phase: 'catching-up', seen: now, feed, resyncing: new Set() },
    effects: [
      ...(isNew ? [{ effect: 'remember', seen: now, alarm } as const] : []),
      { effect: 'welcomed', heartbeat, returnWithin },
    ],
  };
}

function stepNetwork(state: Welcomed, delta: Delta, tables: TablesView): Step {
  const { networkId } = delta;
  if (state.resyncing.has(networkId)) return { state, effects: [] };
  const why = mismatchOf(tables.get(networkId), delta, { epoch: state.seen.epoch, feed: state.feed });
  if (why === undefined) return { state, effects: [{ effect: 'step', delta }] };
  const resyncing = new Set([...state.resyncing, networkId]);
  return { state: { ...state, resyncing }, effects: [{ effect: 'resync', networkId, why }] };
}

/** The network's whole table has arrived, or the network was withdrawn: no table of the network is on its way any more. */
function arrived(state: Welcomed, networkId: NetworkId, effect: Effect): Step {
  const resyncing = new Set([...state.resyncing].filter((other) => other !== networkId));
  return confirmed({ ...state, resyncing }, [effect]);
}

/** Confirms the revision that Ready named, once no whole table is on its way. */
function confirmed({ unconfirmed, ...state }: Welcomed, effects: readonly Effect[]): Step {
  if (unconfirmed === undefined) return { state, effects };
  if (state.resyncing.size > 0) return { state: { ...state, unconfirmed }, effects };
  const stamp = { epoch: state.seen.epoch, revision: unconfirmed };
  return { state, effects: [...effects, { effect: 'confirm', stamp }] };
}

function leave(state: SessionState, error: CausewayError): Step {
  return { state, effects: [{ effect: 'leave', error }] };
}

function farewell({ leader, reason, taken }: Incoming & { kind: 'goodbye' }): CausewayError {
  if (taken) {
    const message = `${reason}, and this agent did not: another agent has the same identity; was the data directory copied?`;
    return new CausewayError('session-taken', message);
  }
  if (leader === '') return new CausewayError('manager-unavailable', reason);
  return new CausewayError('not-leader', reason, { leader });
}

function disorder(kind: string, phase: string): CausewayError {
  return new CausewayError('internal', `a manager sent "${kind}" while the session was ${phase}`);
}
