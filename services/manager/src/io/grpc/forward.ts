import { CausewayError, isCausewayError } from '@causeway/model';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { relayedKey, relayKey } from '@causeway/proto/io';
import type { Clock, Startable } from '@causeway/runtime';
import {
  type ChannelCredentials,
  Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { noLeader, notLeader } from '../../api/leadership.ts';
import type { View } from '../../store/view.ts';
import { vouchFor } from './callers.ts';
import type { GrpcCall } from './grpc-call.ts';
import { LeaderChannel, type Method } from './leader-channel.ts';
import { isNoAnswer } from './leader-failure.ts';

/**
 * Metadata key for the name of the manager that forwarded a call. A call with this key is not forwarded again, so no call
 * goes in circles.
 */
export const forwardedByKey = 'causeway-forwarded-by';

/**
 * How long this manager waits, ms, for the leader's answer to a read that it can also answer itself. Callers begin to ask
 * another manager after 0.3 s (proto/failover) and want an answer within 2 s; a leader answers within milliseconds.
 */
const leaderPatience = 700;
/** How long, ms, a leader that did not answer is not asked such reads again. */
const silenceRemembered = 2_000;

interface ForwarderModules {
  readonly view: Pick<View, 'leader' | 'subscribe'>;
  readonly credentials: ChannelCredentials;
  readonly clock: Pick<Clock, 'wall'>;
  /** Services whose methods may be forwarded. */
  readonly services: readonly ServiceDefinition[];
}

interface ForwarderSettings {
  readonly name: string;
  /** Host:port at which others reach this manager. */
  readonly advertise: string;
}

/** Forwards calls that only the leader can answer, so that a caller may ask any manager. */
export class Forwarder implements Startable {
  readonly #modules: ForwarderModules;
  readonly #settings: ForwarderSettings;
  readonly #methods: ReadonlyMap<string, Method>;
  #channel: LeaderChannel | undefined;
  /** Until this time (Unix ms) the leader is not asked reads that this manager can also answer itself. */
  #silentUntil = 0;
  #unsubscribe: (() => void) | undefined;

  constructor(modules: ForwarderModules, settings: ForwarderSettings) {
    this.#modules = modules;
    this.#settings = settings;
    const methods = modules.services.flatMap((service) => Object.values(service));
    this.#methods = new Map(methods.map((method) => [method.path, method]));
  }

  /** Host:port of the leader, as far as this manager knows; undefined when there is no leader or this manager leads. */
  get leader(): string | undefined {
    const address = this.#modules.view.leader?.address;
    return address === this.#settings.advertise ? undefined : address;
  }

  start(): Promise<void> {
    this.#unsubscribe = this.#modules.view.subscribe((changes) => {
      if (changes.some(({ kind }) => kind === 'leader' || kind === 'reset')) this.#leaveFormer();
    });
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#channel?.close(new CausewayError('shutting-down', 'this manager is stopping: ask another'));
    this.#channel = undefined;
    return Promise.resolve();
  }

  /**
   * Whether a call that failed here with `error` is forwarded to the leader. Only the first manager that was asked
   * forwards it.
   */
  takes(error: unknown, call: { readonly metadata: Metadata; getPath(): string }): boolean {
    return (
      this.#unsubscribe !== undefined &&
      isCausewayError(error, 'not-leader') &&
      call.metadata.get(forwardedByKey).length === 0 &&
      this.#methods.has(call.getPath()) &&
      this.leader !== undefined
    );
  }

  /**
   * The leader's answer. The caller's deadline holds, or `limit` (Unix ms) when that is earlier.
   * @throws LeaderRefusal; CausewayError manager-unavailable, not-leader: the outcome is unknown, and asking again with
   * the same request id returns it
   */
  unary<Request, Response>(
    call: ServerUnaryCall<Request, Response>,
    context: Pick<GrpcCall, 'deadline'>,
    limit = context.deadline,
  ): Promise<Response> {
    return this.#open().unary(this.#methodOf(call), call, this.#metadataOf(call), limit);
  }

  /**
   * Whether this manager may itself answer a read that failed here with `error`: only if the call was not forwarded to
   * it.
   */
  mayAnswerFor(error: unknown, call: { readonly metadata: Metadata }): boolean {
    return isCausewayError(error, 'not-leader') && call.metadata.get(forwardedByKey).length === 0;
  }

  /**
   * Asks the leader a read that every manager can answer. Returns the leader's answer if it comes soon; otherwise a
   * remark that says why there is none. A leader that was silent is not asked again for a while.
   * @throws LeaderRefusal
   */
  async read<Request, Response>(
    call: ServerUnaryCall<Request, Response>,
    context: Pick<GrpcCall, 'deadline'>,
  ): Promise<
    { readonly isAnswered: true; readonly response: Response } | { readonly isAnswered: false; readonly remark: string }
  > {
    const { leader } = this;
    if (leader === undefined || this.#unsubscribe === undefined) return this.#unanswered(noLeader);
    const silence = `the leader at ${leader} does not answer, so the state of the hosts is unknown`;
    const now = Date.now();
    if (now < this.#silentUntil) return this.#unanswered(silence);
    try {
      return {
        isAnswered: true,
        response: await this.unary(call, context, Math.min(context.deadline, now + leaderPatience)),
      };
    } catch (error) {
      if (!isNoAnswer(error)) throw error;
      this.#silentUntil = Date.now() + silenceRemembered;
      return this.#unanswered(silence);
    }
  }

  #unanswered(why: string): { readonly isAnswered: false; readonly remark: string } {
    return { isAnswered: false, remark: `manager ${this.#settings.name} answers from its own state only: ${why}` };
  }

  /** @throws as `unary` */
  stream<Request, Response>(call: ServerWritableStream<Request, Response>): AsyncIterable<Response> {
    return this.#open().stream(this.#methodOf(call), call, this.#metadataOf(call));
  }

  /** Whether an agent's session is passed on to the leader: the agent asks for that, and another manager leads. */
  relays(call: { readonly metadata: Metadata }): boolean {
    return (
      this.#unsubscribe !== undefined &&
      call.metadata.get(relayKey).length > 0 &&
      call.metadata.get(forwardedByKey).length === 0 &&
      this.leader !== undefined
    );
  }

  /** Passes the session on to the leader, and tells the agent the leader's address. */
  relay(call: ServerDuplexStream<ConnectRequest, Uint8Array>): void {
    const channel = this.#open();
    const headers = new Metadata();
    headers.set(relayedKey, channel.address);
    call.sendMetadata(headers);
    channel.relay(call, this.#metadataOf(call));
  }

  #open(): LeaderChannel {
    const { leader } = this;
    if (leader === undefined) throw this.#notLeader();
    this.#channel ??= new LeaderChannel(leader, this.#modules.credentials);
    return this.#channel;
  }

  /** Called when the leader has changed: the former leader's answers would come late or never. */
  #leaveFormer(): void {
    if (this.#channel?.address === this.leader) return;
    this.#silentUntil = 0;
    if (this.#channel === undefined) return;
    this.#channel.close(this.#notLeader());
    this.#channel = undefined;
  }

  #notLeader(): CausewayError {
    return notLeader(this.#modules.view, this.#settings.advertise);
  }

  #methodOf(call: { getPath(): string }): Method {
    const method = this.#methods.get(call.getPath());
    if (method === undefined) throw new CausewayError('internal', `${call.getPath()} is not a known method`);
    return method;
  }

  /**
   * The leader sees this manager's connection, so the caller's identity goes along as metadata. The leader accepts it
   * from managers only.
   */
  #metadataOf(call: Parameters<typeof vouchFor>[0] & { readonly metadata: Metadata }): Metadata {
    const metadata = call.metadata.clone();
    metadata.set(forwardedByKey, this.#settings.name);
    vouchFor(call, metadata, this.#modules.clock.wall());
    return metadata;
  }
}
