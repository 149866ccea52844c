import {
  CausewayError,
  type Endpoint,
  isCausewayError,
  type NetworkId,
  type NodeId,
  parseReference,
  parseRequestId,
  type RequestId,
  unwrap,
} from '@causeway/model';
import { endpointToMessage, errorToStatus, networkToMessage } from '@causeway/proto';
import type {
  ClaimEndpointRequest,
  ClaimEndpointResponse,
  ClaimEndpointsRequest,
  ClaimEndpointsResponse,
  ClaimOutcome,
  DetachEndpointRequest,
  DetachEndpointResponse,
  GetEndpointRequest,
  GetEndpointResponse,
  ListEndpointsRequest,
  ListEndpointsResponse,
  ReleaseEndpointRequest,
  ReleaseEndpointResponse,
  WaitEndpointRequest,
  WaitEndpointResponse,
  WatchEndpointsRequest,
  WatchEndpointsResponse,
} from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { Status } from '@causeway/proto/gen/google/rpc/status.js';
import { milliseconds, seconds, within } from '@causeway/runtime';
import { type CallContext, withinCall } from '../call/context.ts';
import type { Committed } from '../commit/outcomes.ts';
import type { WriteCall } from '../commit/writer.ts';
import { type ClaimEndpoint, claimEndpoint } from '../plan/claim-endpoint.ts';
import { detachEndpoint } from '../plan/detach-endpoint.ts';
import { readClaimEndpoint, readReleaseEndpoint } from '../plan/endpoint-requests.ts';
import { releaseEndpoint } from '../plan/release-endpoint.ts';
import { type ItemOf, records } from '../store/records/index.ts';
import type { Versioned } from '../store/view.ts';
import { type ListOf, listPage } from './list.ts';
import { claimedMessage, endpointMessage, fullEndpointMessage } from './messages.ts';
import type { ApiContext } from './modules.ts';
import { watchList } from './watch.ts';

/** Most claims in one call, so that its answer stays a message of some hundred KiB. */
const mostClaims = 256;
/** How long a detach waits for the host. A healthy host removes an interface within a few milliseconds. */
const removalLimit = seconds(3);

export class EndpointsApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async claimEndpoint(request: ClaimEndpointRequest, call: CallContext): Promise<ClaimEndpointResponse> {
    this.#context.notRemoved(request.nodeId);
    this.#context.leading();
    const { reply, revision } = await this.#claim(request, call, call);
    const { view } = this.#context.modules;
    const network = view.findNetwork(reply.network);
    return {
      endpoint: claimedMessage(this.#context, { value: reply, revision }),
      network: networkToMessage(network.value, network.revision),
      epoch: view.cluster?.epoch ?? 0n,
    };
  }

