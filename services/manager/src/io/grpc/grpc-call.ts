import { clip } from '@causeway/model';
import { actorKey, remainingOf, retryKey } from '@causeway/proto/io';
import type { Duration } from '@causeway/runtime';
import type { Metadata } from '@grpc/grpc-js';
import type { CallContext } from '../../call/context.ts';
import type { Identity } from '../../call/identity.ts';

/** The part of a gRPC server call that all kinds of calls have. */
export interface ServerCall {
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  getPath(): string;
  once(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
}

/** Shared, because an abort without a reason makes an error with a stack each time. */
const callerGone = new Error('the caller is gone');

/** A gRPC server call as use cases see it. */
export class GrpcCall implements CallContext {
  readonly method: string;
  readonly peer: Identity;
  readonly actor: string;
  readonly isRetry: boolean;
  readonly remaining: Duration;
  /** When `remaining` is over, Unix ms. */
  readonly deadline: number;
  withoutLeader = false;
  /** Remark for the caller, as printable ASCII: metadata takes nothing else. */
  remarked: string | undefined;
  readonly #call: ServerCall;
  readonly #abort = new AbortController();
  readonly #leave = (): void => this.#abort.abort(callerGone);

  /** `otherwise`: how long a caller without a deadline is assumed to wait. */
  constructor(call: ServerCall, peer: Identity, otherwise: Duration) {
    this.#call = call;
    this.method = call.getPath();
    this.peer = peer;
    this.actor = actorOf(call);
    this.isRetry = call.metadata.get(retryKey).length > 0;
    this.remaining = remainingOf(call, otherwise);
    this.deadline = Date.now() + this.remaining;
    call.once('cancelled', this.#leave);
  }

  /** The signal is created when it is first read, which is expensive: most of many claim calls never read it. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  remark(text: string): void {
    this.remarked = text.replace(/[^\x20-\x7e]/g, '?');
  }

  /** Call when the call is answered: gRPC emits "cancelled" for an answered call, too, when its stream closes. */
  answered(): void {
    this.#call.off('cancelled', this.#leave);
  }
}

function actorOf({ metadata }: ServerCall): string {
  const [said] = metadata.get(actorKey);
  return typeof said === 'string' ? clip(said) : 'unknown';
}
