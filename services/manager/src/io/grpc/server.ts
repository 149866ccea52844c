import { CausewayError } from '@causeway/model';
import { clusterServiceDefinition } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-server.js';
import { endpointServiceDefinition } from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-server.js';
import { ipamServiceDefinition } from '@causeway/proto/gen/causeway/v1/ipam_service.grpc-server.js';
import { networkServiceDefinition } from '@causeway/proto/gen/causeway/v1/network_service.grpc-server.js';
import { nodeServiceDefinition } from '@causeway/proto/gen/causeway/v1/node_service.grpc-server.js';
import { type Credentials, lenient } from '@causeway/proto/io';
import { type Clock, type Duration, type Log, type Startable, seconds } from '@causeway/runtime';
import { Server } from '@grpc/grpc-js';
import type { Steward } from '../../api/cluster-admin.ts';
import type { Manager } from '../../manager.ts';
import { CallLimit, mostCalls, mostStreams } from './call-limit.ts';
import { read, serverStreaming, unary } from './calls.ts';
import { Forwarder } from './forward.ts';
import { Health, servedServices } from './health.ts';
import { createReflection } from './reflection.ts';
import { sessionHandlers, sessionService } from './session.ts';

/** A request larger than this is refused with RESOURCE_EXHAUSTED; ours are some hundred bytes, a Hello some hundred KB. */
const maxRequestBytes = 4 * 1024 * 1024;

/** A connection whose other end is gone without a word is found out after the sum of both. */
const keepaliveMs = 10_000;
const keepaliveTimeoutMs = 5_000;

/** A connection without a call for this long is closed: who needs it again is there in a millisecond. */
const idleAfter = seconds(120);

/** Calls at once on one connection; more of them wait at the client. A manager's forwarding is what needs many. */
const maxStreams = 1_000;

/** An agent's session is not among them: the agent is told where the leader is and goes there, or asks for a relay. */
const forwardedServices = [
  networkServiceDefinition,
  endpointServiceDefinition,
  ipamServiceDefinition,
  nodeServiceDefinition,
  clusterServiceDefinition,
];

/** What calls under way may take when the server stops. */
const drainLimit = seconds(2);

export interface GrpcServerModules {
  readonly manager: Manager;
  readonly steward: Steward;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly log: Log;
}

export interface GrpcServerSettings {
  readonly name: string;
  /** Host:port at which others find this manager. */
  readonly advertise: string;
  /** Host:port; port 0 takes a free one. */
  readonly listen: string;
  /** A connection without a call is closed after this; absent: two minutes. */
  readonly idleAfter?: Duration;
}

