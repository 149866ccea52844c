import type { GatewayRank, Kernel, NetnsIdentity } from '@causeway/datapath';
import {
  CausewayError,
  type EndpointId,
  isCausewayError,
  isKnown,
  type Name,
  type NetworkId,
  type RequestId,
  type UnknownNetwork,
} from '@causeway/model';
import { ReleaseReason } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { type Clock, type Duration, type Log, milliseconds, seconds } from '@causeway/runtime';
import { isUnrecorded, nextSlot, type Sandbox } from '../disk/sandbox.ts';
import type { Sandboxes } from '../disk/sandboxes.ts';
import type { ClaimedEndpoint, Claims } from '../managers/claims.ts';
import type { Tables } from '../tables/tables.ts';
import { mismatches, nameTakenHere, standingOf } from './again.ts';
import type { AttachSpec } from './attach-spec.ts';
import { type ContainerNamespaces, ifnameTaken } from './container-netns.ts';
import { isReplaced } from './replaced.ts';
import { holdsEnd, type UnrecordedContainers } from './unrecorded.ts';

/**
 * Time for a network's table to arrive after the managers have answered the claim. The change is one message away; for
 * the host's first endpoint of the network, the whole table is sent.
 */
const tableWithin = seconds(5);
/**
 * The VNI of a namespace that is being destroyed stays taken for up to a second. Until then, a refusal of the kernel may
 * not be final.
 */
const kernelTries = 12;
const kernelPause = milliseconds(100);
/** Time for releasing what a failed attach has claimed. After this time, garbage collection releases it. */
const undoWithin = seconds(2);
/** Number of failed attaches whose request ids are kept. */
const rememberedFailures = 256;

/** Makes the kernel follow the intent. Returns, in words, the refusals of the kernel that affect the endpoint. */
export type Settle = (networkId: NetworkId, endpointId: EndpointId) => Promise<readonly string[]>;

export interface AttachModules {
  readonly kernel: Kernel;
  readonly containers: ContainerNamespaces;
  readonly claims: Claims;
  readonly tables: Tables;
  readonly sandboxes: Sandboxes;
  readonly settle: Settle;
  /**
   * Resolves when there is a session, so that this host receives changes. @throws CausewayError manager-unavailable, with
   * the reason
   */
  readonly sessionUp: (timeout: Duration) => Promise<void>;
  readonly isDetaching: (id: EndpointId) => boolean;
  readonly unrecorded: Pick<UnrecordedContainers, 'isSearched' | 'searched'>;
  /** Ends what garbage collection has begun with endpoints of this name. See `GarbageCollector.endReleases`. */
  readonly endReleases: (name: Name, timeout: Duration) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Attached {
  readonly sandbox: Sandbox;
  /** The endpoint was attached before the call. */
  readonly already: boolean;
}

/** The namespace of an interface, and the rank of the interface there. */
interface Place {
  readonly identity: NetnsIdentity;
  readonly gateway: GatewayRank;
}

/** Whether another attach of an endpoint with this name is under way. */
type IsOtherUnderWay = (spec: AttachSpec) => boolean;

/**
 * Attaches containers: claim ─▶ whole peer table ─▶ sandbox on disk ─▶ kernel ─▶ answer. A failure at any step undoes the
 * steps before it. After a crash, garbage collection releases a claim without a sandbox, and the reconciler makes the
 * missing interface of a sandbox.
 */
export class AttachSteps {
  readonly #modules: AttachModules & { readonly isOtherUnderWay: IsOtherUnderWay };
  /** Interfaces that are being attached, by namespace and interface name. */
  readonly #places = new Map<string, Place>();
  /**
   * Requests whose attach was undone, by the attach itself or by garbage collection. The outcome that the managers have
   * stored for such a request is an endpoint that no longer exists, so a retry claims under a new request id.
   */
  readonly #failed = new Set<RequestId>();

  constructor(modules: AttachModules & { readonly isOtherUnderWay: IsOtherUnderWay }) {
    this.#modules = modules;
  }

