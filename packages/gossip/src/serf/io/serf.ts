import { EventStream, type Overflow } from '../../io/event-stream.ts';
import { Host } from '../../io/host.ts';
import { formatIp } from '../../io/ip.ts';
import { checkedOptions } from '../../io/options.ts';
import { joinEach } from '../../io/settings.ts';
import { Sockets } from '../../io/sockets.ts';
import { type Bytes, noBytes } from '../../wire/bytes.ts';
import type { Refusal } from '../../wire/refusal.ts';
import { encodeKeyRequest } from '../answer.ts';
import type { SerfSettings } from '../context.ts';
import { type Coordinate, distance } from '../coordinate.ts';
import { SerfCore } from '../core.ts';
import type { QueryAnswer, QueryOptions, SerfEffect, SerfInput } from '../effect.ts';
import { internalPrefix, type KeyOperation, keyQueries } from '../internal-query.ts';
import { encodeTags, type Tags } from '../tags.ts';
import { type KeyReport, KeyTally } from '../tally.ts';
import { type SerfOptions, serfSettings } from './options.ts';
import { readableMember, readableSerfEvent, type SerfNode, type SerfNodeEvent } from './readable.ts';
import { SnapshotFile } from './snapshot-file.ts';

type Told = Extract<SerfEffect, { readonly type: 'event' | 'answer' | 'snapshot' }>;

/** Changes the keys of all nodes. A rotation installs a key, waits until it is everywhere, uses it, then removes the old one. */
export interface KeyManager {
  install(key: Bytes): Promise<KeyReport>;
  use(key: Bytes): Promise<KeyReport>;
  remove(key: Bytes): Promise<KeyReport>;
  list(): Promise<KeyReport>;
}

/** Opens the sockets of a node. The node is alone until it joins; with a snapshot, it joins the nodes of the snapshot. */
export async function createSerf(options: SerfOptions): Promise<Serf> {
  const checked = { ...options, ...checkedOptions(options) };
  encodeTags(checked.tags ?? {});
  const { snapshotPath, rejoinAfterLeave = false } = options;
  const file = snapshotPath === undefined ? undefined : await SnapshotFile.open(snapshotPath, rejoinAfterLeave);
  const sockets = await Sockets.open(checked.bindAddr, checked.bindPort, checked.profile.streamTimeout + 1000);
  try {
    return new Serf(serfSettings(checked, sockets.port, file?.restored), sockets, file);
  } catch (error) {
    await sockets.close();
    throw error;
  }
}

/** A node of a cluster, for which agents of serf take it too. */
export class Serf {
  readonly keyManager: KeyManager = {
    install: (key) => this.#keys('install', encodeKeyRequest(key)),
    use: (key) => this.#keys('use', encodeKeyRequest(key)),
    remove: (key) => this.#keys('remove', encodeKeyRequest(key)),
    list: () => this.#keys('list', noBytes),
  };
  readonly #name: string;
  readonly #core: SerfCore;
  readonly #host: Host<SerfInput, Told>;
  readonly #file: SnapshotFile | undefined;
  readonly #readers = new Set<EventStream<SerfNodeEvent>>();
  readonly #answers = new Map<number, EventStream<QueryAnswer>>();

