import { type Random, shuffle } from '../random.ts';
import { Core } from '../swim/core.ts';
import type { Delegate } from '../swim/delegate.ts';
import type { Effect, MemberlistEvent } from '../swim/effect.ts';
import type { MemberInfo } from '../swim/member.ts';
import { userRoom } from '../swim/packets.ts';
import { transmitLimit } from '../swim/profile.ts';
import type { Bytes } from '../wire/bytes.ts';
import type { Refusal } from '../wire/refusal.ts';
import type { VersionRange } from '../wire/vsn.ts';
import { MemberCoalescer, UserCoalescer } from './coalescer.ts';
import { SerfContext, type SerfSettings } from './context.ts';
import { type Coordinate, decodeCoordinate, encodeCoordinate, Locator } from './coordinate.ts';
import type { SerfEffect, SerfInput } from './effect.ts';
import { Intents } from './intents.ts';
import { decodeSerf, type SerfMessage } from './message.ts';
import { NameDispute } from './name-dispute.ts';
import { Outbox } from './outbox.ts';
import { Peers } from './peers.ts';
import { Queries } from './queries.ts';
import { type MemberChange, Roster, type SerfMember } from './roster.ts';
import { Snapshot } from './snapshot.ts';
import { StateExchange } from './state-exchange.ts';
import { encodeTags } from './tags.ts';
import { isSameAddress } from './tally.ts';
import { UserEvents } from './user-events.ts';

/** Versions of serf's protocol that this node speaks. */
export const serfVersions: VersionRange = { min: 2, max: 5, current: 5 };

/**
 * A node of serf without sockets, clock or chance, around a node of memberlist: each step takes one input and the time, and
 * returns what its host has to do. The same inputs give the same effects.
 */
export class SerfCore {
  readonly memberlist: Core;
  readonly #context: SerfContext;
  readonly #roster: Roster;
  readonly #outbox: Outbox;
  readonly #intents: Intents;
  readonly #events: UserEvents;
  readonly #peers: Peers;
  readonly #queries: Queries;
  readonly #exchange: StateExchange;
  readonly #locator: Locator;
  readonly #dispute: NameDispute;
  readonly #snapshot: Snapshot | undefined;

