import { below, shuffle } from '../random.ts';
import { type Bytes, equalBytes, noBytes } from '../wire/bytes.ts';
import { type Alive, type Dead, encodeMessage, type Suspect } from '../wire/message.ts';
import type { NodeState } from '../wire/push-pull.ts';
import { speaking, writeVersions } from '../wire/vsn.ts';
import { Awareness } from './awareness.ts';
import { BroadcastQueue } from './broadcast-queue.ts';
import type { Context } from './context.ts';
import { Lost } from './lost.ts';
import { infoOf, isGone, type Member } from './member.ts';
import { hashOf } from './ring.ts';
import { Suspicions } from './suspicions.ts';
import { type Judge, judgeAlive, judgeDead, judgeSuspect } from './verdict.ts';
import { viewOf } from './view.ts';

const maxIncarnation = 0xff_ff_ff_ff;
const never: readonly number[] = [];

/** Who is in the cluster. Takes claims, keeps what holds, and passes news on. */
export class Membership {
  readonly queue = new BroadcastQueue();
  readonly awareness: Awareness;
  readonly suspicions: Suspicions;
  readonly lost = new Lost();
  /** This node. */
  readonly me: Member;
  isLeaving = false;
  /** There is something to pass on. */
  onNews: () => void = () => undefined;
  readonly #context: Context;
  readonly #byName = new Map<string, Member>();
  /** In the order of probes. */
  #order: Member[] = [];
  #view: Bytes | undefined;

  constructor(context: Context) {
    const { name, address, meta, delegateVersions, profile, layers } = context.settings;
    this.#context = context;
    this.awareness = new Awareness(profile.awarenessMax);
    const vsn = writeVersions({ protocol: speaking(layers.encryption?.version), delegate: delegateVersions });
    this.me = {
      name,
      ...address,
      meta,
      incarnation: 1,
      state: 'alive',
      vsn,
      since: context.now,
      ...unjudged(name),
    };
    this.#add(this.me);
    this.suspicions = new Suspicions(
      context,
      () => this.#order,
      ({ name: node, incarnation }) => this.dead({ type: 'dead', node, incarnation, from: name }),
    );
  }

  /** Every known node, in the order of probes. */
  get all(): readonly Member[] {
    return this.#order;
  }

  get size(): number {
    return this.#order.length;
  }

  /** How this node sees the cluster. */
  get view(): Bytes {
    this.#view ??= viewOf(this.#order.filter((each) => !isGone(each)));
    return this.#view;
  }

  get(name: string): Member | undefined {
    return this.#byName.get(name);
  }

  /** Whether a node other than this one may be alive. */
  get hasOthers(): boolean {
    return this.#order.some((member) => member !== this.me && !isGone(member));
  }