  constructor(settings: SerfSettings, sockets: Sockets, file: SnapshotFile | undefined) {
    this.#name = settings.name;
    this.#file = file;
    file?.onError((why) => this.#tell({ type: 'snapshotFailed', why }));
    this.#core = new SerfCore(settings, { float: Math.random }, performance.now());
    this.#host = new Host<SerfInput, Told>(this.#core, sockets, (effect) => this.#carryOut(effect));
    this.#host.start();
  }

  /** This node. */
  get local(): SerfNode {
    const me = this.#core.member(this.#name);
    if (me === undefined) throw new Error('a node knows itself');
    return readableMember(me);
  }

  /** Every known node, this node included. Nodes that failed or left stay for a day. */
  members(): SerfNode[] {
    return this.#core.members().map(readableMember);
  }

  /** 0: healthy. Higher: this node misses answers, and probes more slowly. */
  get health(): number {
    return this.#core.memberlist.health;
  }

  /** How often input was refused, by reason: packets and streams, and messages of serf inside them. */
  get refusals(): { readonly memberlist: ReadonlyMap<Refusal, number>; readonly serf: ReadonlyMap<Refusal, number> } {
    return { memberlist: this.#core.memberlist.refusals, serf: this.#core.refusals };
  }

  /** What happens from now on. Ends when the node shuts down. */
  events(): AsyncIterable<SerfNodeEvent> {
    const reader = new EventStream<SerfNodeEvent>(() => this.#readers.delete(reader));
    if (this.#host.isOver) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  /**
   * Joins a cluster by its nodes: `host`, `host:port`, `[address]:port`. Returns how many answered, and throws if none did.
   * `ignoreOld`, which is the default: user events from before the join are not told.
   */
  async join(hosts: readonly string[], { ignoreOld = true }: { readonly ignoreOld?: boolean } = {}): Promise<number> {
    return await joinEach(hosts, (to) =>
      this.#host.command(`join ${formatIp(to.addr)}:${to.port}`, (command) => ({
        type: 'join',
        command,
        to,
        ignoreOld,
      })),
    );
  }

  /**
   * Tells every node an event, this node too. Name and payload have at most 512 bytes. `coalesce`, which is the default: of
   * several events with this name, readers that coalesce need only the last.
   */
  async userEvent(
    name: string,
    payload: Bytes = noBytes,
    { coalesce = true }: { readonly coalesce?: boolean } = {},
  ): Promise<void> {
    await this.#host.command(`event ${name}`, (command) => ({ type: 'userEvent', command, name, payload, coalesce }));
  }

  /** Asks every node something, this node too. The answers come until the time is over. */
  query(name: string, payload: Bytes = noBytes, options: QueryOptions = {}): AsyncIterable<QueryAnswer | Overflow> {
    if (name.startsWith(internalPrefix)) throw new RangeError(`names that begin with ${internalPrefix} are serf's own`);
    return this.#query(name, payload, options);
  }

  /** Gives every node other tags of this node. */
  async setTags(tags: Tags): Promise<void> {
    encodeTags(tags);
    await this.#host.command('set tags', (command) => ({ type: 'setTags', command, tags }));
  }

  /** Declares that a node that failed has left. `prune`: every node forgets it at once. */
  async forceLeave(name: string, { prune = false }: { readonly prune?: boolean } = {}): Promise<void> {
    await this.#host.command(`force leave of ${name}`, (command) => ({ type: 'forceLeave', command, name, prune }));
  }

  /** Where a node is in the network; of other nodes this is known once this node has probed them. */
  coordinate(name: string = this.#name): Coordinate | undefined {
    return this.#core.coordinate(name);
  }

  /** The estimated round trip between two nodes, in milliseconds. */
  roundTrip(a: string, b: string = this.#name): number | undefined {
    const [from, to] = [this.#core.coordinate(a), this.#core.coordinate(b)];
    return from === undefined || to === undefined ? undefined : distance(from, to) * 1000;
  }

  /** Tells the cluster that this node leaves, and waits until the news has spread. Then shut the node down. */
  async leave(): Promise<void> {
    await this.#host.command('leave', (command) => ({ type: 'leave', command }));
  }

  /** Closes all sockets. Without `leave` before, other nodes take this node for one that failed. */
  async shutdown(): Promise<void> {
    await this.#host.shutdown();
    await this.#file?.close();
    for (const reader of this.#readers) reader.end();
  }

  #tell(event: SerfNodeEvent): void {
    for (const reader of this.#readers) reader.push(event);
  }

  #query(name: string, payload: Bytes, options: QueryOptions): EventStream<QueryAnswer> {
    const answers = new EventStream<QueryAnswer>(() => undefined);
    let started = 0;
    const asked = this.#host.command(`query ${name}`, (command) => {
      started = command;
      this.#answers.set(command, answers);
      return { type: 'query', command, name, payload, options };
    });
    void asked
      .then(() => answers.end())
      .catch((error: Error) => answers.fail(error))
      .finally(() => this.#answers.delete(started));
    return answers;
  }

  async #keys(operation: KeyOperation, request: Bytes): Promise<KeyReport> {
    const tally = new KeyTally(this.members().filter(({ status }) => status === 'alive').length);
    for await (const answer of this.#query(keyQueries[operation], request, {})) {
      if (answer.type === 'response') tally.add(answer.from, answer.payload);
      if (tally.isComplete) break;
    }
    return tally.report;
  }

  #carryOut(effect: Told): void {
    switch (effect.type) {
      case 'answer':
        this.#answers.get(effect.command)?.push(effect.answer);
        break;
      case 'snapshot':
        this.#file?.write(effect.how, effect.records);
        break;
      case 'event':
        this.#tell(
          readableSerfEvent(effect.event, (query, payload) =>
            this.#host.command('answer', (command) => ({ type: 'respond', command, query, payload })),
          ),
        );
        // The cluster knows another node by this name, so this one only disturbs.
        if (effect.event.type === 'nameLost') void this.shutdown();
    }
  }
}