  async perform(spec: AttachSpec, timeout: Duration): Promise<Attached> {
    const { containers, clock } = this.#modules;
    const deadline = clock.now() + timeout;
    const left = (): Duration => milliseconds(Math.max(1, deadline - clock.now()));
    // The managers may have stored one of the released endpoints as the outcome of this request.
    if (await this.#modules.endReleases(spec.name, left())) this.#hasFailed(spec.requestId);
    const { identity, interfaces } = await containers.inspect(spec.netns);
    await this.#awaitNetworkNames(spec, identity);
    const known =
      (await this.#makeWay(spec, identity, left())) ?? (await this.#makeWayOfUnrecorded(spec, identity, left));
    if (known !== undefined) return { sandbox: known, already: true };
    const place = `${identity} ${spec.ifname}`;
    this.#refuseTaken(spec, identity, place);
    // An interface that comes later is refused by the kernel.
    if (interfaces.has(spec.ifname)) throw ifnameTaken(spec.netns, spec.ifname);
    const gateway = this.#rank(spec, identity);
    this.#places.set(place, { identity, gateway });
    try {
      await this.#modules.sessionUp(left());
      const claim = await this.#claim(spec, left());
      return { sandbox: await this.#settleClaim(spec, { identity, gateway }, claim), already: false };
    } finally {
      this.#places.delete(place);
    }
  }

  /**
   * Same as `#makeWay`, once every living container has its record. Before that, a claim of this name without a record
   * may be that of a living container.
   */
  async #makeWayOfUnrecorded(
    spec: AttachSpec,
    identity: NetnsIdentity,
    left: () => Duration,
  ): Promise<Sandbox | undefined> {
    const { unrecorded, sessionUp } = this.#modules;
    if (unrecorded.isSearched) return undefined;
    await sessionUp(left());
    await unrecorded.searched(left());
    return await this.#makeWay(spec, identity, left());
  }

  /**
   * After a crash this host may have an endpoint of the requested name in the container, and not yet the table that says the
   * name of the endpoint's network. Only with the table can it be said whether that endpoint is the requested one.
   */
  async #awaitNetworkNames({ name }: AttachSpec, identity: NetnsIdentity): Promise<void> {
    const { sandboxes, tables } = this.#modules;
    for (const { endpoint, claimed } of sandboxes.in(identity)) {
      if (endpoint.name !== name || tables.get(endpoint.network) !== undefined) continue;
      await tables.reached(endpoint.network, claimed, tableWithin).catch(() => undefined);
    }
  }

  /**
   * Returns the sandbox that is attached as requested, if there is one. Otherwise the name is free on this host when this
   * resolves: the endpoint of a dead container with this name is released.
   */
  async #makeWay(spec: AttachSpec, identity: NetnsIdentity, timeout: Duration): Promise<Sandbox | undefined> {
    const { kernel, sandboxes, tables, claims, settle, log } = this.#modules;
    const networkName = ({ endpoint }: Sandbox): string | undefined => tables.get(endpoint.network)?.network.name;
    const standing = standingOf(spec, identity, sandboxes.named(spec.name), networkName);
    if (standing.kind === 'new') return undefined;
    if (standing.kind === 'differs') throw standing.error;
    if (standing.kind === 'attached') return standing.sandbox;
    const { sandbox } = standing;
    const { id, name, network } = sandbox.endpoint;
    if (isUnrecorded(sandbox) && (await holdsEnd(kernel, sandbox, spec.netns, spec.ifname))) {
      const differs = mismatches(sandbox.endpoint, spec);
      if (differs.length > 0) throw nameTakenHere(sandbox.endpoint, networkName(sandbox), differs);
      const { requestId, netns, ifname, labels } = spec;
      const gateway = this.#rank(spec, identity);
      const place = { requestId, netns, identity, ifname, gateway };
      const known = { ...sandbox, ...place, endpoint: { ...sandbox.endpoint, labels } };
      await sandboxes.change([known]);
      await settle(network, id);
      log.info('endpoint.recorded', { endpointId: id, endpoint: name, netns });
      return known;
    }
    if (!(await isReplaced(this.#modules, sandbox, identity))) {
      throw nameTakenHere(sandbox.endpoint, networkName(sandbox), [`its netns is ${sandbox.netns}, not ${spec.netns}`]);
    }
    log.info('endpoint.replaced', { endpointId: id, endpoint: name, message: 'its container was made anew' });
    await claims.release(id, timeout, { reason: ReleaseReason.CONTAINER_GONE });
    await sandboxes.remove(id);
    await settle(network, id);
    return undefined;
  }

  /**
   * A claim of this host without a container was left by an earlier call whose answer was lost. The attach continues with
   * that claim.
   */
  async #claim(spec: AttachSpec, timeout: Duration): Promise<ClaimedEndpoint> {
    const { claims, sandboxes, isDetaching, clock, log } = this.#modules;
    const { requestId, network, name, addresses, labels } = spec;
    const deadline = clock.now() + timeout;
    const claim = { network, name, addresses, labels, ...(!this.#failed.has(requestId) && { requestId }) };
    try {
      return await claims.claim(claim, timeout);
    } catch (error) {
      const id = leftBehind(error);
      const isBusy = id === undefined || sandboxes.get(id) !== undefined || isDetaching(id);
      if (isBusy || this.#modules.isOtherUnderWay(spec)) throw error;
      const left = milliseconds(Math.max(1, deadline - clock.now()));
      const found = await claims.resume({ ...claim, id }, left).catch(() => undefined);
      if (found === undefined) throw error;
      const differs = mismatches(found.endpoint, spec);
      if (differs.length > 0) throw nameTakenHere(found.endpoint, undefined, differs);
      log.info('endpoint.resumed', { endpointId: id, endpoint: name });
      return found;
    }
  }

  async #settleClaim(spec: AttachSpec, place: Place, { endpoint, claimed }: ClaimedEndpoint): Promise<Sandbox> {
    const { sandboxes, log } = this.#modules;
    const { requestId, netns, ifname } = spec;
    const sandbox = { endpoint, claimed, requestId, netns, ifname, ...place };
    try {
      await this.#awaitTable(sandbox);
      await sandboxes.add(sandbox);
      await this.#program(sandbox);
    } catch (error) {
      await this.#undo(sandbox);
      throw error;
    }
    log.info('endpoint.attached', { endpointId: endpoint.id, endpoint: endpoint.name, networkId: endpoint.network });
    return sandbox;
  }

  /** ARP and ND get no answer for an address without a row, so the table must be whole before the container starts. */
  async #awaitTable(sandbox: Sandbox): Promise<void> {
    const { endpoint, claimed } = sandbox;
    const table = await this.#modules.tables.reached(endpoint.network, claimed, tableWithin);
    if (!table.rows.endpoint.has(endpoint.id)) throw releasedMeanwhile(sandbox);
    if (!isKnown(table.network)) throw driverUnknown(table.network);
  }

  async #program(sandbox: Sandbox): Promise<void> {
    const { settle, sandboxes, clock, kernel } = this.#modules;
    const { id, network } = sandbox.endpoint;
    for (let tries = 1; ; tries++) {
      const refused = await settle(network, id);
      if (sandboxes.get(id) === undefined) throw releasedMeanwhile(sandbox);
      if (refused.length === 0) return;
      if ((await kernel.identify(sandbox.netns)) !== sandbox.identity) throw wentAway(sandbox);
      if (tries === kernelTries) {
        const message = `the kernel refused changes for endpoint ${sandbox.endpoint.name}: ${refused.join('; ')}`;
        throw new CausewayError('kernel-refused', message, { netns: sandbox.netns });
      }
      await clock.sleep(kernelPause);
    }
  }

  async #undo({ endpoint, requestId }: Sandbox): Promise<void> {
    const { sandboxes, settle, claims, log } = this.#modules;
    this.#hasFailed(requestId);
    if (sandboxes.get(endpoint.id) !== undefined) {
      await sandboxes.remove(endpoint.id);
      await settle(endpoint.network, endpoint.id);
    }
    try {
      await claims.release(endpoint.id, undoWithin, { reason: ReleaseReason.ATTACH_FAILED });
    } catch (error) {
      log.warn('endpoint.release-postponed', { endpointId: endpoint.id, message: String(error) });
    }
  }

