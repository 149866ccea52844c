import { below, sample } from '../random.ts';
import type { Address } from '../swim/member.ts';
import { type Bytes, noBytes } from '../wire/bytes.ts';
import { understands } from '../wire/vsn.ts';
import type { SerfContext } from './context.ts';
import type { QueryAnswer, QueryKey, QueryOptions } from './effect.ts';
import { encodeFilters, passes } from './filter.ts';
import { answerInternal, internalPrefix, keyOperation } from './internal-query.ts';
import { maxQueued, queryResponseSize, querySize } from './limits.ts';
import {
  encodeRelay,
  encodeSerf,
  type Query,
  type QueryResponse,
  queryAck,
  queryNoBroadcast,
  responseAck,
} from './message.ts';
import { MessageBuffer } from './message-buffer.ts';
import type { Outbox } from './outbox.ts';
import { defaultQueryTimeout } from './profile.ts';
import type { Roster, SerfMember } from './roster.ts';
import { isSameAddress } from './tally.ts';

const nanoseconds = 1e6;
/** An hour. */
const maxTimeout = 3_600_000;
const maxRelays = 255;

/** Who wants the answers to a query of this node. */
export interface Asker {
  answer(answer: QueryAnswer): void;
  /** The time is over. */
  done(): void;
}

/** Where an answer of the application goes. */
type Asking = Pick<Query, 'lTime' | 'iD' | 'addr' | 'port' | 'sourceNode' | 'relayFactor'>;

interface Open {
  readonly asking: Asking;
  /** The time of the query is over then. */
  readonly until: number;
}

interface Asked {
  readonly asker: Asker;
  readonly acked: Set<string>;
  readonly answered: Set<string>;
}

/** Queries of this node and of others, and their answers. */
export class Queries {
  readonly buffer: MessageBuffer<number>;
  readonly #context: SerfContext;
  readonly #roster: Roster;
  readonly #outbox: Outbox;
  readonly #address: () => Address;
  /** Queries of this node that are open. */
  readonly #asked = new Map<string, Asked>();
  /** Queries that the application may still answer. */
  readonly #open = new Map<string, Open>();

  /** `address`: of this node, as others know it. */
  constructor(context: SerfContext, roster: Roster, outbox: Outbox, address: () => Address) {
    this.#context = context;
    this.#roster = roster;
    this.#outbox = outbox;
    this.#address = address;
    this.buffer = new MessageBuffer<number>(context.clocks.query, (a, b) => a === b);
  }

