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

/** Between tries: soon enough to be back a second after an election, seldom enough for a thousand agents. */
const backoff = { first: milliseconds(50), max: milliseconds(500), factor: 2 };
/** When the answer will not change by itself: another cluster's manager. */
const pauseAfterRefusal = seconds(5);
/** Two agents with one identity take the session from each other: ever more seldom, so that each has it for a while. */
const afterTaken = { first: seconds(1), max: seconds(60), factor: 2 };
/** A session that lasts so long was not taken: longer than the longest pause, jitter included. */
const settled = seconds(180);
/** An election, and the agents' way to who was elected, with time to spare on a machine that does much else. */
const electionTakes = seconds(10);
/** Different failures that are logged between two sessions. */
const saidAtMost = 32;
/** A manager that has taken the connection says welcome within this. */
const welcomeWithin = seconds(5);

/** No manager has answered there, or the answer did not come in time. */
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
  /** As it is now: the underlay's MTU may have changed since start. */
  readonly node: () => Node;
  readonly health: () => HostHealth;
  readonly cluster: () => ClusterPosition | undefined;
  /** Durable when it resolves. `restored`: an epoch has begun. */
  readonly remember: (seen: ClusterPosition, restored: boolean) => Promise<void>;
  /** Everything missed is in the tables. */
  readonly confirm: (stamp: Stamp) => Promise<void>;
  readonly verify: (repair: boolean) => Promise<Drift[]>;
  /** Feed versions that this agent understands, from the oldest. */
  readonly feeds: readonly FeedVersion[];
}

/** Keeps a session with the leader, for as long as the agent runs. */
export class Session implements Startable {
  readonly #modules: SessionModules;
  readonly #interner = new Interner();
  readonly #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #manager: string | undefined;
  #reporter: Reporter | undefined;
  #ways = noWays;
  /** The leader that a relayed session was left for. */
  #returningTo: string | undefined;
  /** Since when there is no session; undefined: there is one. */
  #downSince: number | undefined;
  #lastError: unknown;
  /** Failures that were logged since the last session: each is said once, however many managers are tried in turn. */
  readonly #said = new Set<string>();
  readonly #waiting = new Set<() => void>();

  constructor(modules: SessionModules) {
    this.#modules = modules;
    modules.stats.onChange(() => this.#reporter?.poke());
  }

  /** The manager it has a session with. */
  get manager(): string | undefined {
    return this.#manager;
  }

  /**
   * Resolves when there is a session. What is claimed without one cannot be programmed: its table would not come.
   * @throws CausewayError manager-unavailable, with the reason: at once when there has been none for longer than an
   * election takes, else when it has, or the time is over
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
      // What we end ourselves says nothing against the manager that relayed.
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

  /** One session, from hello to its end; never throws. */
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

  /** Beside the stream: a verification of many networks must not hold up what comes meanwhile. */
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

  /** A relay costs two managers what one could do: it is left when the leader can be reached again. */
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

  /** A failure that repeats is said once, until there is a session. */
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

/** A table of an earlier epoch cannot be continued, wherever it is: it is named, and wanted whole. */
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
