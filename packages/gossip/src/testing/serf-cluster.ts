import type { SerfSettings } from '../serf/context.ts';
import { SerfCore } from '../serf/core.ts';
import type { QueryAnswer, SerfEffect, SerfEvent, SerfInput } from '../serf/effect.ts';
import { type SerfProfile, serfDefaults } from '../serf/profile.ts';
import type { Status } from '../serf/roster.ts';
import type { SnapshotRecord } from '../serf/snapshot.ts';
import type { Tags } from '../serf/tags.ts';
import type { Effect } from '../swim/effect.ts';
import { lan } from '../swim/profile.ts';
import { noBytes } from '../wire/bytes.ts';
import { Keyring } from '../wire/keyring.ts';
import { NullAead } from './null-aead.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimNetwork, SimNode } from './sim-network.ts';

export interface SerfNodeOptions {
  readonly tags?: Tags;
  readonly serf?: Partial<SerfProfile>;
  readonly restored?: SerfSettings['restored'];
  /** The keys of the node; its cluster encrypts then. */
  readonly key?: Uint8Array;
}

/** A node of serf in the simulated network, and what happened at it. */
export class SerfSimNode {
  readonly sim: SimNode;
  readonly keyring: Keyring | undefined;
  readonly events: SerfEvent[] = [];
  /** What the snapshot of the node says. */
  snapshot: readonly SnapshotRecord[] = [];
  serf: SerfCore;

  constructor(sim: SimNode, serf: SerfCore, keyring: Keyring | undefined) {
    this.sim = sim;
    this.serf = serf;
    this.keyring = keyring;
  }

  get name(): string {
    return this.sim.name;
  }

  /** The user events that the node told, by name. */
  get told(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'user' ? [event.name] : []));
  }

  view(): Readonly<Record<string, Status>> {
    return Object.fromEntries(this.serf.members().map(({ name, status }) => [name, status]));
  }
}

/** Nodes of serf in virtual time. The same seed gives the same run. */
export class SerfCluster {
  readonly network: SimNetwork;
  readonly nodes: SerfSimNode[] = [];
  /** Answers to each query, by its command. */
  readonly answers = new Map<number, QueryAnswer[]>();
  #commands = 1_000_000;
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed * 1000;
    this.network = new SimNetwork({ seed });
  }

  add(name: string, options: SerfNodeOptions = {}): SerfSimNode {
    const address = this.network.newAddress();
    const keyring = options.key === undefined ? undefined : new Keyring(options.key);
    const serf = this.#core(name, address, keyring, options);
    const sim = new SimNode(name, address, serf.memberlist);
    const node = new SerfSimNode(sim, serf, keyring);
    sim.machine = this.#machine(node);
    this.nodes.push(node);
    this.network.host(sim);
    return node;
  }

  /** The process starts again, with what its options say. */
  restart(node: SerfSimNode, options: SerfNodeOptions = {}): void {
    node.serf = this.#core(node.name, node.sim.address, node.keyring, options);
    this.network.revive(node.sim, node.serf.memberlist, this.#machine(node));
  }

  /** Gives the node a command, and returns its number: `network.settled` has its end. */
  command(node: SerfSimNode, make: (command: number) => SerfInput): number {
    const command = this.#commands++;
    this.network.act(node.sim, (now) => this.#split(node, node.serf.step(make(command), now)));
    return command;
  }

  join(node: SerfSimNode, to: SerfSimNode, ignoreOld = true): number {
    return this.command(node, (command) => ({ type: 'join', command, to: to.sim.address, ignoreOld }));
  }

  userEvent(node: SerfSimNode, name: string): number {
    return this.command(node, (command) => ({ type: 'userEvent', command, name, payload: noBytes, coalesce: false }));
  }

  /** Whether every running node gives the node this status. */
  allSee(name: string, status: Status): boolean {
    return this.nodes.every((each) => !each.sim.isUp || each.view()[name] === status);
  }

  #core(
    name: string,
    address: SimNode['address'],
    keyring: Keyring | undefined,
    { tags = {}, serf = {}, restored }: SerfNodeOptions,
  ): SerfCore {
    const encryption =
      keyring === undefined
        ? undefined
        : ({ aead: new NullAead(), keyring, version: 1, encryptsOutgoing: true, refusesPlaintext: true } as const);
    const settings = {
      name,
      address,
      profile: lan,
      layers: { label: noBytes, encryption, compresses: false },
      tags,
      serf: { ...serfDefaults, ...serf },
      restored,
    };
    return new SerfCore(settings, new SeededRandom(this.#seed++), this.network.now);
  }

  #machine(node: SerfSimNode): SimNode['machine'] {
    const { serf } = node;
    return {
      get nextWake() {
        return serf.nextWake;
      },
      step: (input, now) => {
        switch (input.type) {
          case 'updateMeta':
          case 'sendReliable':
          case 'sendBestEffort':
          case 'evict':
          case 'spread':
            throw new Error(`not an input of serf: ${input.type}`);
          default:
            return this.#split(node, serf.step(input, now));
        }
      },
    };
  }

  /** Keeps what the node tells, and returns what the network has to do. */
  #split(node: SerfSimNode, effects: readonly SerfEffect[]): readonly Effect[] {
    return effects.flatMap((effect): Effect[] => {
      switch (effect.type) {
        case 'event':
          node.events.push(effect.event);
          return [];
        case 'answer':
          this.answers.set(effect.command, [...(this.answers.get(effect.command) ?? []), effect.answer]);
          return [];
        case 'snapshot':
          node.snapshot = effect.how === 'replace' ? effect.records : [...node.snapshot, ...effect.records];
          return [];
        default:
          return [effect];
      }
    });
  }
}

/** A cluster in which every node has every node as alive. Throws after `limit` milliseconds without that. */
export function formedSerf(
  count: number,
  seed: number,
  options: (i: number) => SerfNodeOptions = () => ({}),
  limit = 200_000,
): SerfCluster {
  const cluster = new SerfCluster(seed);
  const first = cluster.add('n0', options(0));
  for (let i = 1; i < count; i++) cluster.join(cluster.add(`n${i}`, options(i)), first);
  const isFormed = (): boolean => cluster.nodes.every(({ name }) => cluster.allSee(name, 'alive'));
  cluster.network.run(limit, isFormed);
  if (!isFormed()) throw new Error(`seed ${seed}: no agreement after ${limit} ms`);
  return cluster;
}