  #hasFailed(requestId: RequestId): void {
    this.#failed.add(requestId);
    for (const oldest of this.#failed) {
      if (this.#failed.size <= rememberedFailures) break;
      this.#failed.delete(oldest);
    }
  }

  /** Ranks the interface after every interface that the container has or is about to have. */
  #rank({ gatewayPriority }: AttachSpec, identity: NetnsIdentity): GatewayRank {
    const coming = [...this.#places.values()].filter((other) => other.identity === identity);
    const others = [...coming, ...this.#modules.sandboxes.in(identity)];
    return { priority: gatewayPriority, slot: nextSlot(others.map(({ gateway }) => gateway)) };
  }

  #refuseTaken(spec: AttachSpec, identity: NetnsIdentity, place: string): void {
    if (this.#places.has(place)) throw ifnameTaken(spec.netns, spec.ifname, 'an attach under way for an interface');
    for (const sandbox of this.#modules.sandboxes.in(identity)) {
      if (sandbox.ifname !== spec.ifname) continue;
      throw ifnameTaken(spec.netns, spec.ifname, `endpoint ${sandbox.endpoint.name} on an interface`);
    }
  }
}

/** Id of the endpoint that has the name which the claim asked for. */
function leftBehind(error: unknown): EndpointId | undefined {
  if (!isCausewayError(error, 'name-taken')) return undefined;
  const { endpoint } = error.data;
  return typeof endpoint === 'string' ? (endpoint as EndpointId) : undefined;
}

function releasedMeanwhile({ endpoint }: Sandbox): CausewayError {
  const message = `endpoint ${endpoint.name} was released while it was being attached`;
  return new CausewayError('endpoint-unknown', message, { endpoint: endpoint.id });
}

function driverUnknown({ name, driver }: UnknownNetwork): CausewayError {
  const message = `network "${name}" has driver "${driver}", which the agent of this host does not know: update the agent, or attach on another host`;
  return new CausewayError('driver-unknown', message, { field: 'network', network: name, driver });
}

function wentAway({ netns }: Sandbox): CausewayError {
  const message = `netns ${netns} went away while an endpoint was being attached to it`;
  return new CausewayError('netns-invalid', message, { field: 'netns', netns });
}
