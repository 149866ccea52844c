import type { Removals } from '@causeway/identity';
import { ClientCredentials, type LiveCredential, PeerListener } from '@causeway/identity/io';
import { CausewayError } from '@causeway/model';
import { type Clock, type Duration, type Log, type Startable, seconds } from '@causeway/runtime';
import { Server } from '@grpc/grpc-js';
import { type Api, sessionRules } from '../../api/index.ts';
import type { AgentChannel } from '../../feed/channel.ts';
import type { View } from '../../store/view.ts';
import { CallLimit, mostCalls, mostStreams } from './call-limit.ts';
import { Callers } from './callers.ts';
import { Forwarder } from './forward.ts';
import { Health, servedServices } from './health.ts';
import { splitHostPort } from './host-port.ts';
import { membersOnly } from './members-only.ts';
import { createReflection } from './reflection.ts';
import type { Refused } from './refusals.ts';
import { definitionOf, served, servedNames } from './services.ts';
import { sessionHandlers, sessionService } from './session.ts';

/**
 * A larger request is refused with RESOURCE_EXHAUSTED. Clients' requests have some hundred bytes, a Hello has some
 * hundred KB.
 */
const maxRequestBytes = 4 * 1024 * 1024;

/** A connection whose other end vanished silently is detected after the sum of both. */
const keepaliveMs = 10_000;
const keepaliveTimeoutMs = 5_000;

/** A connection without a call for this long is closed. A client that needs it again reconnects within a millisecond. */
const idleAfter = seconds(120);

/**
 * Concurrent calls on one connection; further calls wait at the client. Only a manager that forwards calls needs many.
 */
const maxStreams = 1_000;

/** How long calls under way may take when the server stops. */
const drainLimit = seconds(2);

/** How often the server ends the connections of peers that it would refuse by now. */
const cutEvery = seconds(1);

/** The manager that the server serves, without its network code. */
interface ServedManager {
  readonly view: View;
  readonly api: Api;
  readonly isLeader: boolean;
  /** `listener` is called when the manager begins or ceases to lead. Returns a function that ends the subscription. */
  onLeadership(listener: (leads: boolean) => void): () => void;
  /** Takes what is refused, for the audit. */
  readonly refused: Refused;
  /** Serves one agent until its connection ends; never rejects. */
  accept(channel: AgentChannel): Promise<void>;
}

interface GrpcServerModules {
  readonly manager: ServedManager;
  readonly credential: LiveCredential;
  readonly clock: Clock;
  readonly log: Log;
}

interface GrpcServerSettings {
  readonly name: string;
  /** Host:port at which others reach this manager. */
  readonly advertise: string;
  /** Host:port; with port 0 the kernel chooses a free port. */
  readonly listen: string;
  /** A connection without a call is closed after this; absent: two minutes. */
  readonly idleAfter?: Duration;
}

/**
 * The gRPC server of a manager. It may start before the manager; until the manager has started, calls are refused with
 * the advice to try again.
 */
export class GrpcServer implements Startable {
  readonly #modules: GrpcServerModules;
  readonly #settings: GrpcServerSettings;
  readonly #server: Server;
  readonly #health: Health;
  readonly #forwarder: Forwarder;
  readonly #callers: Callers;
  readonly #credentials: ClientCredentials;
  readonly #listener: PeerListener;
  readonly #stopping = new AbortController();
  #cutting: Promise<void> = Promise.resolve();
  #unsubscribe: readonly (() => void)[] = [];
  #port = 0;

