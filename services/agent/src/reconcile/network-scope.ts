import {
  applyPlan,
  ChangeSet,
  type Changes,
  type Difference,
  type Failure,
  finish,
  hostEnd,
  isOverlayNetns,
  type Kernel,
  type Namespace,
  type NetnsIdentity,
  type NetnsPath,
  type NewAddress,
  newAddresses,
  type Op,
  overlayNetns,
  readState,
  type State,
  teardown,
} from '@causeway/datapath';
import {
  cannotEncrypt,
  type EndpointId,
  isKnown,
  type Network,
  type NetworkId,
  type Stamp,
  type UnknownNetwork,
  usesEsp,
} from '@causeway/model';
import { type Clock, Slices } from '@causeway/runtime';
import { type NewAddresses, reachable } from '../announce/announcements.ts';
import { isGranted, type Sandbox } from '../disk/sandbox.ts';
import { isKnownTable, type Table } from '../tables/table.ts';
import { ContainerPaths, findContainerPaths, within } from './container-paths.ts';
import type { Former, Host } from './desired.ts';
import { DesiredNetwork } from './desired-network.ts';
import type { HostStats } from './host-stats.ts';
import { explain } from './op-log.ts';
import { affectsSharedLink, endpointOf } from './op-scope.ts';
import type { Overlays } from './overlays.ts';
import { partOf } from './part.ts';
import type { Protection } from './protection.ts';
import type { Changed, DirtyPart, Goal, IntentChange, Part, Scope } from './scope.ts';
import type { Phase } from './scope-reconciler.ts';
import { WatchedContainers } from './watched-containers.ts';

export interface NetworkIntent {
  /** undefined: no manager has sent the network (yet), or it was withdrawn. */
  readonly table: Table | undefined;
  readonly sandboxes: readonly Sandbox[];
}

export interface NetworkScopeModules {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly stats: HostStats;
  readonly overlays: Overlays;
  readonly intent: () => NetworkIntent;
  /** The sandboxes of one container, on all networks. */
  readonly inContainer: (identity: NetnsIdentity) => readonly Sandbox[];
  /** Whether a manager has confirmed the tables since start. */
  readonly confirmed: () => boolean;
  readonly protection: Pick<Protection, 'state' | 'released'>;
  /** Called when a container is dead: no path leads to it, and its pair of links is gone. */
  readonly onLost: (id: EndpointId) => void;
  /** Announces new addresses whose entries the kernel has. */
  readonly announce: (found: NewAddresses) => void;
  /** Called when nothing of the network is desired, and nothing of it is left. */
  readonly onRemoved: () => void;
}

/** The state of the intent that the kernel follows. */
interface Followed {
  readonly desired: DesiredNetwork;
  /** Each with the path at which it was attached. */
  readonly sandboxes: readonly Sandbox[];
  readonly stamp: Stamp;
  readonly isHeld: boolean;
  /** Whether the tables and sandboxes were known to be complete at this moment. */
  readonly isConfirmed: boolean;
}

/** One network on this host: its overlay namespace, and its interfaces in containers. */
export class NetworkScope implements Scope {
  readonly id: NetworkId;
  readonly watched: NetnsPath;
  readonly #modules: NetworkScopeModules;
  readonly #host: Host;
  readonly #kernel: Pick<Kernel, 'read' | 'apply'>;
  /** Where the containers were at the last read of everything. */
  #containerPaths = new ContainerPaths();
  /**
   * Endpoints that have changed since `advance`, as they were before; 'everything': more than endpoints may have changed.
   */
  #changes: Map<EndpointId, Former> | 'everything' = 'everything';
  #followed: Followed | undefined;
  /**
   * Addresses that are new since the kernel last followed the intent. The first intent has none: after a restart, the
   * kernel has known its entries before.
   */
  #newAddresses: readonly NewAddress[] = [];
  /** Whether the containers were located since `advance`. */
  #isRelocated = false;
  readonly #watches: WatchedContainers;
  #onChange: (changes: Changes) => void = () => undefined;

