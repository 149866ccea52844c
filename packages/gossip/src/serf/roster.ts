import type { Address, MemberInfo } from '../swim/member.ts';
import type { Bytes } from '../wire/bytes.ts';
import type { Join, Leave } from './message.ts';
import type { SerfProfile } from './profile.ts';
import { decodeTags, type Tags } from './tags.ts';

/**
 * `leaving`: the node said that it leaves, and still runs. `left`: the node left by its own will. `failed`: the node does not
 * answer, and never said that it leaves.
 */
export type Status = 'alive' | 'leaving' | 'left' | 'failed';

/** What is known of a node. */
export interface SerfMember extends Address {
  readonly name: string;
  readonly tags: Tags;
  readonly status: Status;
  /** `Vsn` of Go: 6 bytes. */
  readonly vsn: Bytes;
}

interface Entry extends SerfMember {
  addr: Bytes;
  port: number;
  tags: Tags;
  status: Status;
  vsn: Bytes;
  /** The time of the last join or leave of the node. */
  statusTime: number;
  /** When the node left or failed, in milliseconds. */
  goneSince: number;
  /** The node leaves, and is to be forgotten then. */
  isPruned: boolean;
}

/** `reap`: the node is forgotten. */
export type MemberChange = 'join' | 'update' | 'leave' | 'failed' | 'reap';

interface Intent {
  readonly type: 'join' | 'leave';
  readonly time: number;
  /** When it came, in milliseconds. */
  readonly since: number;
}

/** Intents about nodes that are not known; more are an attack. */
const maxIntents = 4096;

/** `pass`: the news is new, so other nodes get it. `refute`: the news is about this node, and wrong. */
export type IntentVerdict = 'pass' | 'drop' | 'refute';

/**
 * The members, with the status that serf gives them:
 *
 *     alive ── leave ──▶ leaving ── gone ──▶ left ── tombstoneTimeout ──▶ forgotten
 *       └───── gone ───▶ failed ── leave ──────┘
 *                           └── reconnectTimeout ──▶ forgotten
 */
export class Roster {
  readonly #entries = new Map<string, Entry>();
  readonly #intents = new Map<string, Intent>();
  readonly #profile: SerfProfile;
  readonly #tell: (change: MemberChange, member: SerfMember) => void;

  constructor(profile: SerfProfile, tell: (change: MemberChange, member: SerfMember) => void) {
    this.#profile = profile;
    this.#tell = tell;
  }

  get all(): readonly SerfMember[] {
    return [...this.#entries.values()].map(infoOf);
  }

  get(name: string): SerfMember | undefined {
    const entry = this.#entries.get(name);
    return entry === undefined ? undefined : infoOf(entry);
  }

  withStatus(status: Status): readonly SerfMember[] {
    return this.all.filter((each) => each.status === status);
  }

  /** The time of the last join or leave of each node. */
  get statusTimes(): ReadonlyMap<string, number> {
    return new Map([...this.#entries.values()].map(({ name, statusTime }) => [name, statusTime]));
  }

  /** memberlist found the node alive. */
  joined(info: MemberInfo): void {
    const known = this.#entries.get(info.name);
    const intent = this.#intents.get(info.name);
    this.#intents.delete(info.name);
    const entry: Entry = {
      name: info.name,
      ...placeOf(info),
      status: known === undefined && intent?.type === 'leave' ? 'leaving' : 'alive',
      statusTime: known?.statusTime ?? intent?.time ?? 0,
      goneSince: 0,
      isPruned: false,
    };
    this.#entries.set(info.name, entry);
    this.#tell('join', infoOf(entry));
  }

  updated(info: MemberInfo): void {
    const entry = this.#entries.get(info.name);
    if (entry === undefined) return;
    Object.assign(entry, placeOf(info));
    this.#tell('update', infoOf(entry));
  }

  /** memberlist found the node dead, or the node left. A node that left without serf's own message left all the same. */
  gone({ name, state }: Pick<MemberInfo, 'name' | 'state'>, now: number): void {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.status === 'left' || entry.status === 'failed') return;
    entry.status = entry.status === 'leaving' || state === 'left' ? 'left' : 'failed';
    entry.goneSince = now;
    this.#tell(entry.status === 'left' ? 'leave' : 'failed', infoOf(entry));
    if (entry.isPruned && entry.status === 'left') this.#forget(entry);
  }

  joinIntent({ lTime, node }: Omit<Join, 'type'>, now: number): IntentVerdict {
    const entry = this.#entries.get(node);
    if (entry === undefined) return this.#keep(node, { type: 'join', time: lTime, since: now });
    if (lTime <= entry.statusTime) return 'drop';
    entry.statusTime = lTime;
    if (entry.status === 'leaving') entry.status = 'alive';
    entry.isPruned = false;
    return 'pass';
  }

  /** `runs`: the name of this node, unless it leaves. */
  leaveIntent({ lTime, node, prune }: Omit<Leave, 'type'>, runs: string | undefined, now: number): IntentVerdict {
    const entry = this.#entries.get(node);
    if (entry === undefined) return this.#keep(node, { type: 'leave', time: lTime, since: now });
    if (lTime <= entry.statusTime) return 'drop';
    if (node === runs) return 'refute';
    // Also where the status stays: the same news must not be passed on twice.
    entry.statusTime = lTime;
    if (entry.status === 'alive') entry.status = 'leaving';
    else if (entry.status === 'failed') {
      entry.status = 'left';
      entry.goneSince = now;
      this.#tell('leave', infoOf(entry));
    }
    if (prune && entry.status === 'left') this.#forget(entry);
    else entry.isPruned = prune;
    return 'pass';
  }

  /** Forgets what is old. */
  reap(now: number): void {
    const { tombstoneTimeout, reconnectTimeout, intentTimeout } = this.#profile;
    const spans: Partial<Record<Status, number>> = { left: tombstoneTimeout, failed: reconnectTimeout };
    for (const entry of [...this.#entries.values()]) {
      const span = spans[entry.status];
      if (span !== undefined && now - entry.goneSince > span) this.#forget(entry);
    }
    for (const [node, { since }] of [...this.#intents]) if (now - since > intentTimeout) this.#intents.delete(node);
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.name);
    this.#tell('reap', infoOf(entry));
  }

  /** News of a node that memberlist does not know yet. */
  #keep(node: string, intent: Intent): IntentVerdict {
    const known = this.#intents.get(node);
    if ((known !== undefined && known.time >= intent.time) || this.#intents.size >= maxIntents) return 'drop';
    this.#intents.set(node, intent);
    return 'pass';
  }
}

function infoOf({ name, addr, port, tags, status, vsn }: SerfMember): SerfMember {
  return { name, addr, port, tags, status, vsn };
}

function placeOf({ addr, port, meta, vsn }: MemberInfo): Pick<Entry, 'addr' | 'port' | 'tags' | 'vsn'> {
  return { addr, port, vsn, tags: decodeTags(meta) };
}
