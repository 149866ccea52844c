import type { GetStatusResponse, WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { type CallLimits, type Credentials, callUnary, errorFromService, type UnaryMethod } from '@causeway/proto/io';
import { milliseconds } from '@causeway/runtime';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { Managers } from '../clients.ts';
import { Caller, type CallerParts, type Purpose } from './caller.ts';
import { ClusterCheck } from './cluster-check.ts';
import { type ManagerStubs, StubPool } from './manager-stubs.ts';

/** A manager that is restarted is back within it or not soon, and a person who waits wants to know. */
const endWhenRefused = milliseconds(800);

/** A manager answers a status within 1.3 s, whatever it asks itself does. */
const statusWithin = milliseconds(1_600);

/** The managers behind their addresses, by whichever can serve. Mutating requests carry a request id, so a retry is safe. */
export class GrpcManagers implements Managers {
  readonly #pool: StubPool;
  readonly #addresses: readonly string[];
  readonly #signal: AbortSignal;
  readonly #caller: Caller;
  readonly #check: ClusterCheck;
  readonly #onRemark: (remark: string) => void;

  constructor(parts: { credentials: Credentials } & CallerParts, settings: { managers: readonly string[] }) {
    this.#pool = new StubPool(parts.credentials);
    this.#addresses = settings.managers;
    this.#signal = parts.signal;
    this.#caller = new Caller(parts, { what: 'manager', addresses: settings.managers, endWhenRefused });
    this.#check = new ClusterCheck({ ...parts, pool: this.#pool }, settings.managers);
    this.#onRemark = parts.onRemark ?? (() => undefined);
  }

  createNetwork: Managers['createNetwork'] = (request) =>
    this.#call('change', ({ network }) => network.createNetwork.bind(network), request);

  getNetwork: Managers['getNetwork'] = (request) =>
    this.#call('read', ({ network }) => network.getNetwork.bind(network), request);

  listNetworks: Managers['listNetworks'] = (request) =>
    this.#call('read', ({ network }) => network.listNetworks.bind(network), request);

  watchNetworks: Managers['watchNetworks'] = (request) => this.#watch(({ network }) => network.watchNetworks(request));

  updateNetwork: Managers['updateNetwork'] = (request) =>
    this.#call('change', ({ network }) => network.updateNetwork.bind(network), request);

  deleteNetwork: Managers['deleteNetwork'] = (request) =>
    this.#call('change-and-wait', ({ network }) => network.deleteNetwork.bind(network), request);

  detachEndpoint: Managers['detachEndpoint'] = (request) =>
    this.#call('change-and-wait', ({ endpoint }) => endpoint.detachEndpoint.bind(endpoint), request);

  getEndpoint: Managers['getEndpoint'] = (request) =>
    this.#call('read', ({ endpoint }) => endpoint.getEndpoint.bind(endpoint), request);

  listEndpoints: Managers['listEndpoints'] = (request) =>
    this.#call('read', ({ endpoint }) => endpoint.listEndpoints.bind(endpoint), request);

  watchEndpoints: Managers['watchEndpoints'] = (request) =>
    this.#watch(({ endpoint }) => endpoint.watchEndpoints(request));

  waitEndpoint: Managers['waitEndpoint'] = (request) =>
    this.#call('wait', ({ endpoint }) => endpoint.waitEndpoint.bind(endpoint), request);

  showSubnets: Managers['showSubnets'] = (request) =>
    this.#call('read', ({ ipam }) => ipam.showSubnets.bind(ipam), request);

  reserveAddress: Managers['reserveAddress'] = (request) =>
    this.#call('change', ({ ipam }) => ipam.reserveAddress.bind(ipam), request);

  releaseAddress: Managers['releaseAddress'] = (request) =>
    this.#call('change', ({ ipam }) => ipam.releaseAddress.bind(ipam), request);

  getAddressHistory: Managers['getAddressHistory'] = (request) =>
    this.#call('read', ({ ipam }) => ipam.getAddressHistory.bind(ipam), request);

  checkClaims: Managers['checkClaims'] = (request) =>
    this.#call('read', ({ ipam }) => ipam.checkClaims.bind(ipam), request);

  getNode: Managers['getNode'] = (request) => this.#call('read', ({ node }) => node.getNode.bind(node), request);

  listNodes: Managers['listNodes'] = (request) => this.#call('read', ({ node }) => node.listNodes.bind(node), request);

  watchNodes: Managers['watchNodes'] = (request) => this.#watch(({ node }) => node.watchNodes(request));

  getStatus: Managers['getStatus'] = () => this.#call('status', ({ cluster }) => cluster.getStatus.bind(cluster), {});

  getStatuses: Managers['getStatuses'] = async () => {
    const all = await Promise.all(this.#addresses.map((address) => this.#statusOf(address)));
    return all.filter((status) => status !== undefined);
  };

  verify: Managers['verify'] = (request) =>
    this.#call(request.repair ? 'change-and-wait' : 'wait', ({ cluster }) => cluster.verify.bind(cluster), request);

  watchEvents: Managers['watchEvents'] = (request) => this.#watchEvents(request);

  listManagers: Managers['listManagers'] = () =>
    this.#call('read', ({ cluster }) => cluster.listManagers.bind(cluster), {});

  removeManager: Managers['removeManager'] = (request) =>
    this.#call('change-and-wait', ({ cluster }) => cluster.removeManager.bind(cluster), request);

  createBackup: Managers['createBackup'] = () => {
    this.#warn();
    return this.#caller.stream((address, limits) => itemsOf(this.#pool.at(address).cluster.createBackup({}), limits));
  };

  close(): void {
    this.#check.close();
    this.#pool.close();
  }

  async #statusOf(address: string): Promise<GetStatusResponse | undefined> {
    const { cluster } = this.#pool.at(address);
    const limits = { timeout: statusWithin, signal: this.#signal };
    return await callUnary(cluster.getStatus.bind(cluster), {}, limits).catch(() => undefined);
  }

  async *#watchEvents(request: WatchEventsRequest): AsyncGenerator<Event> {
    this.#warn();
    let rest = request;
    for await (const event of this.#caller.resumable((address, limits) => this.#eventsOf(address, rest, limits))) {
      rest = { ...request, fromSequence: event.sequence + 1n, sinceMs: 0n, tail: 0 };
      yield event;
    }
  }

  async *#eventsOf(address: string, request: WatchEventsRequest, limits: CallLimits): AsyncGenerator<Event> {
    const deadline = request.follow ? {} : { deadline: Date.now() + limits.timeout };
    const stream = this.#pool.at(address).cluster.watchEvents(request, deadline);
    for await (const { event } of itemsOf(stream, limits)) if (event !== undefined) yield event;
  }

  #watch<Item>(open: (stubs: ManagerStubs) => ClientReadableStream<Item>): AsyncIterable<Item> {
    this.#warn();
    return this.#caller.attempt((address, limits) => itemsOf(open(this.#pool.at(address)), limits));
  }

  /** A change is refused where the managers given are of different clusters; everything else says so beside its answer. */
  async #call<Request, Response>(
    purpose: Purpose,
    methodOf: (stubs: ManagerStubs) => UnaryMethod<Request, Response>,
    request: Request,
  ): Promise<Response> {
    const check = this.#check;
    const changes = purpose === 'change' || purpose === 'change-and-wait';
    check.begin();
    const conflict = changes ? await check.conflict() : undefined;
    if (conflict !== undefined) throw conflict;
    let answered: string | undefined;
    try {
      const methodAt = (address: string) => methodOf(this.#pool.at(address));
      const { address, response } = await this.#caller.call(purpose, methodAt, request, (at, id) => check.note(at, id));
      answered = address;
      return response;
    } finally {
      const remark = changes ? undefined : await check.remark(answered);
      if (remark !== undefined) this.#onRemark(remark);
    }
  }

  /** A stream goes on whatever is found: its reader is told when all have said it. */
  #warn(): void {
    this.#check.begin();
    this.#check.remark(undefined).then(
      (remark) => remark !== undefined && this.#onRemark(remark),
      () => undefined,
    );
  }
}

/** What a stream brings; whoever has enough of it, or is told to stop, hangs up. */
async function* itemsOf<Item>(stream: ClientReadableStream<Item>, limits: CallLimits): AsyncGenerator<Item> {
  const cancel = (): void => stream.cancel();
  limits.signal?.addEventListener('abort', cancel);
  try {
    for await (const item of stream as AsyncIterable<Item>) yield item;
  } catch (error) {
    throw isServiceError(error) ? errorFromService(error) : error;
  } finally {
    limits.signal?.removeEventListener('abort', cancel);
    stream.cancel();
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error;
}