  constructor(modules: NetworkScopeModules, settings: { readonly host: Host; readonly networkId: NetworkId }) {
    this.#modules = modules;
    this.#host = settings.host;
    this.id = settings.networkId;
    this.watched = overlayNetns(settings.networkId);
    this.#kernel = within(modules.kernel, () => this.#containerPaths);
    this.#watches = new WatchedContainers({
      kernel: modules.kernel,
      expected: () => this.#containerPaths.expected,
      onChange: (container) => this.#containerChanged(container),
    });
  }

  /** A few endpoints have changed. `former`: these endpoints before the change. */
  endpointsChanged(former: ReadonlyMap<EndpointId, Former>): void {
    if (this.#changes === 'everything') return;
    for (const [id, was] of former) if (!this.#changes.has(id)) this.#changes.set(id, was);
  }

  /** The whole intent may have changed, so the next differences are not drift. */
  everythingChanged(): void {
    this.#changes = 'everything';
  }

  get name(): string {
    return this.#modules.intent().table?.network.name ?? this.id;
  }

  get isConfirmed(): boolean {
    return this.#followed?.isConfirmed ?? false;
  }

  watchContainers(onChange: (changes: Changes) => void): void {
    this.#onChange = onChange;
  }

  stop(): void {
    this.#watches.close();
  }

  goal(): Goal {
    const { table, sandboxes } = this.#modules.intent();
    const isAttached = sandboxes.some(isGranted);
    const isConfirmed = this.#modules.confirmed();
    // Until the tables are confirmed, containers may live here whose records are lost, and whose network's table has not come yet.
    if (table === undefined) return { kind: isAttached || !isConfirmed ? 'wait' : 'remove' };
    if (!isKnown(table.network)) return this.#refuse(table.network);
    if (usesEsp(table.network)) {
      const { state } = this.#modules.protection;
      if (state === 'pending') return { kind: 'wait' };
      if (state !== 'ready') return this.#refuseToEncrypt(table.network, state.why);
    }
    // The ledger may still have a network that was withdrawn since. Containers of this host prove that the network is
    // desired.
    return { kind: isAttached || isConfirmed ? 'follow' : 'wait' };
  }

  async locate(): Promise<void> {
    const { overlays, intent, inContainer } = this.#modules;
    await overlays.adopt(this.watched);
    this.#containerPaths = await findContainerPaths(this.#modules, intent().sandboxes, inContainer);
    this.#isRelocated = true;
  }

  async advance(): Promise<IntentChange> {
    const { table, sandboxes } = this.#modules.intent();
    // The network was dropped during a pass; the next pass removes it.
    if (table === undefined || !isKnownTable(table)) return 'nothing';
    const changes = this.#changes;
    this.#changes = new Map();
    const located = this.#containerPaths.locate(sandboxes);
    if (changes !== 'everything' && changes.size === 0) {
      if (this.#isRelocated && this.#followed !== undefined) {
        this.#followed.desired.relocate(located);
        this.#watches.only(this.#inContainers(this.#followed.desired.state));
      }
      this.#isRelocated = false;
      return 'nothing';
    }
    this.#isRelocated = false;
    const { epoch, revision } = table;
    const stamp = { epoch, revision };
    const isConfirmed = this.#modules.confirmed();
    const moment = { sandboxes, stamp, isHeld: holdsReleased(table, sandboxes), isConfirmed };
    if (changes === 'everything' || this.#followed === undefined) {
      const before = this.#followed?.desired.state;
      const slices = new Slices(this.#modules);
      const desired = await DesiredNetwork.of(this.#host, table, located, slices);
      this.#followed = { ...moment, desired };
      this.#watches.only(this.#inContainers(desired.state));
      if (before !== undefined) {
        const found = await slices.run(newAddresses(before, desired.state, this.watched));
        this.#newAddresses = [...this.#newAddresses, ...found];
      }
      return 'everything';
    }
    const { desired } = this.#followed;
    this.#followed = { ...moment, desired };
    const former = this.#located(changes);
    const changed = desired.advance(former, table, located);
    this.#watchChanged(former, changed.desired);
    this.#newAddresses = [...this.#newAddresses, ...finish(newAddresses(changed.known, changed.desired, this.watched))];
    return changed;
  }

  get desired(): State {
    return this.#follows.desired.state;
  }

  partOf(changes: Changes): DirtyPart {
    const { state, sandboxes } = this.#follows.desired;
    return partOf(state, this.id, sandboxes, changes);
  }

  read(part: Exclude<Part, Changed>): Promise<State> {
    return readState(this.#kernel, part.desired, part.kind === 'dirty' ? part.scopes : undefined);
  }

  async apply(ops: readonly Op[]): Promise<readonly Failure[]> {
    const refused = await applyPlan(this.#kernel, ops);
    for (const op of ops) if (op.op === 'netns.add') await this.#modules.overlays.made(op.netns);
    return refused;
  }

  /** The agent does not make containers that are gone. */
  answersFor({ kind, netns }: Difference): boolean {
    return kind !== 'netns' || isOverlayNetns(netns);
  }

  disturbs(op: Op): boolean {
    return affectsSharedLink(op);
  }

  found(actual: State): void {
    const links = actual.get(this.watched)?.links;
    for (const sandbox of this.#follows.sandboxes) {
      const { id } = sandbox.endpoint;
      if (this.#containerPaths.isGone(sandbox) && links?.has(hostEnd(id)) !== true) this.#modules.onLost(id);
    }
  }

  followed(refused: readonly Failure[]): void {
    const { desired, stamp, isHeld } = this.#follows;
    if (refused.length === 0) this.#modules.protection.released(this.id); // unless it is encrypted now
    const isBlocked = refused.some(({ op }) => endpointOf(op, desired.sandboxes) === undefined);
    if (!isBlocked && !isHeld) this.#modules.stats.reached(this.id, stamp);
    this.#announce(refused);
  }

  async remove(): Promise<readonly Failure[]> {
    const { kernel, overlays } = this.#modules;
    this.#watches.close();
    this.#followed = undefined;
    this.#newAddresses = [];
    if (await overlays.isForeign(this.watched)) return [];
    await overlays.found(this.watched);
    const refused = await teardown(kernel, this.watched);
    if (refused.length === 0) overlays.removed(this.watched);
    return refused;
  }

  removed(): void {
    this.#modules.stats.forget(this.id);
    this.#modules.protection.released(this.id);
    this.#modules.onRemoved();
  }

  /** What prevents the endpoint from working after a pass, in words. */
  obstacles(endpointId: EndpointId, phase: Phase): readonly string[] {
    if (phase.kind === 'failing' && phase.why !== undefined) return [phase.why];
    const attached = this.#modules.intent().sandboxes;
    const mine = attached.find(({ endpoint }) => endpoint.id === endpointId);
    if (mine !== undefined && this.#containerPaths.isGone(mine)) return ["the container's namespace is gone"];
    if (phase.kind !== 'failing') return [];
    const sandboxes = this.#containerPaths.locate(attached);
    return phase.refused.filter(({ op }) => (endpointOf(op, sandboxes) ?? endpointId) === endpointId).map(explain);
  }

  /** The watches follow a change of a few endpoints. */
  #watchChanged(former: ReadonlyMap<EndpointId, Former>, desired: State): void {
    for (const { sandbox } of former.values()) {
      if (sandbox !== undefined && !desired.has(sandbox.netns)) this.#watches.end(sandbox.netns);
    }
    for (const [container, namespace] of this.#inContainers(desired)) this.#watches.follow(container, namespace);
  }

  #inContainers(desired: State): Map<NetnsPath, Namespace> {
    return new Map([...desired].filter(([netns]) => netns !== this.watched));
  }

  /** The part of the host's ends includes what is desired in the container: see `partOf`. */
  #containerChanged(container: NetnsPath): void {
    const changes = new ChangeSet();
    for (const { endpoint, netns } of this.#followed?.desired.sandboxes ?? []) {
      if (netns === container) changes.links.add(hostEnd(endpoint.id));
    }
    this.#onChange(changes);
  }

  #announce(refused: readonly Failure[]): void {
    if (this.#newAddresses.length === 0) return;
    const { desired } = this.#follows;
    const present = reachable(this.#newAddresses, refused).filter((each) => desired.hasStill(each));
    this.#newAddresses = [];
    this.#modules.announce({ networkId: this.id, addresses: present, own: desired.ownMacs });
  }

  get #follows(): Followed {
    if (this.#followed === undefined) throw new TypeError('a pass begins with advance');
    return this.#followed;
  }

  #located(changes: ReadonlyMap<EndpointId, Former>): Map<EndpointId, Former> {
    return new Map(
      Array.from(changes, ([id, { row, sandbox }]) => {
        return [id, { row, sandbox: sandbox && this.#containerPaths.placed(sandbox) }] as const;
      }),
    );
  }

  /** The agent does not guess what a later version would build. What the kernel holds of the network stays as it is. */
  #refuse({ name, driver }: UnknownNetwork): Goal {
    const why = `network ${name} has driver "${driver}", which this agent does not know: update the agent of this host`;
    const sides = { actual: 'unknown to this agent', desired: 'present' };
    const difference = { netns: this.watched, kind: 'driver', key: driver, ...sides } as const;
    const fields = { network: name, driver };
    return { kind: 'refuse', refusal: { event: 'network.driver-unknown', fields, why, difference } };
  }

  /** Nothing is made for the network: its frames would travel in the clear. */
  #refuseToEncrypt({ name, driver }: Network, reason: string): Goal {
    const why = cannotEncrypt(name, reason);
    const difference = {
      netns: this.watched,
      kind: 'driver',
      key: driver,
      actual: 'not made',
      desired: 'present',
    } as const;
    return { kind: 'refuse', refusal: { event: 'network.not-encrypted', fields: { network: name }, why, difference } };
  }
}

/**
 * Whether a container still has an endpoint that is released according to the table: its detach is not answered yet, or
 * garbage collection has yet to remove it. A host must not report as applied what it still holds, because the managers
 * then give the address to other endpoints.
 */
function holdsReleased({ epoch, revision, rows }: Table, sandboxes: readonly Sandbox[]): boolean {
  return sandboxes.some((sandbox) => {
    const { endpoint, claimed } = sandbox;
    if (rows.endpoint.has(endpoint.id) || !isGranted(sandbox)) return false;
    return claimed.epoch < epoch || (claimed.epoch === epoch && claimed.revision <= revision);
  });
}
