import {
  assertNever,
  CausewayError,
  type ErrorCode,
  type FeedVersion,
  isCausewayError,
  type Node,
  type Stamp,
} from '@causeway/model';
import { type Failover, nodeToMessage } from '@causeway/proto';
import type { ConnectRequest, NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Drift, HostHealth } from '@causeway/proto/gen/causeway/v1/types.js';
import {
  type Clock,
  type Duration,
  delays,
  type Log,
  milliseconds,
  type Random,
  type Startable,
  seconds,
} from '@causeway/runtime';
import type { ClusterPosition } from '../disk/identity.ts';
import type { HostStats } from '../reconcile/host-stats.ts';
import { Interner, type Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { type Incoming, readIncoming } from './incoming.ts';
import type { ManagerLink, SessionChannel } from './link.ts';
import { type Effect, greeting, step } from './machine.ts';
import { Reporter } from './reporter.ts';
import { learn, noWays, returned, wantsRelay } from './route.ts';

/**
 * Pause between attempts to connect. Short enough that an agent is back one second after an election; long enough for a
 * cluster of a thousand agents.
 */
const backoff = { first: milliseconds(50), max: milliseconds(500), factor: 2 };
/** Pause after an answer that does not change by itself, such as that of another cluster's manager. */
const pauseAfterRefusal = seconds(5);
/**
 * Pause after another agent with the same identity took the session. The pause grows, so that each of the two agents
 * keeps the session for a while.
 */
const afterTaken = { first: seconds(1), max: seconds(60), factor: 2 };
/**
 * A session that lasts this long was not taken, so the pause starts small again. Longer than the longest pause with
 * jitter.
 */
const settled = seconds(180);
/** Time for an election and for the agents to find the new leader, with a margin for a busy machine. */
const electionTakes = seconds(10);
/** Maximum number of different failures that are logged between two sessions. */
const saidAtMost = 32;
/** The agent closes a connection on which no Welcome arrives within this time. */
const welcomeWithin = seconds(5);

/** Errors that mean: no manager answered at the address, or the answer was late. */
const silences: ReadonlySet<string> = new Set(['manager-unavailable', 'timed-out']);

const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'cluster-mismatch',
  'name-taken',
  'node-in-use',
  'address-in-use',
  'address-invalid',
  'invalid-argument',
  'feed-unsupported',
]);

export interface SessionModules {
  readonly link: ManagerLink;
  readonly failover: Failover;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly tables: Tables;
  readonly stats: HostStats;
  /** The record of this host as it is now: the MTU of the underlay may have changed since start. */
  readonly node: () => Node;
  readonly health: () => HostHealth;
  readonly cluster: () => ClusterPosition | undefined;
  /** Resolves when `seen` is saved. `restored`: a new cluster epoch has begun. */
  readonly remember: (seen: ClusterPosition, restored: boolean) => Promise<void>;
  /** Called when the tables contain every change that the host has missed. */
  readonly confirm: (stamp: Stamp) => Promise<void>;
  readonly verify: (repair: boolean) => Promise<Drift[]>;
  /** Feed versions that this agent understands, oldest first. */
  readonly feeds: readonly FeedVersion[];
}

/** Keeps a session with the leader for as long as the agent runs. */
export class Session implements Startable {
  readonly #modules: SessionModules;
  readonly #interner = new Interner();
  readonly #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #manager: string | undefined;
  #reporter: Reporter | undefined;
  #ways = noWays;
  /** Address of the leader for which the agent left a relayed session. */
  #returningTo: string | undefined;
  /** Since when there has been no session, ms of the monotonic clock; undefined: there is a session. */
  #downSince: number | undefined;
  #lastError: unknown;
  /** Failures that were logged since the last session. Each is logged once, however many managers are tried in turn. */
  readonly #said = new Set<string>();
  readonly #waiting = new Set<() => void>();