  constructor(modules: GrpcServerModules, settings: GrpcServerSettings) {
    this.#modules = modules;
    this.#settings = settings;
    this.#server = new Server({
      'grpc.max_receive_message_length': maxRequestBytes,
      'grpc.max_concurrent_streams': maxStreams,
      'grpc.max_connection_idle_ms': settings.idleAfter ?? idleAfter,
      'grpc.keepalive_time_ms': keepaliveMs,
      'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
      'grpc.enable_channelz': 0, // counts every message of every call, and the counts are not read
    });
    const { manager, credential, clock } = modules;
    const removals = (): Removals => manager.view.removals;
    const credentials = ClientCredentials.toManagers(credential, () => clock.wall(), removals);
    this.#credentials = credentials;
    const forwarded = { view: manager.view, credentials, clock, services: servedNames.map(definitionOf) };
    this.#forwarder = new Forwarder(forwarded, settings);
    const callers = new Callers({ credential, clock, removals, roots: () => manager.view.ca?.value.roots });
    this.#callers = callers;
    const listened = { server: this.#server, credential, expected: () => callers.expected };
    this.#listener = new PeerListener(listened, splitHostPort(settings.listen));
    this.#addServices();
    const forMembers = membersOnly(this.#server, { ...modules, callers });
    this.#health = new Health(forMembers);
    createReflection(servedServices).addToServer(forMembers);
  }

  /** The port on which the server listens. */
  get port(): number {
    return this.#port;
  }

  /** @throws CausewayError listen-failed when the server cannot listen there */
  async start(): Promise<void> {
    const { listen } = this.#settings;
    const { manager } = this.#modules;
    this.#port = await this.#listener.start().catch((error: Error) => {
      throw cannotListen(listen, error);
    });
    await this.#forwarder.start();
    this.#cutting = this.#cutAgainAndAgain(this.#stopping.signal);
    const tell = (): void =>
      this.#health.tell({ leads: manager.isLeader, forwards: this.#forwarder.leader !== undefined });
    this.#unsubscribe = [manager.onLeadership(tell), manager.view.subscribe(tell)];
    tell();
  }

  /** Reports that the server is about to stop. Calls are still served. */
  drain(): void {
    this.#health.drain();
  }

  /** Waits for calls under way, and cuts those that take too long. */
  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#stopping.abort();
    this.#listener.stop();
    await Promise.all([this.#forwarder.stop(), this.#cutting]);
    const ended = new AbortController();
    const shutdown = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    const cut = this.#modules.clock.sleep(drainLimit, ended.signal).then(() => {
      if (!ended.signal.aborted) this.#server.forceShutdown();
    });
    await shutdown;
    ended.abort();
    await cut;
  }

  /**
   * Ends the connections of peers that were removed, whose certificate expires, or whose CA was replaced. A peer that has a new certificate
   * connects again at once; the others get the reason as the answer to their next call.
   */
  cutUnwelcome(): void {
    const inbound = this.#listener.cut((peer) => this.#callers.isUnwelcome(peer, cutEvery));
    const count = inbound + this.#credentials.cutUnwelcome();
    if (count > 0) this.#modules.log.info('peers.cut', { count });
  }

  async #cutAgainAndAgain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.cutUnwelcome();
      await this.#modules.clock.sleep(cutEvery, signal);
    }
  }

  #addServices(): void {
    const { manager, log } = this.#modules;
    const limits = { calls: new CallLimit('calls', mostCalls), streams: new CallLimit('streams', mostStreams) };
    const refused: Refused = (call, error) => manager.refused(call, error);
    const callers = this.#callers;
    const serving = { log, callers, refused, forwarder: this.#forwarder, ...limits };
    for (const name of servedNames) this.#server.addService(...served(name, manager.api, serving));
    const sessions = sessionHandlers(serving, sessionRules.connect, (channel) => manager.accept(channel));
    this.#server.addService(sessionService, sessions);
  }
}

/**
 * The port may become free, or the address appear, a moment later. So the error does not say that the setting is invalid.
 */
function cannotListen(listen: string, cause: Error): CausewayError {
  const taken = cause.message.includes('EADDRINUSE');
  const why = taken ? 'another process has that port' : cause.message;
  const message = `--listen ${listen}: cannot listen there (${why}); give a free port on an address of this host, such as 0.0.0.0:7443`;
  return new CausewayError('listen-failed', message, { field: 'listen', value: listen }, { cause });
}
