import type { Kernel } from '@causeway/datapath';
import {
  CausewayError,
  type EndpointId,
  encryptionUnavailable,
  isCausewayError,
  isKnown,
  type Name,
  type RequestId,
  type UnknownNetwork,
  usesEsp,
} from '@causeway/model';
import { ReleaseReason } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { type Clock, type Duration, type Log, milliseconds, seconds } from '@causeway/runtime';
import type { Sandbox } from '../disk/sandbox.ts';
import type { Sandboxes } from '../disk/sandboxes.ts';
import type { ClaimedEndpoint, Claims } from '../managers/claims.ts';
import type { Standing } from '../managers/standing.ts';
import type { Tables } from '../tables/tables.ts';
import { mismatches, nameTakenHere } from './again.ts';
import type { AttachSpec } from './attach-spec.ts';
import { type ContainerNamespaces, type ContainerNetns, ifnameTaken } from './container-netns.ts';
import type { LeavingInterfaces } from './leaving.ts';
import { MakeWay } from './make-way.ts';
import { type Place, Places } from './places.ts';
import type { Settle } from './settle.ts';
import type { UnrecordedContainers } from './unrecorded.ts';

/**
 * Time for a network's table to arrive after the managers have answered the claim. The change is one message away; for
 * the host's first endpoint of the network, the whole table is sent.
 */
const tableWithin = seconds(5);
/** Time for the blocks of encrypted networks to be set. It takes a question to the kernel, and one read and write. */
const protectedWithin = seconds(5);
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
  /** Whether this host gets new endpoints. */
  readonly standing: Pick<Standing, 'checkNew'>;
  readonly isDetaching: (id: EndpointId) => boolean;
  readonly unrecorded: Pick<UnrecordedContainers, 'isSearched' | 'searched'>;
  readonly leaving: Pick<LeavingInterfaces, 'gone'>;
  /** Ends what garbage collection has begun with endpoints of this name. See `GarbageCollector.endReleases`. */
  readonly endReleases: (name: Name, timeout: Duration) => Promise<boolean>;
  /** Waits until this host protects encrypted networks. Returns why it cannot, in words; undefined: it does. */
  readonly whyNoEncryption: (timeout: Duration) => Promise<string | undefined>;
  /** Asks the kernel again whether it has ESP, so that the host does not go on to say that it has none. */
  readonly askForEsp: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Attached {
  readonly sandbox: Sandbox;
  /** The endpoint was attached before the call. */
  readonly already: boolean;
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
  readonly #places: Places;
  readonly #makeWay: MakeWay;
  /**
   * Requests whose attach was undone, by the attach itself or by garbage collection. The outcome that the managers have
   * stored for such a request is an endpoint that no longer exists, so a retry claims under a new request id.
   */
  readonly #failed = new Set<RequestId>();

  constructor(modules: AttachModules & { readonly isOtherUnderWay: IsOtherUnderWay }) {
    this.#modules = modules;
    this.#places = new Places(modules);
    this.#makeWay = new MakeWay({ ...modules, places: this.#places });
  }

  async perform(spec: AttachSpec, timeout: Duration): Promise<Attached> {
    const { containers, clock } = this.#modules;
    const deadline = clock.now() + timeout;
    const left = (): Duration => milliseconds(Math.max(1, deadline - clock.now()));
    // The managers may have stored one of the released endpoints as the outcome of this request.
    if (await this.#modules.endReleases(spec.name, left())) this.#hasFailed(spec.requestId);
    const container = await containers.inspect(spec.netns);
    const { identity } = container;
    const known = await this.#makeWay.for(spec, identity, left);
    if (known !== undefined) return { sandbox: known, already: true };
    return await this.#places.hold(spec, identity, async (place) => {
      // An interface that comes later is refused by the kernel.
      if (await this.#isTaken(spec, container)) throw ifnameTaken(spec.netns, spec.ifname);
      this.#modules.standing.checkNew();
      await this.#modules.sessionUp(left());
      const claim = await this.#claim(spec, left());
      try {
        return { sandbox: await this.#settleClaim(spec, place, claim), already: false };
      } finally {
        this.#modules.claims.settled();
      }
    });
  }

  /** Whether the container has an interface of the name that is to stay. `before`: the container at the start of the attach. */
  async #isTaken({ netns, ifname }: AttachSpec, before: ContainerNetns): Promise<boolean> {
    if (!before.interfaces.has(ifname)) return false;
    const { leaving, containers } = this.#modules;
    await leaving.gone(before.identity);
    return (await containers.inspect(netns)).interfaces.has(ifname);
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
      // The managers refuse by what this host has said. A module of the kernel may be there by now: the next attach finds it.
      if (isCausewayError(error, 'encryption-unavailable')) await this.#modules.askForEsp();
      const id = leftBehind(error);
      const isBusy = id === undefined || sandboxes.get(id) !== undefined || isDetaching(id);
      if (isBusy || this.#modules.isOtherUnderWay(spec)) throw error;
      const left = milliseconds(Math.max(1, deadline - clock.now()));
      const found = await claims.resume({ ...claim, id }, left).catch(() => undefined);
      if (found === undefined) throw error;
      const differs = mismatches(found.endpoint, spec);
      if (differs.length > 0) {
        claims.settled();
        throw nameTakenHere(found.endpoint, undefined, differs);
      }
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
    if (!usesEsp(table.network)) return;
    // A peer without keys is not waited for: what is sent to it is dropped until it has some.
    const why = await this.#modules.whyNoEncryption(protectedWithin);
    if (why !== undefined) throw encryptionUnavailable(table.network.name, why);
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