  constructor(modules: SessionModules) {
    this.#modules = modules;
    modules.stats.onChange(() => this.#reporter?.poke());
  }

  /** Address of the manager with which the agent has a session. */
  get manager(): string | undefined {
    return this.#manager;
  }

  /**
   * Resolves when there is a session. Without a session a claimed endpoint cannot be programmed, because its table would
   * not arrive.
   * @throws CausewayError manager-unavailable, with the reason: at once when there has been no session for longer than an
   * election takes, otherwise when that time or the timeout has passed
   */
  async up(timeout: Duration): Promise<void> {
    const { clock } = this.#modules;
    const deadline = Math.min(clock.now() + timeout, (this.#downSince ?? clock.now()) + electionTakes);
    while (this.#downSince !== undefined) {
      const left = deadline - clock.now();
      if (left <= 0 || this.#abort.signal.aborted) throw this.#noSession();
      const woken = new AbortController();
      const wake = (): void => woken.abort();
      this.#waiting.add(wake);
      await clock.sleep(milliseconds(left), woken.signal);
      this.#waiting.delete(wake);
    }
  }

  #noSession(): CausewayError {
    const { clock } = this.#modules;
    const span = Math.round((clock.now() - (this.#downSince ?? clock.now())) / 1_000);
    const why = this.#lastError === undefined ? 'none answers yet' : messageOf(this.#lastError);
    const message = `this host has had no session with the managers for ${span} s (${why}): nothing was attached, try again`;
    return new CausewayError('manager-unavailable', message);
  }

  async start(): Promise<void> {
    this.#downSince = this.#modules.clock.now();
    this.#running = this.#run(this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    for (const wake of this.#waiting) wake();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { failover, clock, random } = this.#modules;
    let pauses = delays(backoff, random);
    let pausesAfterTaken = delays(afterTaken, random);
    while (!signal.aborted) {
      const address = failover.current;
      const began = clock.now();
      const { error: broken, welcomed } = await this.#connect(address, signal);
      const leader = this.#returningTo;
      this.#returningTo = undefined;
      // The agent ended this session itself, so the manager that relayed the session is not at fault.
      const error = leader === undefined ? broken : notLeader(leader);
      if (signal.aborted) return;
      const lasted = milliseconds(clock.now() - began);
      this.#ways = learn(this.#ways, { address, error, lasted }, clock.now());
      this.#downSince ??= clock.now();
      this.#lastError = error;
      this.#explain(address, error, welcomed);
      failover.moveOn(address, error);
      if (welcomed) pauses = delays(backoff, random);
      if (clock.now() - began > settled) pausesAfterTaken = delays(afterTaken, random);
      const code = isCausewayError(error) ? error.code : 'internal';
      if (code === 'session-taken') await clock.sleep(pausesAfterTaken.next().value, signal);
      else await clock.sleep(refusals.has(code) ? pauseAfterRefusal : pauses.next().value, signal);
    }
  }

  /** Runs one session, from Hello to its end; never throws. */
  async #connect(address: string, signal: AbortSignal): Promise<{ error: unknown; welcomed: boolean }> {
    const { link, clock, stats, health } = this.#modules;
    const channel = link.connect(address, { relay: wantsRelay(address, this.#ways, clock.now()) });
    const over = new AbortController();
    const close = (): void => {
      over.abort();
      channel.close();
    };
    signal.addEventListener('abort', close);
    const underlayMtu = (): number => this.#modules.node().underlayMtu;
    const epoch = (): bigint | undefined => this.#modules.cluster()?.epoch;
    const reporter = new Reporter({
      ...{ clock, stats, underlayMtu, health, epoch },
      send: (request) => channel.send(request),
    });
    const supervised: Promise<void>[] = [this.#awaitWelcome(channel, over.signal)];
    try {
      channel.send(this.#hello());
      await this.#follow(channel, (effect) => {
        if (effect.effect !== 'welcomed') return;
        this.#manager = address;
        this.#reporter = reporter;
        this.#said.clear();
        this.#downSince = undefined;
        for (const wake of this.#waiting) wake();
        const { relayedTo } = channel;
        this.#modules.log.info('session.started', { manager: address, ...(relayedTo !== undefined && { relayedTo }) });
        if (relayedTo !== undefined) supervised.push(this.#return(channel, relayedTo, over.signal));
        supervised.push(reporter.beat(effect.heartbeat, over.signal));
        reporter.poke();
      });
      return {
        error: new CausewayError('manager-unavailable', 'the manager closed the session'),
        welcomed: this.#manager !== undefined,
      };
    } catch (error) {
      return { error, welcomed: this.#manager !== undefined };
    } finally {
      this.#manager = undefined;
      this.#reporter = undefined;
      signal.removeEventListener('abort', close);
      close();
      await Promise.all([...supervised, reporter.stop()]);
    }
  }

  async #follow(channel: SessionChannel, onEffect: (effect: Effect) => void): Promise<void> {
    const { tables, clock, cluster, feeds } = this.#modules;
    let state = greeting(cluster(), feeds);
    for await (const response of channel.messages) {
      const feed = state.phase === 'greeting' ? oldest(feeds) : state.feed;
      const incoming: Incoming | undefined = await readIncoming(response, feed, this.#interner, () => clock.yield());
      if (incoming === undefined) continue;
      const next = step(state, incoming, tables);
      state = next.state;
      for (const effect of next.effects) {
        await this.#do(effect, channel);
        onEffect(effect);
      }
    }
  }

  async #do(effect: Effect, channel: SessionChannel): Promise<void> {
    const { tables, log } = this.#modules;
    switch (effect.effect) {
      case 'remember':
        if (effect.alarm) log.error('cluster.epoch-changed', { epoch: String(effect.seen.epoch) });
        return await this.#modules.remember(effect.seen, effect.alarm);
      case 'welcomed':
        return;
      case 'replace':
        log.debug('table.replaced', { network: effect.table.network.name, revision: String(effect.table.revision) });
        return tables.replace(effect.table);
      case 'step':
        return tables.step(effect.delta);
      case 'resync':
        log.warn('table.resync', { networkId: effect.networkId, message: effect.why });
        return channel.send({ message: { oneofKind: 'resync', resync: { networkId: effect.networkId } } });
      case 'drop':
        log.debug('table.dropped', { networkId: effect.networkId });
        return tables.drop(effect.networkId);
      case 'confirm':
        return await this.#modules.confirm(effect.stamp);
      case 'verify':
        void this.#verify(effect.call, effect.repair, channel);
        return;
      case 'leave':
        throw effect.error;
      default:
        assertNever(effect);
    }
  }

  /** Runs beside the stream: a verification of many networks must not delay the messages that arrive meanwhile. */
  async #verify(call: bigint, repair: boolean, channel: SessionChannel): Promise<void> {
    const { verify } = this.#modules;
    const result = await verify(repair).then(
      (drift) => ({ call, drift, error: '' }),
      (error: unknown) => ({ call, drift: [], error: error instanceof Error ? error.message : String(error) }),
    );
    channel.send({ message: { oneofKind: 'verifyResult', verifyResult: result } });
  }

  async #awaitWelcome(channel: SessionChannel, over: AbortSignal): Promise<void> {
    await this.#modules.clock.sleep(welcomeWithin, over);
    if (!over.aborted && this.#manager === undefined) channel.close();
  }

  /**
   * A relayed session costs two managers what one could do, so the agent leaves the relay when it can reach the leader
   * again.
   */
  async #return(channel: SessionChannel, leader: string, over: AbortSignal): Promise<void> {
    const { clock, link } = this.#modules;
    const { returnAfter } = this.#ways;
    for (;;) {
      await clock.sleep(returnAfter, over);
      if (over.aborted) return;
      if (!(await link.reaches(leader)) || over.aborted) continue;
      this.#ways = returned(this.#ways, leader);
      this.#returningTo = leader;
      channel.close();
      return;
    }
  }

  #hello(): ConnectRequest {
    const { cluster, node, tables, feeds } = this.#modules;
    const seen = cluster();
    const hello = {
      clusterId: seen?.id ?? '',
      epoch: seen?.epoch ?? 0n,
      node: nodeToMessage(node(), 0n),
      cursors: Array.from(tables.all(), (table) => cursorOf(table, seen?.epoch)),
      feedVersions: feeds.map(({ number }) => number),
    };
    return { message: { oneofKind: 'hello', hello } };
  }

  /** Logs a failure that repeats only once, until there is a session. */
  #explain(manager: string, error: unknown, begun: boolean): void {
    const code = isCausewayError(error) ? error.code : 'internal';
    const message = messageOf(error);
    const event = begun ? 'session.ended' : silences.has(code) ? 'manager.unreachable' : 'session.refused';
    const failure = `${event} ${manager} ${code} ${message}`;
    if (this.#said.has(failure) || this.#said.size >= saidAtMost) return;
    this.#said.add(failure);
    const level = refusals.has(code) || code === 'session-taken' || code === 'internal' ? 'error' : 'warn';
    this.#modules.log[level](event, { manager, code, message });
  }
}

function notLeader(leader: string): CausewayError {
  return new CausewayError('not-leader', `the leader at ${leader} can be reached again`, { leader });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Deltas cannot continue a table of an earlier epoch, whatever its revision. The agent names such a table and asks for it
 * whole.
 */
function cursorOf({ network, epoch, revision, feed, digest }: Table, current: bigint | undefined): NetworkCursor {
  const [networkId, feedVersion] = [network.id, feed];
  return epoch === current
    ? { networkId, revision, digest, feedVersion }
    : { networkId, revision: 0n, digest: 0n, feedVersion };
}

function oldest([feed]: readonly FeedVersion[]): FeedVersion {
  if (feed === undefined) throw new TypeError('an agent speaks one feed version at least');
  return feed;
}