  /** Forgets nodes that have been dead for long, and orders the others anew: a round of probes is over. */
  startRound(): void {
    const { now, settings } = this.#context;
    const isKept = (each: Member): boolean =>
      each === this.me || !isGone(each) || now - each.since <= settings.profile.gossipToTheDead;
    for (const member of this.#order) if (!isKept(member)) this.#byName.delete(member.name);
    this.#order = this.#order.filter(isKept);
    shuffle(this.#order, this.#context.random);
  }

  /** This node's own news. `done`: the news was sent as often as it will be. */
  announce(done?: () => void): void {
    this.#pass(aliveOf(this.me), done);
  }

  /** alive, with a new meta. */
  updateMeta(meta: Bytes, done: () => void): void {
    this.me.meta = new Uint8Array(meta);
    this.me.incarnation = Math.min(this.me.incarnation + 1, maxIncarnation);
    this.announce(done);
  }

  /** alive -> left, for this node. */
  leave(done: () => void): void {
    this.isLeaving = true;
    const { name, incarnation } = this.me;
    this.#bury(this.me, { type: 'dead', incarnation, node: name, from: name }, done);
  }

  alive(claim: Alive): void {
    const { type: _, node, ...rest } = claim;
    if (this.#context.delegate.ignoreAlive?.({ name: node, ...rest }) === true) return;
    const known = this.#byName.get(claim.node);
    switch (judgeAlive(known, claim, this.#judge())) {
      case 'ignore':
        break;
      case 'conflict':
        if (known !== undefined) this.#context.event({ type: 'conflict', member: infoOf(known), other: copy(claim) });
        break;
      case 'refute':
        this.#refute(claim.incarnation);
        break;
      case 'add':
        this.#revive(this.#add(memberOf(claim, this.#context.now)), claim);
        break;
      case 'take':
        if (known?.state === 'dead') this.suspicions.revived(known);
        if (known !== undefined) this.#revive(known, claim);
        break;
    }
  }

  suspect(claim: Suspect): void {
    const known = this.#byName.get(claim.node);
    const verdict = judgeSuspect(known, claim, this.#judge());
    if (known === undefined || verdict === 'ignore') return;
    if (verdict === 'refute') this.#refute(claim.incarnation);
    else if (verdict === 'suspect') this.#suspect(known, claim);
    else if (this.suspicions.confirm(known, claim.from)) this.#pass(claim);
  }

  dead(claim: Dead): void {
    const known = this.#byName.get(claim.node);
    const verdict = judgeDead(known, claim, this.#judge());
    if (known === undefined || verdict === 'ignore') return;
    if (verdict === 'refute') this.#refute(claim.incarnation);
    else this.#bury(known, claim);
  }

  /** alive, suspect or dead -> left, although the node did not say so. */
  evict(node: string): void {
    const known = this.#byName.get(node);
    if (known === undefined || known === this.me) return;
    this.lost.remove(node);
    this.dead({ type: 'dead', node, incarnation: known.incarnation, from: node });
  }

  /** The process of a suspected node refused a connection twice. */
  refusedTwice(member: Member): void {
    this.suspicions.refusedTwice(member);
  }

  /** An entry of another node's table. The entry of a dead node only raises suspicion: the node itself shall be asked first. */
  merge(entry: NodeState): void {
    const { name: node, incarnation, state, ...rest } = entry;
    const from = this.me.name;
    if (state === 'alive') this.alive({ type: 'alive', node, incarnation, ...rest });
    else if (state === 'left') this.dead({ type: 'dead', node, incarnation, from: node });
    else this.suspect({ type: 'suspect', node, incarnation, from });
  }

  /** unknown, suspect, dead, left or alive -> alive */
  #revive(member: Member, claim: Alive): void {
    const before = member.state;
    const hasNewMeta = !equalBytes(member.meta, claim.meta);
    this.suspicions.end(member);
    this.lost.remove(member.name);
    this.#pass(claim);
    const { addr, vsn, meta } = copy(claim);
    Object.assign(member, { addr, vsn, meta, port: claim.port, incarnation: claim.incarnation });
    if (before !== 'alive') Object.assign(member, { state: 'alive', since: this.#context.now });
    // Another program may run there now.
    if (isGone({ state: before })) member.isKin = false;
    const info = infoOf(member);
    if (before === 'dead' || before === 'left') this.#context.event({ type: 'join', member: info });
    else if (before === 'suspect') this.#context.event({ type: 'refuted', member: info });
    if (hasNewMeta && before !== 'dead' && before !== 'left') this.#context.event({ type: 'update', member: info });
  }

  /** alive -> suspect */
  #suspect(member: Member, claim: Suspect): void {
    this.#pass(claim);
    member.incarnation = claim.incarnation;
    member.state = 'suspect';
    member.since = this.#context.now;
    this.suspicions.start(member, claim.from);
    this.#context.event({ type: 'suspect', member: infoOf(member) });
  }

  /** alive or suspect -> dead or left */
  #bury(member: Member, claim: Dead, done?: () => void): void {
    this.suspicions.end(member);
    this.#pass(claim, done);
    member.incarnation = claim.incarnation;
    member.state = claim.node === claim.from ? 'left' : 'dead';
    member.since = this.#context.now;
    if (member.state === 'dead') this.lost.add(member, member.since);
    else this.lost.remove(member.name);
    this.#context.event({ type: 'leave', member: infoOf(member) });
  }

  /** Contradicts what others say about this node. */
  #refute(accused: number): void {
    this.me.incarnation = Math.min(Math.max(this.me.incarnation, accused) + 1, maxIncarnation);
    this.awareness.add(1);
    this.announce();
  }

  /** Every change of what this node knows is passed on. */
  #pass(claim: Alive | Suspect | Dead, done?: () => void): void {
    this.#view = undefined;
    this.queue.add(encodeMessage(claim), claim.node, done);
    this.onNews();
  }

  /** At a random place, so that nodes do not probe a new node all at once. */
  #add(member: Member): Member {
    this.#byName.set(member.name, member);
    this.#order.splice(below(this.#context.random, this.#order.length + 1), 0, member);
    return member;
  }

  #judge(): Judge {
    const { settings, now } = this.#context;
    const { deadNodeReclaim } = settings.profile;
    return { name: settings.name, isLeaving: this.isLeaving, now, deadNodeReclaim };
  }
}

function aliveOf({ name: node, incarnation, addr, port, meta, vsn }: Member): Alive {
  return { type: 'alive', node, incarnation, addr, port, meta, vsn };
}

/** The record of a node that is only known by name so far, until `revive`. */
function memberOf(claim: Alive, since: number): Member {
  const { node: name, incarnation } = claim;
  return { name, incarnation, ...copy(claim), state: 'dead', since, ...unjudged(name) };
}

/** What this node has found out about a node that is new to it. */
function unjudged(name: string): Pick<Member, 'hash' | 'isKin' | 'suspicion' | 'revivals' | 'slowUntil'> {
  return { hash: hashOf(name), isKin: false, suspicion: undefined, revivals: never, slowUntil: 0 };
}

/** Messages are views of whole packets; records must not keep these alive. */
function copy({ addr, port, meta, vsn }: Alive): Pick<Member, 'addr' | 'port' | 'meta' | 'vsn'> {
  return {
    addr: new Uint8Array(addr),
    port,
    meta: meta.length === 0 ? noBytes : new Uint8Array(meta),
    vsn: new Uint8Array(vsn),
  };
}
