import type { Kernel, NetnsIdentity } from '@causeway/datapath';
import { ReleaseReason } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { type Clock, type Duration, type Log, seconds } from '@causeway/runtime';
import { isUnrecorded, type Sandbox } from '../disk/sandbox.ts';
import type { Sandboxes } from '../disk/sandboxes.ts';
import type { Claims } from '../managers/claims.ts';
import type { Tables } from '../tables/tables.ts';
import { mismatches, nameTakenHere, standingOf } from './again.ts';
import type { AttachSpec } from './attach-spec.ts';
import type { Places } from './places.ts';
import { isReplaced } from './replaced.ts';
import type { Settle } from './settle.ts';
import { holdsEnd, type UnrecordedContainers } from './unrecorded.ts';

/** Time for the table that says the name of a network to arrive. */
const tableWithin = seconds(5);

export interface MakeWayModules {
  readonly kernel: Kernel;
  readonly claims: Claims;
  readonly tables: Tables;
  readonly sandboxes: Sandboxes;
  readonly places: Pick<Places, 'rank'>;
  readonly settle: Settle;
  /** See AttachModules. */
  readonly sessionUp: (timeout: Duration) => Promise<void>;
  readonly unrecorded: Pick<UnrecordedContainers, 'isSearched' | 'searched'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What an attach does about an endpoint of the same name that this host has already. */
export class MakeWay {
  readonly #modules: MakeWayModules;

  constructor(modules: MakeWayModules) {
    this.#modules = modules;
  }

  /**
   * Returns the sandbox that is attached as requested, if there is one. Otherwise the name is free on this host when this
   * resolves, and every living container has its record.
   */
  async for(spec: AttachSpec, identity: NetnsIdentity, left: () => Duration): Promise<Sandbox | undefined> {
    const { unrecorded, sessionUp } = this.#modules;
    await this.#awaitNetworkNames(spec, identity);
    const known = await this.#among(spec, identity, left());
    if (known !== undefined || unrecorded.isSearched) return known;
    // Until the search for lost records has ended, a claim of this name without a record may be that of a living container.
    await sessionUp(left());
    await unrecorded.searched(left());
    return await this.#among(spec, identity, left());
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

  /** Decides by the present sandboxes. The endpoint of a dead container with this name is released. */
  async #among(spec: AttachSpec, identity: NetnsIdentity, timeout: Duration): Promise<Sandbox | undefined> {
    const { kernel, sandboxes } = this.#modules;
    const standing = standingOf(spec, identity, sandboxes.named(spec.name), (each) => this.#networkName(each));
    if (standing.kind === 'new') return undefined;
    if (standing.kind === 'differs') throw standing.error;
    if (standing.kind === 'attached') return standing.sandbox;
    const { sandbox } = standing;
    if (isUnrecorded(sandbox) && (await holdsEnd(kernel, sandbox, spec.netns, spec.ifname))) {
      return await this.#record(spec, identity, sandbox);
    }
    if (!(await isReplaced(this.#modules, sandbox, identity))) {
      const differs = [`its netns is ${sandbox.netns}, not ${spec.netns}`];
      throw nameTakenHere(sandbox.endpoint, this.#networkName(sandbox), differs);
    }
    await this.#release(sandbox, timeout);
    return undefined;
  }

  /** The container lives, and its record was lost: the request says what the record said. */
  async #record(spec: AttachSpec, identity: NetnsIdentity, sandbox: Sandbox): Promise<Sandbox> {
    const { sandboxes, places, settle, log } = this.#modules;
    const { id, name, network } = sandbox.endpoint;
    const differs = mismatches(sandbox.endpoint, spec);
    if (differs.length > 0) throw nameTakenHere(sandbox.endpoint, this.#networkName(sandbox), differs);
    const { requestId, netns, ifname, labels } = spec;
    const place = { requestId, netns, identity, ifname, gateway: places.rank(spec, identity) };
    const known = { ...sandbox, ...place, endpoint: { ...sandbox.endpoint, labels } };
    await sandboxes.change([known]);
    await settle(network, id);
    log.info('endpoint.recorded', { endpointId: id, endpoint: name, netns });
    return known;
  }

  async #release({ endpoint: { id, name, network } }: Sandbox, timeout: Duration): Promise<void> {
    const { sandboxes, claims, settle, log } = this.#modules;
    log.info('endpoint.replaced', { endpointId: id, endpoint: name, message: 'its container was made anew' });
    await claims.release(id, timeout, { reason: ReleaseReason.CONTAINER_GONE });
    await sandboxes.remove(id);
    await settle(network, id);
  }

  #networkName({ endpoint }: Sandbox): string | undefined {
    return this.#modules.tables.get(endpoint.network)?.network.name;
  }
}
