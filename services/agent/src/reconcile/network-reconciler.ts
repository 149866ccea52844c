import {
  applyPlan,
  type Changes,
  type Difference,
  differencesSliced,
  type Failure,
  hostEnd,
  isOverlayNetns,
  type Kernel,
  type Op,
  overlayNetns,
  Peers,
  plan,
  planSliced,
  readState,
  type State,
  teardown,
} from '@causeway/datapath';
import { type EndpointId, isKnown, type NetworkId, type UnknownNetwork } from '@causeway/model';
import { type Clock, Later, type Log, milliseconds, type Random, Slices, seconds, Worker } from '@causeway/runtime';
import { isGranted, type Sandbox } from '../disk/sandbox.ts';
import { isKnownTable, type KnownTable, type Table } from '../tables/table.ts';
import { Attention } from './attention.ts';
import { blamed, disturbs, explain, isStructural } from './blame.ts';
import { cautious } from './caution.ts';
import { desiredState, type Former, type Host, stateChange } from './desired.ts';
import { logFailures, logOps } from './op-log.ts';
import type { Overlays } from './overlays.ts';
import { findPlaces, Places, within } from './places.ts';
import { both, type Part, type Suspicion, suspected } from './suspicion.ts';
import type { SweepPace } from './sweep-pace.ts';
import type { Tally } from './tally.ts';

/** How long changes of the intent may put off the look at what somebody else has changed. */
const longestUnseen = seconds(1);
/** Entries may fall with a change of a shared link; a look after it sees them, and one more that all is well. */
const mostRounds = 3;

/** Somebody who asks what differs; the first answer counts. */
interface Verification {
  answer(found: readonly Difference[] | Promise<readonly Difference[]>): void;
  fail(error: unknown): void;
}

export interface NetworkIntent {
  /** undefined: no manager has told of the network (yet), or it was withdrawn. */
  readonly table: Table | undefined;
  readonly sandboxes: readonly Sandbox[];
}

export interface NetworkModules {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly tally: Tally;
  readonly overlays: Overlays;
  readonly pace: SweepPace;
  readonly intent: () => NetworkIntent;
  /** Of every network of this host. */
  readonly allSandboxes: () => Iterable<Sandbox>;
  /** Whether a manager has confirmed the tables since start. */
  readonly confirmed: () => boolean;
  /** A container is dead: its path leads nowhere, and its pair of links is gone. */
  readonly onLost: (id: EndpointId) => void;
  /** Nothing of the network is wanted, and nothing of it is left. */
  readonly onRemoved: () => void;
  readonly onRepaired: (network: string, repaired: readonly Difference[]) => void;
}

/** Keeps one network's part of this host's kernel as it is wanted. One pass at a time. */
export class NetworkReconciler {
  readonly #modules: NetworkModules;
  readonly #host: Host;
  readonly #networkId: NetworkId;
  readonly #log: Log;
  readonly #worker = new Worker(() => this.#pass());
  /** What has changed in the intent since the kernel was last made to follow it. */
  #pending = new Map<EndpointId, Former>();
  /** Where the kernel may differ: look there. */
  #suspicion: Suspicion = 'everything';
  /** Since when there is one. */
  #suspectedAt = 0;
  /** More of the intent has changed than is pending. */
  #stale = true;
  /** The kernel was as wanted after the last pass: what differs now and is not pending, is drift. */
  #exact = false;
  /** Where the containers were at the last full look. */
  #places = new Places();
  readonly #kernel: Pick<Kernel, 'read' | 'apply'>;
  /** Of the table, as far as the kernel was made to follow it; absent: to be built. */
  #peers: Peers | undefined;
  /** Of the intent, as far as the kernel was made to follow it; absent: to be built. */
  #wanted: State | undefined;
  #failures: readonly Failure[] = [];
  #broken: string | undefined;
  readonly #attention: Attention;
  readonly #sweep: Later;
  readonly #verifications: Verification[] = [];

  constructor(modules: NetworkModules, settings: { readonly host: Host; readonly networkId: NetworkId }) {
    this.#modules = modules;
    this.#kernel = within(modules.kernel, () => this.#places);
    this.#host = settings.host;
    this.#networkId = settings.networkId;
    this.#log = modules.log.child({ networkId: settings.networkId });
    const netns = overlayNetns(settings.networkId);
    this.#attention = new Attention({ ...modules, look: (suspicion) => void this.#lookAt(suspicion) }, { netns });
    this.#sweep = new Later({ clock: modules.clock, action: () => this.#lookNow() });
    // At a random moment of it, so that the networks of a host take turns.
    this.#sweep.in(milliseconds(modules.pace.interval * modules.random.float()));
  }