  /** Why not: nothing was asked. */
  ask(name: string, payload: Bytes, options: QueryOptions, asker: Asker): string | undefined {
    const { settings, random, clocks } = this.#context;
    const nodes = this.#roster.withStatus('alive').length;
    const defaultTimeout = defaultQueryTimeout(settings.profile.gossipInterval, settings.serf.queryTimeoutMult, nodes);
    const { timeout = defaultTimeout, acks = false, relays = 0 } = options;
    if (!(timeout > 0 && timeout <= maxTimeout)) return `timeout: up to ${maxTimeout} ms, not ${timeout}`;
    if (!Number.isInteger(relays) || relays < 0 || relays > maxRelays)
      return `relays: 0 to ${maxRelays}, not ${relays}`;
    const { addr, port } = this.#address();
    const query: Query = {
      type: 'query',
      lTime: clocks.query.time,
      iD: below(random, 2 ** 32),
      addr,
      port,
      sourceNode: this.#context.name,
      filters: encodeFilters(options),
      flags: acks ? queryAck : 0,
      relayFactor: relays,
      timeout: Math.round(timeout * nanoseconds),
      name,
      payload,
    };
    const bytes = encodeSerf(query);
    if (bytes.length > querySize) return `a query has at most ${querySize} bytes, not ${bytes.length}`;
    const error = this.#outbox.query(bytes);
    if (error !== undefined) return error;
    this.#asked.set(keyOf(query), { asker, acked: new Set(), answered: new Set() });
    this.#context.after(timeout, () => {
      this.#asked.delete(keyOf(query));
      asker.done();
    });
    this.#take(query);
    return undefined;
  }

  /** A query of another node came. */
  received(query: Query, bytes: Bytes): void {
    if (this.#take(query) && (query.flags & queryNoBroadcast) === 0) this.#outbox.query(bytes);
  }

  /** Whether the query is new. */
  #take(query: Query): boolean {
    if (!this.buffer.take(query.lTime, query.iD)) return false;
    const { name, tags } = this.#context;
    if (!passes(query.filters, name, tags)) return true;
    if ((query.flags & queryAck) !== 0) this.#send(query, this.#response(query, responseAck, noBytes));
    if (query.name.startsWith(internalPrefix)) this.#answerInternal(query);
    else this.#tell(query);
    return true;
  }

  /** The application answers. Why not: no answer was sent. */
  respond({ lTime, id }: QueryKey, payload: Bytes): string | undefined {
    const key = keyOf({ lTime, iD: id });
    const open = this.#open.get(key);
    if (open === undefined || open.until < this.#context.now) return 'the query is over, or was answered';
    const response = this.#response(open.asking, 0, payload);
    const { length } = encodeSerf(response);
    if (length > queryResponseSize) return `an answer has at most ${queryResponseSize} bytes, not ${length}`;
    this.#open.delete(key);
    this.#send(open.asking, response);
    return undefined;
  }

  answered({ lTime, iD, from, flags, payload }: QueryResponse): void {
    const asked = this.#asked.get(keyOf({ lTime, iD }));
    if (asked === undefined) return;
    const isAck = (flags & responseAck) !== 0;
    // With relays, each answer comes several times.
    const known = isAck ? asked.acked : asked.answered;
    if (known.has(from)) return;
    known.add(from);
    asked.asker.answer(isAck ? { type: 'ack', from } : { type: 'response', from, payload });
  }

  #tell(query: Query): void {
    const { lTime, iD, addr, port, sourceNode, relayFactor, name, payload } = query;
    const timeout = query.timeout / nanoseconds;
    // A query that is over makes room when others come, so that no number of queries makes timers or keeps their payloads.
    const [oldest] = this.#open.keys();
    if (this.#open.size >= maxQueued && oldest !== undefined) this.#open.delete(oldest);
    const asking = { lTime, iD, addr: new Uint8Array(addr), port, sourceNode, relayFactor };
    this.#open.set(keyOf(query), { asking, until: this.#context.now + timeout });
    this.#context.event({ type: 'query', key: { lTime, id: iD }, name, payload, from: sourceNode, timeout });
  }

  #answerInternal(query: Query): void {
    const keyring = this.#context.settings.layers.encryption?.keyring;
    const before = keyring?.keys;
    // The length of a payload takes two bytes more than that of none.
    const room = queryResponseSize - encodeSerf(this.#response(query, 0, noBytes)).length - 2;
    const member = this.#roster.get.bind(this.#roster);
    const answer = answerInternal(query.name, query.payload, { name: this.#context.name, keyring, room, member });
    if (answer !== undefined) this.#send(query, this.#response(query, 0, answer));
    if (keyring !== undefined && keyOperation(query.name) !== undefined && keyring.keys !== before) {
      this.#context.event({ type: 'keys', keys: keyring.keys });
    }
  }

  #response({ lTime, iD }: Asking, flags: number, payload: Bytes): QueryResponse {
    return { type: 'queryResponse', lTime, iD, from: this.#context.name, flags, payload };
  }

  /** Sends a response to the node that asked, and by so many other nodes as that node wishes. */
  #send(query: Asking, response: QueryResponse): void {
    const to = { addr: query.addr, port: query.port };
    const { name, random } = this.#context;
    if (query.sourceNode === name && isSameAddress(to, this.#address())) {
      this.answered(response);
      return;
    }
    const message = encodeSerf(response);
    this.#context.give({ type: 'sendBestEffort', to, payload: message });
    const helps = (each: SerfMember): boolean =>
      each.name !== name && each.name !== query.sourceNode && (each.vsn[1] ?? 0) >= understands.relays;
    const relays = sample(this.#roster.withStatus('alive'), query.relayFactor, random, helps);
    const payload = encodeRelay({ type: 'relay', ...to, message }, query.sourceNode);
    for (const { addr, port } of relays) this.#context.give({ type: 'sendBestEffort', to: { addr, port }, payload });
  }
}

function keyOf({ lTime, iD }: Pick<Query, 'lTime' | 'iD'>): string {
  return `${lTime}:${iD}`;
}
