import {
  applyPlan,
  type Changes,
  type Difference,
  type Failure,
  hostEnd,
  isOverlayNetns,
  type Kernel,
  type NetnsPath,
  type Op,
  overlayNetns,
  readState,
  type State,
  teardown,
} from '@causeway/datapath';
import { type EndpointId, isKnown, type NetworkId, type Stamp, type UnknownNetwork } from '@causeway/model';
import { type Clock, Slices } from '@causeway/runtime';
import { isGranted, type Sandbox } from '../disk/sandbox.ts';
import { isKnownTable, type Table } from '../tables/table.ts';
import type { Former, Host } from './desired.ts';
import type { HostStats } from './host-stats.ts';
import { explain } from './op-log.ts';
import { affectsSharedLink, endpointOf } from './op-scope.ts';
import type { Overlays } from './overlays.ts';
import { partOf } from './part.ts';
import { findPlaces, Places, within } from './places.ts';
import type { Changed, DirtyPart, Goal, IntentChange, Part, Scope } from './scope.ts';
import type { Phase } from './scope-reconciler.ts';
import { WantedNetwork } from './wanted-network.ts';

export interface NetworkIntent {
  /** undefined: no manager has told of the network (yet), or it was withdrawn. */
  readonly table: Table | undefined;
  readonly sandboxes: readonly Sandbox[];
}

export interface NetworkScopeModules {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly stats: HostStats;
  readonly overlays: Overlays;
  readonly intent: () => NetworkIntent;
  /** Of every network of this host. */
  readonly allSandboxes: () => Iterable<Sandbox>;
  /** Whether a manager has confirmed the tables since start. */
  readonly confirmed: () => boolean;
  /** A container is dead: its path leads nowhere, and its pair of links is gone. */
  readonly onLost: (id: EndpointId) => void;
  /** Nothing of the network is wanted, and nothing of it is left. */
  readonly onRemoved: () => void;
}

/** The moment of the intent that the kernel follows. */
interface Followed {
  readonly wanted: WantedNetwork;
  /** Each where it was attached. */
  readonly sandboxes: readonly Sandbox[];
  readonly stamp: Stamp;
  readonly isHeld: boolean;
}

/** One network on this host: its overlay namespace, and its interfaces in containers. */
export class NetworkScope implements Scope {
  readonly id: NetworkId;
  readonly watched: NetnsPath;
  readonly #modules: NetworkScopeModules;
  readonly #host: Host;
  readonly #kernel: Pick<Kernel, 'read' | 'apply'>;
  /** Where the containers were when everything was last read. */
  #places = new Places();
  /** Endpoints that have changed since `advance`, as they were; or more than endpoints. */
  #changes: Map<EndpointId, Former> | 'everything' = 'everything';
  #followed: Followed | undefined;
  /** The containers were looked for since `advance`. */
  #isRelocated = false;

  constructor(modules: NetworkScopeModules, settings: { readonly host: Host; readonly networkId: NetworkId }) {
    this.#modules = modules;
    this.#host = settings.host;
    this.id = settings.networkId;
    this.watched = overlayNetns(settings.networkId);
    this.#kernel = within(modules.kernel, () => this.#places);
  }