  /** `now`: as in `step`. Throws if the tags do not fit. */
  constructor(settings: SerfSettings, random: Random, now: number) {
    const context = new SerfContext(settings, random, now);
    const { serf, tags, restored } = settings;
    const after = context.after.bind(context);
    this.#context = context;
    this.#outbox = new Outbox(userRoom(settings.profile.packetSize, settings.layers), () =>
      context.give({ type: 'spread' }),
    );
    const members = new MemberCoalescer(
      { period: serf.coalescePeriod, quiescent: serf.quiescentPeriod },
      after,
      (event) => context.event(event),
    );
    const users = new UserCoalescer(
      { period: serf.userCoalescePeriod, quiescent: serf.userQuiescentPeriod },
      after,
      (event) => context.event(event),
    );
    this.#roster = new Roster(serf, (change, member) => {
      this.#changed(change, member);
      members.add(change, member);
    });
    this.#intents = new Intents(context, this.#roster, this.#outbox);
    this.#events = new UserEvents(context, this.#outbox, users);
    this.#peers = new Peers(context, this.#roster, this.#intents, () => this.#snapshot?.leave());
    this.#queries = new Queries(context, this.#roster, this.#outbox, () => this.#me);
    this.#exchange = new StateExchange(context, this.#roster, this.#intents, this.#events);
    this.#dispute = new NameDispute(context, this.#queries);
    this.#locator = new Locator(random);
    const meta = encodeTags(tags);
    this.memberlist = new Core({ ...settings, meta, delegateVersions: serfVersions }, random, this.#delegate(), now);
    if (restored === undefined) return;
    this.#snapshot = new Snapshot(restored, (how, records) => context.emit({ type: 'snapshot', how, records }));
    context.clocks.status.witness(restored.times.clock);
    context.clocks.event.witness(restored.times['event-clock']);
    context.clocks.query.witness(restored.times['query-clock']);
    // What was told before the stop is not told again.
    this.#events.buffer.minTime = restored.times['event-clock'] + 1;
    this.#queries.buffer.minTime = restored.times['query-clock'] + 1;
  }

  /** This node, and every node that is not forgotten. */
  members(): readonly SerfMember[] {
    return this.#roster.all;
  }

  member(name: string): SerfMember | undefined {
    return this.#roster.get(name);
  }

  /** Where a node is in the network, if that is known. */
  coordinate(name: string): Coordinate | undefined {
    return name === this.#context.name ? this.#locator.coordinate : this.#locator.others.get(name);
  }

  /** How often messages of serf were refused, by reason. `memberlist` has those of its own. */
  get refusals(): ReadonlyMap<Refusal, number> {
    return this.#context.refusals;
  }

  /** When the next `timer` input is due. */
  get nextWake(): number | undefined {
    const [inner, outer] = [this.memberlist.nextWake, this.#context.timers.next];
    return inner === undefined || outer === undefined ? (inner ?? outer) : Math.min(inner, outer);
  }

  /** `now`: milliseconds since any start; never goes back. */
  step(input: SerfInput, now: number): readonly SerfEffect[] {
    const context = this.#context;
    context.now = Math.max(context.now, now);
    this.#take(input);
    for (let next = context.nextInput(); next !== undefined; next = context.nextInput()) {
      for (const effect of this.memberlist.step(next, context.now)) this.#carryOut(effect);
    }
    this.#noteTimes();
    return context.takeEffects();
  }

  #noteTimes(): void {
    const { status, event, query } = this.#context.clocks;
    this.#snapshot?.clock('clock', status.time - 1);
    this.#snapshot?.clock('event-clock', event.time - 1);
    this.#snapshot?.clock('query-clock', query.time - 1);
  }

  #take(input: SerfInput): void {
    switch (input.type) {
      case 'start':
        this.#context.give(input);
        this.#start();
        break;
      case 'timer':
        this.#context.give(input);
        this.#fire();
        break;
      case 'join':
        this.#peers.join(input.to, input.ignoreOld === true, (error) => this.#context.settle(input.command, error));
        break;
      case 'leave':
        this.#peers.leave((error) => this.#context.settle(input.command, error));
        break;
      case 'forceLeave':
        this.#peers.forceLeave(input.name, input.prune, (error) => this.#context.settle(input.command, error));
        break;
      case 'setTags':
        this.#setTags(input);
        break;
      case 'userEvent':
        this.#context.settle(input.command, this.#events.send(input.name, input.payload, input.coalesce));
        break;
      case 'query':
        this.#ask(input);
        break;
      case 'respond':
        this.#context.settle(input.command, this.#queries.respond(input.query, input.payload));
        break;
      default:
        this.#context.give(input);
    }
  }

  #start(): void {
    const { serf, restored } = this.#context.settings;
    this.#roster.joined(this.#me);
    this.#snapshot?.compact();
    const every = (interval: number, act: () => void): void => {
      this.#context.after(interval, () => {
        every(interval, act);
        act();
      });
    };
    every(serf.reapInterval, () => this.#roster.reap(this.#context.now));
    const peers = [...(restored?.alive ?? [])].flatMap(([name, to]) => (name === this.#context.name ? [] : [to]));
    shuffle(peers, this.#context.random);
    this.#peers.rejoin(peers);
  }

  #fire(): void {
    const { timers, now } = this.#context;
    for (let timer = timers.due(now); timer !== undefined; timer = timers.due(now)) timer.fire();
  }

  #setTags({ command, tags }: Extract<SerfInput, { type: 'setTags' }>): void {
    const meta = encodeTags(tags);
    this.#context.tags = tags;
    const timeout = this.#context.settings.serf.broadcastTimeout;
    this.#context.run(
      (inner) => ({ type: 'updateMeta', command: inner, meta, timeout }),
      (error) => this.#context.settle(command, error),
    );
    this.#roster.updated({ ...this.#me, meta });
  }

  #ask({ command, name, payload, options }: Extract<SerfInput, { type: 'query' }>): void {
    const error = this.#queries.ask(name, payload, options, {
      answer: (answer) => this.#context.emit({ type: 'answer', command, answer }),
      done: () => this.#context.settle(command),
    });
    if (error !== undefined) this.#context.settle(command, error);
  }

  /** What memberlist wants done. */
  #carryOut(effect: Effect): void {
    if (effect.type === 'settled') this.#context.settled(effect.command, effect.error);
    else if (effect.type === 'event') this.#happened(effect.event);
    else this.#context.emit(effect);
  }

  #happened(event: MemberlistEvent): void {
    switch (event.type) {
      case 'join':
        this.#roster.joined(event.member);
        break;
      case 'update':
        this.#roster.updated(event.member);
        break;
      case 'leave':
        this.#roster.gone(event.member, this.#context.now);
        break;
      case 'message':
        this.#read(event.payload);
        break;
      case 'conflict':
        this.#context.event(event);
        if (event.member.name === this.#context.name) this.#dispute.begin(event.member);
        break;
      case 'suspect':
      case 'refuted':
      case 'udpBlocked':
      case 'refused':
      case 'stalled':
      case 'exchangeFailed':
        this.#context.event(event);
    }
  }

  #read(bytes: Bytes): void {
    const message = decodeSerf(bytes);
    if (message.ok) this.#handle(message.value, bytes);
    else this.#context.refuse(message.why);
  }

  #handle(message: SerfMessage, bytes: Bytes): void {
    switch (message.type) {
      case 'join':
      case 'leave':
        this.#intents.received(message);
        break;
      case 'event':
        this.#events.received(message, bytes);
        break;
      case 'query':
        this.#queries.received(message, bytes);
        break;
      case 'queryResponse':
        this.#queries.answered(message);
        break;
      case 'relay': {
        const { addr, port, message: payload } = message;
        // Only to members: else this node would send what others want to any address.
        const isMember = this.#roster.all.some((each) => isSameAddress(each, message));
        if (isMember) this.#context.give({ type: 'sendBestEffort', to: { addr, port }, payload });
        break;
      }
      case 'pushPull':
        // Comes in exchanges only.
        this.#context.refuse('unknown-type');
    }
  }

  #changed(change: MemberChange, member: SerfMember): void {
    const { name } = member;
    if (change === 'join') {
      if (name !== this.#context.name) this.#snapshot?.alive(name, member);
      return;
    }
    if (change === 'update') return;
    this.#snapshot?.notAlive(name);
    this.#locator.forget(name);
  }

  /** Called while memberlist takes a step. */
  #delegate(): Delegate {
    const { profile } = this.#context.settings;
    return {
      broadcasts: (room, overhead) =>
        this.#outbox.take(room, overhead, transmitLimit(profile.retransmitMult, this.memberlist.size)),
      localState: () => this.#exchange.local(),
      mergeRemoteState: (state, isJoin) => this.#exchange.merge(state, isJoin && this.#peers.ignoresOld),
      ackPayload: () => encodeCoordinate(this.#locator.coordinate),
      pingCompleted: ({ name }, roundTrip, payload) => {
        const other = decodeCoordinate(payload);
        if (other !== undefined) this.#locator.observe(name, other, roundTrip / 1000);
      },
    };
  }

  get #me(): MemberInfo {
    const me = this.memberlist.member(this.#context.name);
    if (me === undefined) throw new Error('a node knows itself');
    return me;
  }
}