  /** For what no notification told. */
  #lookNow(): void {
    this.#sweep.in(this.#modules.pace.interval);
    void this.look();
  }

  /** A few endpoints changed, from what is told. */
  endpointsChanged(former: ReadonlyMap<EndpointId, Former>): void {
    for (const [id, was] of former) if (!this.#pending.has(id)) this.#pending.set(id, was);
    void this.#worker.poke();
  }

  /** All of the intent may have changed: the next difference is no drift. */
  intentChanged(): void {
    this.#stale = true;
    void this.#worker.poke();
  }

  /** Looks at the kernel, whether or not anything is known to have happened. */
  look(): Promise<void> {
    return this.#lookAt('everything');
  }

  /** Follows the intent as it is now; then what stands in the endpoint's way, in words. */
  async settle(endpointId: EndpointId): Promise<readonly string[]> {
    await this.#worker.poke();
    if (this.#broken !== undefined) return [this.#broken];
    const { sandboxes } = this.#intent();
    const mine = sandboxes.find(({ endpoint }) => endpoint.id === endpointId);
    if (mine !== undefined && this.#places.isGone(mine)) return ["the container's namespace is gone"];
    const failures = this.#failures.filter(({ op }) => (blamed(op, sandboxes) ?? endpointId) === endpointId);
    return failures.map(explain);
  }

  /** What differs now. */
  verify(): Promise<readonly Difference[]> {
    const { table, sandboxes } = this.#modules.intent();
    // Nothing is wanted: what is left of it is being removed, which takes as long as the kernel takes.
    if (table === undefined && !sandboxes.some(isGranted)) return Promise.resolve([]);
    return new Promise((answer, fail) => {
      this.#verifications.push({ answer, fail });
      void this.#worker.poke();
    });
  }

  /** Leaves the kernel as it is. */
  async stop(): Promise<void> {
    await this.#worker.stop();
    this.#sweep.stop();
    this.#attention.stop();
  }

  #lookAt(suspicion: Suspicion): Promise<void> {
    if (this.#suspicion === 'nothing') this.#suspectedAt = this.#modules.clock.now();
    this.#suspicion = both(this.#suspicion, suspicion);
    return this.#worker.poke();
  }

  /** Survives any failure: it is logged, and the pass made again after a while. */
  async #pass(): Promise<void> {
    // Whoever asks later is answered by the next pass: what this one has seen may be older than the question.
    const asked = this.#verifications.splice(0);
    try {
      const { table, sandboxes } = this.#intent();
      if (table === undefined || isKnown(table.network)) this.#broken = undefined;
      if (table === undefined && !sandboxes.some(isGranted)) await this.#remove();
      else if (table !== undefined && !isKnown(table.network)) this.#refuseDriver(table.network, asked);
      else if (table !== undefined && isKnownTable(table)) await this.#follow(table, sandboxes, asked);
    } catch (error) {
      this.#exact = false;
      this.#broken = error instanceof Error ? error.message : String(error);
      this.#log.error('network.not-reconciled', { message: this.#broken });
      this.#attention.refused();
      for (const { fail } of asked) fail(error);
    } finally {
      for (const { answer } of asked) answer([]);
    }
  }

  async #follow(table: KnownTable, sandboxes: readonly Sandbox[], asked: readonly Verification[]): Promise<void> {
    if (this.#exact && !this.#stale && this.#pending.size > 0) await this.#step(table, sandboxes);
    if (asked.length > 0) await this.#answer(asked);
    if (this.#stale || !this.#exact || this.#suspicion === 'everything') return await this.#compare();
    if (this.#suspicion === 'nothing') return;
    // What has come meanwhile has made sure of one more pass, which follows it before it looks.
    if (this.#pending.size === 0) await this.#compareAt(this.#suspicion);
    // Changes that never pause must not keep a repair waiting: a full look takes them along.
    else if (this.#modules.clock.now() - this.#suspectedAt >= longestUnseen) await this.#compare();
  }

  /** What a later version would build is not guessed at: what the kernel holds of the network stays as it is. */
  #refuseDriver({ name, driver }: UnknownNetwork, asked: readonly Verification[]): void {
    const before = this.#broken;
    this.#broken = `network ${name} has driver "${driver}", which this agent does not know: update the agent of this host`;
    this.#exact = false;
    if (before !== this.#broken)
      this.#log.error('network.driver-unknown', { network: name, driver, message: this.#broken });
    this.#modules.tally.standing(this.#networkId, 1);
    const netns = overlayNetns(this.#networkId);
    for (const { answer } of asked) {
      answer([{ netns, kind: 'driver', key: driver, actual: 'unknown to this agent', intended: 'present' }]);
    }
  }

  /** Follows changes of a few endpoints without a look: what the kernel holds is known. */
  async #step(table: KnownTable, sandboxes: readonly Sandbox[]): Promise<void> {
    const changes = this.#pending;
    this.#pending = new Map();
    const { epoch, revision, network, rows } = table;
    const holds = holdsReleased(table, sandboxes);
    const { before, after } = stateChange(this.#host, this.#located(changes), { network, rows, sandboxes });
    this.#advance(changes, table);
    this.#failures = await this.#apply(plan(before, after));
    this.#exact = this.#failures.length === 0;
    if (this.#exact && !holds) this.#modules.tally.reached(this.#networkId, { epoch, revision });
  }

  /** Looks where something was told to have happened. Where links or namespaces differ, that may have to do with all the rest. */
  async #compareAt(changes: Changes): Promise<void> {
    const { clock } = this.#modules;
    const began = clock.now();
    const { table, sandboxes } = this.#intent();
    if (table === undefined || !isKnownTable(table)) return;
    const part = suspected(this.#desired(table, sandboxes), this.#networkId, sandboxes, changes);
    const { wanted } = part;
    this.#suspicion = 'nothing';
    this.#attention.open();
    const actual = await readState(this.#kernel, wanted, part.scopes);
    const slices = new Slices(this.#modules);
    const steps = await slices.run(planSliced(actual, wanted));
    if (actual.size < wanted.size || steps.some(isStructural)) return await this.#compare();
    if (part.scopes.size === 0) this.#attention.looked(clock.now() - began);
    if (steps.length === 0) return;
    const found = ours(await slices.run(differencesSliced(actual, wanted)));
    this.#failures = await this.#apply(steps);
    this.#exact = this.#failures.length === 0;
    await this.#account(part, found, table.network.name);
  }

  /** Looks at the kernel and puts right what differs. */
  async #compare(): Promise<void> {
    const { clock, tally, intent, confirmed, overlays, pace, allSandboxes } = this.#modules;
    const began = clock.now();
    await overlays.adopt(overlayNetns(this.#networkId));
    this.#places = await findPlaces(this.#modules, intent().sandboxes, allSandboxes());
    const wasExact = this.#exact && !this.#stale && this.#pending.size === 0;
    const { table, sandboxes } = this.#intent();
    if (table === undefined || !isKnownTable(table)) return;
    const sure = confirmed();
    // A network without containers of ours may be one that has been withdrawn since the ledger was last written.
    if (!sure && !sandboxes.some(isGranted)) return;
    const { epoch, revision } = table;
    const holds = holdsReleased(table, sandboxes);
    if (this.#stale) this.#peers = undefined;
    this.#advance(this.#pending, table);
    const missing = this.#peers === undefined ? [...table.rows.values()] : [];
    const peers = this.#peers ?? new Peers(this.#host);
    const desired = desiredState(this.#host, { ...table, sandboxes }, peers);
    // From here on, what changes is seen to be later.
    this.#suspicion = 'nothing';
    this.#stale = false;
    this.#pending = new Map();
    this.#peers = undefined;
    const slices = new Slices(this.#modules);
    for (const row of missing) {
      peers.add(row);
      await slices.breathe();
    }
    this.#peers = peers;
    this.#wanted = desired;
    let found: readonly Difference[] = [];
    for (let round = 1; round <= mostRounds; round++) {
      this.#attention.open();
      const actual = await readState(this.#kernel, desired);
      if (round === 1) this.#tellLost(actual, sandboxes);
      const steps = await slices.run(planSliced(actual, desired));
      if (round === 1 && wasExact && steps.length > 0) {
        found = ours(await slices.run(differencesSliced(actual, desired)));
      }
      const ops = sure ? steps : cautious(steps, actual);
      this.#failures = await this.#apply(ops);
      if (!ops.some((op) => disturbs(op, sandboxes))) break;
    }
    const took = clock.now() - began;
    this.#attention.looked(took);
    pace.looked(this.#networkId, took);
    this.#exact = sure && this.#failures.length === 0;
    await this.#account({ wanted: desired, scopes: new Map() }, found, table.network.name);
    const blocked = this.#failures.some(({ op }) => blamed(op, sandboxes) === undefined);
    if (sure && !blocked && !holds) tally.reached(this.#networkId, { epoch, revision });
  }

  /** Where nothing is pending, or the kernel is to be compared with all of it, this is kept. */
  #desired(table: KnownTable, sandboxes: readonly Sandbox[]): State {
    const isKept = this.#peers !== undefined && !this.#stale && this.#pending.size === 0;
    if (isKept && this.#wanted !== undefined) return this.#wanted;
    const wanted = desiredState(this.#host, { ...table, sandboxes }, isKept ? this.#peers : undefined);
    if (isKept) this.#wanted = wanted;
    return wanted;
  }

  /** Former rows go first: what one has given up, another may have. */
  #advance(changes: ReadonlyMap<EndpointId, Former>, { rows }: Table): void {
    this.#wanted = undefined;
    for (const { row } of changes.values()) if (row !== undefined) this.#peers?.remove(row);
    for (const id of changes.keys()) {
      const row = rows.get(id);
      if (row !== undefined) this.#peers?.add(row);
    }
  }

  /** Every sandbox where its container is. */
  #intent(): NetworkIntent {
    const { table, sandboxes } = this.#modules.intent();
    return { table, sandboxes: this.#places.locate(sandboxes) };
  }

  #located(changes: ReadonlyMap<EndpointId, Former>): Map<EndpointId, Former> {
    return new Map(
      Array.from(changes, ([id, { row, sandbox }]) => {
        return [id, { row, sandbox: sandbox && this.#places.locate([sandbox])[0] }] as const;
      }),
    );
  }

  #tellLost(actual: State, sandboxes: readonly Sandbox[]): void {
    const links = actual.get(overlayNetns(this.#networkId))?.links;
    for (const sandbox of sandboxes) {
      const { id } = sandbox.endpoint;
      if (this.#places.isGone(sandbox) && links?.has(hostEnd(id)) !== true) this.#modules.onLost(id);
    }
  }

  /** Of what was found to differ, what is right now has been repaired, and the rest stands. */
  async #account({ wanted, scopes }: Part, found: readonly Difference[], network: string): Promise<void> {
    const { tally, onRepaired } = this.#modules;
    const standing = this.#failures.length === 0 ? [] : ours(await this.#differences(wanted, scopes));
    tally.standing(this.#networkId, standing.length);
    const still = new Set(standing.map(nameOf));
    const repaired = found.filter((difference) => !still.has(nameOf(difference)));
    if (repaired.length > 0) onRepaired(network, repaired);
    if (this.#failures.length > 0) this.#attention.refused();
    else this.#attention.obeyed();
  }

  async #answer(asked: readonly Verification[]): Promise<void> {
    const { table, sandboxes } = this.#intent();
    if (table === undefined || !isKnownTable(table)) return;
    const desired = this.#desired(table, sandboxes);
    const result = this.#differences(desired);
    for (const { answer } of asked) answer(result);
    await result;
  }

  async #differences(wanted: State, scopes?: Part['scopes']): Promise<Difference[]> {
    const actual = await readState(this.#kernel, wanted, scopes);
    return await new Slices(this.#modules).run(differencesSliced(actual, wanted));
  }

  async #remove(): Promise<void> {
    const { kernel, tally, overlays, onRemoved } = this.#modules;
    this.#attention.close();
    const before = this.#failures;
    const netns = overlayNetns(this.#networkId);
    if (await overlays.isForeign(netns)) {
      tally.forget(this.#networkId);
      return onRemoved();
    }
    await overlays.found(netns);
    this.#failures = await teardown(kernel, netns);
    logFailures(this.#log, this.#failures, before);
    this.#exact = false;
    if (this.#failures.length === 0) {
      overlays.removed(netns);
      tally.forget(this.#networkId);
      return onRemoved();
    }
    tally.standing(this.#networkId, this.#failures.length);
    this.#attention.refused();
  }

  async #apply(ops: readonly Op[]): Promise<readonly Failure[]> {
    logOps(this.#log, ops);
    const failures = await applyPlan(this.#kernel, ops);
    logFailures(this.#log, failures, this.#failures);
    for (const op of ops) if (op.op === 'netns.add') await this.#modules.overlays.made(op.netns);
    return failures;
  }
}

/**
 * A container still has what the table says is released: its detach has not been answered, or its upkeep is to come. What a
 * host has not let go of must not be said to be applied, since it is given to others then.
 */
function holdsReleased({ epoch, revision, rows }: Table, sandboxes: readonly Sandbox[]): boolean {
  return sandboxes.some((sandbox) => {
    const { endpoint, claimed } = sandbox;
    const isTold = claimed.epoch < epoch || (claimed.epoch === epoch && claimed.revision <= revision);
    return isGranted(sandbox) && isTold && !rows.has(endpoint.id);
  });
}

/** Without containers that are gone: those are not ours to make. */
function ours(found: readonly Difference[]): readonly Difference[] {
  return found.filter(({ kind, netns }) => kind !== 'netns' || isOverlayNetns(netns));
}

function nameOf({ netns, kind, key }: Difference): string {
  return `${netns} ${kind} ${key}`;
}
