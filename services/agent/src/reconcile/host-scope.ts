import {
  applyPlan,
  type Difference,
  type Failure,
  hostNetns,
  isOverlayNetns,
  type Kernel,
  type NetnsPath,
  newNamespace,
  type Op,
  type ReadScope,
  readState,
  type State,
  slotsOfLinks,
} from '@causeway/datapath';
import type { Log } from '@causeway/runtime';
import type { HostStats } from './host-stats.ts';
import type { Overlays } from './overlays.ts';
import type { DirtyPart, Goal, IntentChange, Scope } from './scope.ts';

export interface HostScopeModules {
  readonly kernel: Kernel;
  readonly stats: HostStats;
  readonly overlays: Overlays;
  readonly log: Log;
  /** Whether a manager has confirmed the tables since start. */
  readonly confirmed: () => boolean;
  /** Whether the path is the overlay of a network that is desired or is being removed. */
  readonly isInUse: (netns: NetnsPath) => boolean;
}

/** What networks share is not in this scope: what is desired of them depends on what is there (see `encryption/`). */
const ownNamespace: ReadonlyMap<NetnsPath, ReadScope> = new Map([[hostNetns, { of: slotsOfLinks, sysctls: [] }]]);

/**
 * What belongs to no network or to all networks: in the host's own namespace, what is Causeway's (owner.ts); and overlay
 * namespaces that this agent has made and that no table or container wants any more.
 */
export class HostScope implements Scope {
  readonly id = 'host';
  readonly name = '';
  /** Networks share nothing in the host's own namespace yet. When they do, that namespace is worth a watch too. */
  readonly desired: State = new Map([[hostNetns, newNamespace()]]);
  readonly #modules: HostScopeModules;

  constructor(modules: HostScopeModules) {
    this.#modules = modules;
  }

  get isConfirmed(): boolean {
    return this.#modules.confirmed();
  }

  goal(): Goal {
    return { kind: this.isConfirmed ? 'follow' : 'wait' };
  }

  async advance(): Promise<IntentChange> {
    return 'nothing';
  }

  partOf(): DirtyPart {
    return { kind: 'dirty', desired: this.desired, scopes: new Map() };
  }

  /** Also reads the overlays that removed networks have left: none of them is desired. */
  async read(): Promise<State> {
    const { kernel, overlays, stats, log } = this.#modules;
    const state = new Map(await readState(kernel, this.desired, ownNamespace));
    for (const netns of await kernel.ownNetns()) {
      if (!isOverlayNetns(netns) || this.#modules.isInUse(netns) || !(await overlays.isRecorded(netns))) continue;
      try {
        await overlays.found(netns);
        const found = await kernel.read(netns, { of: [], sysctls: [] });
        if (found !== undefined) state.set(netns, found);
      } catch (error) {
        stats.unresolved(pathOf(netns), 1);
        log.error('netns.not-removed', { netns, message: String(error) });
      }
    }
    return state;
  }

  async apply(planned: readonly Op[]): Promise<readonly Failure[]> {
    const { kernel, overlays, stats, log, isInUse } = this.#modules;
    // A network may have been added since the overlays were read.
    const ops = planned.filter(({ netns }) => !isInUse(netns));
    const refused = await applyPlan(kernel, ops);
    for (const { op, netns } of ops) {
      if (op !== 'netns.delete') continue;
      const failed = refused.filter((failure) => failure.op.netns === netns).length;
      if (failed === 0) overlays.removed(netns);
      log.warn('netns.stray-removed', { netns, failed });
      stats.unresolved(pathOf(netns), failed);
    }
    return refused;
  }

  /** The removal of a namespace removes everything in it, so only the namespace is listed. */
  summary(found: readonly Difference[]): readonly Difference[] {
    return found.filter(({ kind, netns }) => kind === 'netns' || !isOverlayNetns(netns));
  }

  /** The remains of a removed network are removed, and are not drift. */
  answersFor({ netns }: Difference): boolean {
    return !isOverlayNetns(netns);
  }
}

function pathOf(netns: NetnsPath): `/${string}` {
  return netns as string as `/${string}`;
}