  /**
   * @throws CausewayError when a claim fails in a way that is worth another try: on that try, the claims that succeeded
   * answer the same
   */
  async claimEndpoints({ claims }: ClaimEndpointsRequest, call: CallContext): Promise<ClaimEndpointsResponse> {
    for (const { nodeId } of claims) this.#context.notRemoved(nodeId);
    this.#context.leading();
    if (claims.length > mostClaims) throw tooMany(claims.length);
    // Without the signal: a call is given up as a whole or not at all, and each claim would add a listener.
    const write = { actor: call.actor, peer: call.peer, method: call.method, isRetry: call.isRetry };
    const settled = await Promise.allSettled(claims.map((claim) => this.#claim(claim, call, write)));
    const outcomes = settled.map((each): ClaimOutcome => {
      if (each.status === 'rejected') return { outcome: { oneofKind: 'refused', refused: refusalOf(each.reason) } };
      const { reply, revision } = each.value;
      return {
        outcome: { oneofKind: 'endpoint', endpoint: claimedMessage(this.#context, { value: reply, revision }) },
      };
    });
    return { outcomes, epoch: this.#context.modules.view.cluster?.epoch ?? 0n };
  }

  async releaseEndpoint(request: ReleaseEndpointRequest, call: CallContext): Promise<ReleaseEndpointResponse> {
    this.#context.notRemoved(request.nodeId);
    this.#context.leading();
    const id = unwrap(parseRequestId(request.requestId));
    const intent = releaseEndpoint(readReleaseEndpoint(request));
    const { revision } = await this.#context.modules.writer.write(id, intent, call);
    return { revision };
  }

  /** Waits a moment for the host, so that the interface is gone when the caller gets the answer. */
  async detachEndpoint(request: DetachEndpointRequest, call: CallContext): Promise<DetachEndpointResponse> {
    this.#context.leading();
    const { writer, feed, view, clock } = this.#context.modules;
    const id = unwrap(parseRequestId(request.requestId));
    const spec = { endpoint: unwrap(parseReference(request.endpoint, 'endpoint')), force: request.force };
    const isReady = (node: NodeId): boolean => feed.isReady(node);
    const { peer } = call;
    const intent = detachEndpoint(spec, { isReady, ...(peer.kind === 'agent' && { ofHost: peer.node }) });
    const { reply, revision } = await writer.write(id, intent, call);
    const { node, network } = reply;
    const span = milliseconds(Math.min(removalLimit, call.remaining / 2));
    const interfaceRemoved =
      feed.isReady(node) &&
      (await within(clock, span, (signal) => feed.progress.waitFollowed(node, network, revision, signal), call.signal));
    return { revision, host: view.nodes.get(node)?.value.name ?? node, interfaceRemoved };
  }

  async getEndpoint(request: GetEndpointRequest, call: CallContext): Promise<GetEndpointResponse> {
    this.#context.leadingOrWithoutLeader(call);
    const reference = unwrap(parseReference(request.endpoint, 'endpoint'));
    await this.#context.atLeast(request.atLeast, call);
    const found = this.#context.modules.view.findEndpoint(reference);
    return { endpoint: fullEndpointMessage(this.#context, found) };
  }

  async listEndpoints(request: ListEndpointsRequest, call: CallContext): Promise<ListEndpointsResponse> {
    this.#context.leadingOrWithoutLeader(call);
    const { items, ...page } = await listPage(this.#context, request, this.#list(request), call);
    return { endpoints: items.map((item) => fullEndpointMessage(this.#context, item, item.names)), ...page };
  }

  async *watchEndpoints(
    request: WatchEndpointsRequest,
    { signal }: CallContext,
  ): AsyncGenerator<WatchEndpointsResponse, void> {
    for await (const event of watchList(this.#context, request, this.#list(request), signal)) {
      const { type, revision, more, epoch } = event;
      const item = type === 'BOOKMARK' ? undefined : event.item;
      const endpoint = item && { endpoint: endpointToMessage(item.value, item.names, item.revision) };
      yield { type, ...endpoint, revision, more, epoch };
    }
  }

  async waitEndpoint(request: WaitEndpointRequest, call: CallContext): Promise<WaitEndpointResponse> {
    const { view, feed, clock } = this.#context.modules;
    const reference = unwrap(parseReference(request.endpoint, 'endpoint'));
    await this.#context.atLeast(request.atLeast, call);
    return await withinCall(clock, call, async (signal) => {
      for (;;) {
        // The leadership may end, and the endpoint may be released, while we wait.
        const term = this.#context.leading();
        const found = view.findEndpoint(reference);
        const { have, want } = feed.progress.summaryOf(found.value.network, found.revision);
        if (have === want) return { endpoint: fullEndpointMessage(this.#context, found) };
        if (signal.aborted) throw this.#notApplied(found);
        const either = AbortSignal.any([signal, term.signal]);
        await feed.progress.waitApplied(found.value.network, found.revision, either);
      }
    });
  }

  async #claim(request: ClaimEndpointRequest, call: CallContext, write: WriteCall): Promise<Committed<Endpoint>> {
    const id = unwrap(parseRequestId(request.requestId));
    const claim = readClaimEndpoint(request);
    if (claim.former !== undefined) return await this.#claimAgain(id, claim, write);
    this.#context.recovered();
    const { writer, mtuGate, feed, clock } = this.#context.modules;
    if (!mtuGate.isOpen(claim.network, claim.node))
      await withinCall(clock, call, (signal) => mtuGate.pass(claim.network, claim.node, signal));
    const whyNoEncryption = (host: NodeId): string => feed.factsOf(host).health?.cannotEncrypt ?? '';
    return await writer.write(id, claimEndpoint(claim, whyNoEncryption), write);
  }

  /**
   * During a recovery the conflict may be with an endpoint of a host that has not reported yet, so the refusal is not
   * final.
   */
  async #claimAgain(id: RequestId, claim: ClaimEndpoint, write: WriteCall): Promise<Committed<Endpoint>> {
    const { writer, view, sink } = this.#context.modules;
    try {
      return await writer.write(id, claimEndpoint(claim), write);
    } catch (error) {
      if (!isCausewayError(error) || error.kind === 'unavailable') throw error;
      if (error.kind === 'conflict') this.#context.recovered();
      const host = view.nodes.get(claim.node)?.value.name ?? claim.node;
      const network = view.networks.get(claim.network as NetworkId)?.value.name ?? claim.network;
      const had = `${claim.name} ${claim.addresses.join(' ')} on ${host} does not get back what it had before the restore`;
      const message = `${had}: ${error.message}`;
      const { actor } = write;
      sink.emit({ kind: 'endpoint.refused', actor, cause: id, network, endpoint: claim.name, host, message });
      throw error;
    }
  }

  #list({ network, host }: { readonly network: string; readonly host: string }): ListOf<ItemOf<'endpoint'>> {
    const filter = { query: { network, host }, read: () => this.#within(network, host) };
    return { cache: this.#context.modules.caches.of('endpoint'), fields: records.endpoint.fields, filter };
  }

  /** Selects items of that network and host; empty: any. @throws CausewayError network-unknown, node-unknown */
  #within(network: string, host: string): (item: ItemOf<'endpoint'>) => boolean {
    const { view } = this.#context.modules;
    const networkId = network === '' ? undefined : view.findNetwork(network).value.id;
    const node = host === '' ? undefined : view.findNode(host).value.id;
    return ({ value }) =>
      (networkId === undefined || value.network === networkId) && (node === undefined || value.node === node);
  }

  #notApplied(found: Versioned<Endpoint>): CausewayError {
    const { have, want, waiting = [] } = endpointMessage(this.#context, found).applied ?? { have: 0, want: 0 };
    const message = `endpoint "${found.value.name}" is applied on ${have} of ${want} ready hosts, still waiting for ${waiting.join(', ')}`;
    return new CausewayError('timed-out', message, { have, want, waiting: waiting.join(',') });
  }
}

function tooMany(claims: number): CausewayError {
  const message = `claims: ${claims} claims in one call, the limit is ${mostClaims}: make several calls`;
  return new CausewayError('invalid-argument', message, { field: 'claims', value: claims });
}

/** @throws an error that concerns the whole call, not one claim */
function refusalOf(reason: unknown): Status {
  if (!isCausewayError(reason) || reason.kind === 'unavailable') throw reason;
  return errorToStatus(reason);
}