/** A manager on the network. It may start before its manager: until then calls are told to try again. */
export class GrpcServer implements Startable {
  readonly #modules: GrpcServerModules;
  readonly #settings: GrpcServerSettings;
  readonly #server: Server;
  readonly #health: Health;
  readonly #forwarder: Forwarder;
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
      'grpc.enable_channelz': 0, // counts every message of every call, for nobody
    });
    const { credentials, manager } = modules;
    this.#forwarder = new Forwarder({ view: manager.view, credentials, services: forwardedServices }, settings);
    this.#addServices();
    this.#health = new Health(this.#server);
    createReflection(servedServices).addToServer(this.#server);
  }

  /** The port it listens on. */
  get port(): number {
    return this.#port;
  }

  /** @throws CausewayError invalid-argument when it cannot listen there */
  async start(): Promise<void> {
    const { listen } = this.#settings;
    const { manager, credentials } = this.#modules;
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(listen, credentials.server(), (error, port) => {
        if (error === null) resolve(port);
        else reject(cannotListen(listen, error));
      });
    });
    await this.#forwarder.start();
    const tell = (): void =>
      this.#health.tell({ leads: manager.isLeader, forwards: this.#forwarder.leader !== undefined });
    this.#unsubscribe = [manager.onLeadership(tell), manager.view.subscribe(tell)];
    tell();
  }

  /** Tells that it is about to go; calls are still served. */
  drain(): void {
    this.#health.drain();
  }

  /** Calls under way end, or are cut when they take too long. */
  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#forwarder.stop();
    const ended = new AbortController();
    const shutdown = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    const cut = this.#modules.clock.sleep(drainLimit, ended.signal).then(() => {
      if (!ended.signal.aborted) this.#server.forceShutdown();
    });
    await shutdown;
    ended.abort();
    await cut;
  }

  #addServices(): void {
    const { manager, steward, log } = this.#modules;
    const limits = { calls: new CallLimit('calls', mostCalls), streams: new CallLimit('streams', mostStreams) };
    const clusterId = () => manager.view.cluster?.id;
    const serving = { log, forwarder: this.#forwarder, cluster: clusterId, ...limits };
    const { networks, endpoints, ipam, nodes, cluster } = manager.api;
    this.#server.addService(lenient(networkServiceDefinition), {
      createNetwork: unary(serving, (request, call) => networks.createNetwork(request, call)),
      getNetwork: read(serving, (request, call) => networks.getNetwork(request, call)),
      listNetworks: read(serving, (request, call) => networks.listNetworks(request, call)),
      watchNetworks: serverStreaming(serving, (request, signal) => networks.watchNetworks(request, signal)),
      updateNetwork: unary(serving, (request, call) => networks.updateNetwork(request, call)),
      deleteNetwork: unary(serving, (request, call) => networks.deleteNetwork(request, call)),
    });
    this.#server.addService(lenient(endpointServiceDefinition), {
      claimEndpoint: unary(serving, (request, call) => endpoints.claimEndpoint(request, call)),
      claimEndpoints: unary(serving, (request, call) => endpoints.claimEndpoints(request, call)),
      releaseEndpoint: unary(serving, (request, call) => endpoints.releaseEndpoint(request, call)),
      detachEndpoint: unary(serving, (request, call) => endpoints.detachEndpoint(request, call)),
      getEndpoint: read(serving, (request, call) => endpoints.getEndpoint(request, call)),
      listEndpoints: read(serving, (request, call) => endpoints.listEndpoints(request, call)),
      watchEndpoints: serverStreaming(serving, (request, signal) => endpoints.watchEndpoints(request, signal)),
      waitEndpoint: unary(serving, (request, call) => endpoints.waitEndpoint(request, call)),
    });
    this.#server.addService(lenient(ipamServiceDefinition), {
      showSubnets: unary(serving, (request, call) => ipam.showSubnets(request, call)),
      reserveAddress: unary(serving, (request, call) => ipam.reserveAddress(request, call)),
      releaseAddress: unary(serving, (request, call) => ipam.releaseAddress(request, call)),
      getAddressHistory: unary(serving, (request, call) => ipam.getAddressHistory(request, call)),
      checkClaims: unary(serving, (request, call) => ipam.checkClaims(request, call)),
    });
    this.#server.addService(lenient(nodeServiceDefinition), {
      getNode: read(serving, (request, call) => nodes.getNode(request, call)),
      listNodes: read(serving, (request, call) => nodes.listNodes(request, call)),
      watchNodes: serverStreaming(serving, (request, signal) => nodes.watchNodes(request, signal)),
    });
    this.#server.addService(lenient(clusterServiceDefinition), {
      getStatus: unary(serving, (request, call) => cluster.getStatus(request, call)),
      verify: unary(serving, (request, call) => cluster.verify(request, call)),
      watchEvents: serverStreaming(serving, (request, signal) => cluster.watchEvents(request, signal)),
      listManagers: unary(serving, (request, call) => cluster.listManagers(request, call)),
      describeManager: unary(serving, (request) => cluster.describeManager(request)),
      removeManager: unary(serving, (request, call) => steward.removeManager(request, call)),
      createBackup: serverStreaming(serving, (request, signal) => steward.createBackup(request, signal)),
    });
    this.#server.addService(
      sessionService,
      sessionHandlers((channel) => manager.accept(channel), this.#forwarder),
    );
  }
}

/** A port is free and an address is there a moment later, perhaps: so no refusal of the setting itself. */
function cannotListen(listen: string, cause: Error): CausewayError {
  const taken = cause.message.includes('EADDRINUSE');
  const why = taken ? 'another process has that port' : cause.message;
  const message = `--listen ${listen}: cannot listen there (${why}); give a free port on an address of this host, such as 0.0.0.0:7443`;
  return new CausewayError('listen-failed', message, { field: 'listen', value: listen }, { cause });
}
