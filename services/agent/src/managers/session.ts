import { CausewayError, type FeedVersion, type Node } from '@causeway/model';
import type { HostHealth } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Clock, type Duration, seconds } from '@causeway/runtime';
import type { ClusterPosition } from '../disk/cluster-position.ts';
import type { HostStats } from '../reconcile/host-stats.ts';
import type { Interner } from '../tables/table.ts';
import { carryOut, type EffectModules } from './effects.ts';
import { hello } from './hello.ts';
import { readIncoming } from './incoming.ts';
import type { ManagerLink, SessionChannel } from './link.ts';
import { type Effect, greeting, step } from './machine.ts';
import { Reporter } from './reporter.ts';

/** The agent closes a connection on which no Welcome arrives within this time. */
const welcomeWithin = seconds(5);

export interface SessionModules extends EffectModules {
  readonly link: ManagerLink;
  readonly clock: Clock;
  readonly stats: HostStats;
  /** The record of this host as it is now: the MTU of the underlay may have changed since start. */
  readonly node: () => Node;
  readonly health: () => HostHealth;
  readonly cluster: () => ClusterPosition | undefined;
  /** Feed versions that this agent understands, oldest first. */
  readonly feeds: readonly FeedVersion[];
}

export interface SessionOptions {
  readonly address: string;
  /** The manager may relay the session to the leader. */
  readonly relay: boolean;
  /** Pause between checks whether a relayed session can be replaced by a direct one. */
  readonly returnAfter: Duration;
  /** Rows are alike from one session to the next, so the sessions share this. */
  readonly interner: Interner;
  /** `returnWithin`: see `Welcome.return_within_ms`. */
  readonly onWelcomed: (returnWithin: Duration) => void;
}

export interface SessionOutcome {
  readonly error: unknown;
  readonly isWelcomed: boolean;
  /** Address of the leader for which the agent left a relayed session. */
  readonly returningTo: string | undefined;
  /** The agent ended the session to open it anew. */
  readonly isRenewed: boolean;
}

/** One session with one manager, from Hello to its end. */
export class Session {
  readonly #modules: SessionModules;
  readonly #options: SessionOptions;
  readonly #channel: SessionChannel;
  readonly #reporter: Reporter;
  readonly #over = new AbortController();
  readonly #supervised: Promise<void>[] = [];
  #phase: 'greeting' | 'welcomed' | 'over' = 'greeting';
  #returningTo: string | undefined;
  #isRenewed = false;

  constructor(modules: SessionModules, options: SessionOptions) {
    const { link, clock, stats, health, node, cluster } = modules;
    const { address, relay } = options;
    this.#modules = modules;
    this.#options = options;
    this.#channel = link.connect(address, { relay });
    const underlayMtu = (): number => node().underlayMtu;
    const epoch = (): bigint | undefined => cluster()?.epoch;
    const send = this.#channel.send.bind(this.#channel);
    this.#reporter = new Reporter({ clock, stats, underlayMtu, health, epoch, send });
  }

  /** Address of the manager, while there is a session with it. */
  get manager(): string | undefined {
    return this.#phase === 'welcomed' ? this.#options.address : undefined;
  }

  /** To be called when there may be something to report. */
  poke(): void {
    if (this.#phase === 'welcomed') this.#reporter.poke();
  }

  /** Ends the session, for the next one to begin at once. */
  renew(): void {
    this.#isRenewed = true;
    this.#channel.close();
  }

  /** Runs until the session ends or the signal aborts. Never throws. */
  async run(signal: AbortSignal): Promise<SessionOutcome> {
    const { node, cluster, tables, feeds } = this.#modules;
    const close = (): void => this.#close();
    signal.addEventListener('abort', close);
    this.#supervised.push(this.#awaitWelcome());
    try {
      this.#channel.send(hello(node(), cluster(), tables.all(), feeds));
      await this.#follow();
      return this.#end(new CausewayError('manager-unavailable', 'the manager closed the session'));
    } catch (error) {
      return this.#end(error);
    } finally {
      if (this.#phase === 'welcomed') this.#modules.encryption.end();
      this.#phase = 'over';
      signal.removeEventListener('abort', close);
      this.#close();
      await Promise.all([...this.#supervised, this.#reporter.stop()]);
    }
  }

  async #follow(): Promise<void> {
    const { tables, clock, cluster, feeds } = this.#modules;
    let state = greeting(cluster(), feeds);
    for await (const response of this.#channel.messages) {
      const feed = state.phase === 'greeting' ? oldest(feeds) : state.feed;
      const incoming = await readIncoming(response, feed, this.#options.interner, () => clock.yield());
      if (incoming === undefined) continue;
      const next = step(state, incoming, tables);
      state = next.state;
      for (const effect of next.effects) {
        if (effect.effect === 'welcomed') this.#welcomed(effect);
        else await carryOut(effect, this.#modules, this.#channel);
      }
    }
  }

  /** greeting -> welcomed */
  #welcomed({ heartbeat, returnWithin }: Extract<Effect, { readonly effect: 'welcomed' }>): void {
    const { address, onWelcomed } = this.#options;
    const { relayedTo } = this.#channel;
    this.#phase = 'welcomed';
    this.#modules.standing.drained(false); // the manager says so if the host is drained
    onWelcomed(returnWithin);
    this.#modules.log.info('session.started', { manager: address, ...(relayedTo !== undefined && { relayedTo }) });
    if (relayedTo !== undefined) this.#supervised.push(this.#returnTo(relayedTo));
    this.#supervised.push(this.#reporter.beat(heartbeat, this.#over.signal));
    this.#reporter.poke();
    this.#modules.encryption.begin((request) => this.#channel.send(request));
  }

  async #awaitWelcome(): Promise<void> {
    await this.#modules.clock.sleep(welcomeWithin, this.#over.signal);
    if (this.#phase === 'greeting') this.#channel.close();
  }

  /**
   * A relayed session costs two managers what one could do, so the agent leaves the relay when it can reach the leader
   * again.
   */
  async #returnTo(leader: string): Promise<void> {
    const { clock, link } = this.#modules;
    const { signal } = this.#over;
    for (;;) {
      await clock.sleep(this.#options.returnAfter, signal);
      if (signal.aborted) return;
      if (!(await link.reaches(leader)) || signal.aborted) continue;
      this.#returningTo = leader;
      this.#channel.close();
      return;
    }
  }

  /** A session that the agent ended itself was not broken, so the manager that relayed the session is not at fault. */
  #end(broken: unknown): SessionOutcome {
    const [isWelcomed, returningTo] = [this.#phase === 'welcomed', this.#returningTo];
    const error = returningTo === undefined ? broken : notLeader(returningTo);
    return { error, isWelcomed, returningTo, isRenewed: this.#isRenewed };
  }

  #close(): void {
    this.#over.abort();
    this.#channel.close();
  }
}

function notLeader(leader: string): CausewayError {
  return new CausewayError('not-leader', `the leader at ${leader} can be reached again`, { leader });
}

function oldest([feed]: readonly FeedVersion[]): FeedVersion {
  if (feed === undefined) throw new TypeError('an agent speaks one feed version at least');
  return feed;
}