  /** A few endpoints have changed, from what is told. */
  endpointsChanged(former: ReadonlyMap<EndpointId, Former>): void {
    if (this.#changes === 'everything') return;
    for (const [id, was] of former) if (!this.#changes.has(id)) this.#changes.set(id, was);
  }

  /** All of the intent may have changed: what differs next is not drift. */
  everythingChanged(): void {
    this.#changes = 'everything';
  }

  get name(): string {
    return this.#modules.intent().table?.network.name ?? this.id;
  }

  get isConfirmed(): boolean {
    return this.#modules.confirmed();
  }

  goal(): Goal {
    const { table, sandboxes } = this.#modules.intent();
    const isAttached = sandboxes.some(isGranted);
    if (table === undefined) return { kind: isAttached ? 'wait' : 'remove' };
    if (!isKnown(table.network)) return this.#refuse(table.network);
    // A network without containers of ours may have been withdrawn since the ledger was last written.
    return { kind: isAttached || this.isConfirmed ? 'follow' : 'wait' };
  }

  async locate(): Promise<void> {
    const { overlays, intent, allSandboxes } = this.#modules;
    await overlays.adopt(this.watched);
    this.#places = await findPlaces(this.#modules, intent().sandboxes, allSandboxes());
    this.#isRelocated = true;
  }

  async advance(): Promise<IntentChange> {
    const { table, sandboxes } = this.#modules.intent();
    // Dropped in the middle of a pass: the next one sees to it.
    if (table === undefined || !isKnownTable(table)) return 'nothing';
    const changes = this.#changes;
    this.#changes = new Map();
    const located = this.#places.locate(sandboxes);
    if (changes !== 'everything' && changes.size === 0) {
      if (this.#isRelocated) this.#followed?.wanted.relocate(located);
      this.#isRelocated = false;
      return 'nothing';
    }
    this.#isRelocated = false;
    const { epoch, revision } = table;
    const moment = { sandboxes, stamp: { epoch, revision }, isHeld: holdsReleased(table, sandboxes) };
    if (changes === 'everything' || this.#followed === undefined) {
      const wanted = await WantedNetwork.of(this.#host, table, located, new Slices(this.#modules));
      this.#followed = { ...moment, wanted };
      return 'everything';
    }
    const { wanted } = this.#followed;
    this.#followed = { ...moment, wanted };
    return wanted.advance(this.#located(changes), table, located);
  }

  get wanted(): State {
    return this.#follows.wanted.state;
  }

  partOf(changes: Changes): DirtyPart {
    const { state, sandboxes } = this.#follows.wanted;
    return partOf(state, this.id, sandboxes, changes);
  }

  read(part: Exclude<Part, Changed>): Promise<State> {
    return readState(this.#kernel, part.wanted, part.kind === 'dirty' ? part.scopes : undefined);
  }

  async apply(ops: readonly Op[]): Promise<readonly Failure[]> {
    const refused = await applyPlan(this.#kernel, ops);
    for (const op of ops) if (op.op === 'netns.add') await this.#modules.overlays.made(op.netns);
    return refused;
  }

  /** Containers that are gone are not ours to make. */
  answersFor({ kind, netns }: Difference): boolean {
    return kind !== 'netns' || isOverlayNetns(netns);
  }

  disturbs(op: Op): boolean {
    return affectsSharedLink(op, this.#follows.wanted.sandboxes);
  }

  found(actual: State): void {
    const links = actual.get(this.watched)?.links;
    for (const sandbox of this.#follows.sandboxes) {
      const { id } = sandbox.endpoint;
      if (this.#places.isGone(sandbox) && links?.has(hostEnd(id)) !== true) this.#modules.onLost(id);
    }
  }

  followed(refused: readonly Failure[]): void {
    const { wanted, stamp, isHeld } = this.#follows;
    const isBlocked = refused.some(({ op }) => endpointOf(op, wanted.sandboxes) === undefined);
    if (!isBlocked && !isHeld) this.#modules.stats.reached(this.id, stamp);
  }

  async remove(): Promise<readonly Failure[]> {
    const { kernel, overlays } = this.#modules;
    this.#followed = undefined;
    if (await overlays.isForeign(this.watched)) return [];
    await overlays.found(this.watched);
    const refused = await teardown(kernel, this.watched);
    if (refused.length === 0) overlays.removed(this.watched);
    return refused;
  }

  removed(): void {
    this.#modules.stats.forget(this.id);
    this.#modules.onRemoved();
  }

  /** What stands in the endpoint's way after a pass, in words. */
  obstacles(endpointId: EndpointId, phase: Phase): readonly string[] {
    if (phase.kind === 'failing' && phase.why !== undefined) return [phase.why];
    const sandboxes = this.#places.locate(this.#modules.intent().sandboxes);
    const mine = sandboxes.find(({ endpoint }) => endpoint.id === endpointId);
    if (mine !== undefined && this.#places.isGone(mine)) return ["the container's namespace is gone"];
    const refused = phase.kind === 'failing' ? phase.refused : [];
    return refused.filter(({ op }) => (endpointOf(op, sandboxes) ?? endpointId) === endpointId).map(explain);
  }

  get #follows(): Followed {
    if (this.#followed === undefined) throw new TypeError('a pass begins with advance');
    return this.#followed;
  }

  #located(changes: ReadonlyMap<EndpointId, Former>): Map<EndpointId, Former> {
    return new Map(
      Array.from(changes, ([id, { row, sandbox }]) => {
        return [id, { row, sandbox: sandbox && this.#places.placed(sandbox) }] as const;
      }),
    );
  }

  /** What a later version would build is not guessed at: what the kernel holds of the network stays as it is. */
  #refuse({ name, driver }: UnknownNetwork): Goal {
    const why = `network ${name} has driver "${driver}", which this agent does not know: update the agent of this host`;
    const sides = { actual: 'unknown to this agent', intended: 'present' };
    const difference = { netns: this.watched, kind: 'driver', key: driver, ...sides } as const;
    const fields = { network: name, driver };
    return { kind: 'refuse', refusal: { event: 'network.driver-unknown', fields, why, difference } };
  }
}

/**
 * Whether a container still has what the table says is released: its detach is not answered yet, or its garbage collection is
 * to come. What a host has not let go of must not be reported as applied, since managers then give it to others.
 */
function holdsReleased({ epoch, revision, rows }: Table, sandboxes: readonly Sandbox[]): boolean {
  return sandboxes.some((sandbox) => {
    const { endpoint, claimed } = sandbox;
    const isPast = claimed.epoch < epoch || (claimed.epoch === epoch && claimed.revision <= revision);
    return isGranted(sandbox) && isPast && !rows.has(endpoint.id);
  });
}
