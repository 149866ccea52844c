import { clip } from '@causeway/model';
import { actorKey, againKey, remainingOf } from '@causeway/proto/io';
import type { Duration } from '@causeway/runtime';
import type { Metadata } from '@grpc/grpc-js';
import type { CallContext } from '../../call/context.ts';
import type { Identity } from '../../call/identity.ts';
import { identityOf } from './identity.ts';

/** As much of a call at a gRPC server as all kinds of calls have. */
export interface ServerCall {
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  getPath(): string;
  once(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
}

/** Made once: an abort without a reason makes one, with a stack, each time. */
const callerGone = new Error('the caller is gone');

/** A call at a gRPC server as use cases know it. */
export class GrpcCall implements CallContext {
  readonly method: string;
  readonly peer: Identity;
  readonly actor: string;
  readonly again: boolean;
  readonly remaining: Duration;
  /** When that is over, Unix ms. */
  readonly deadline: number;
  alone = false;
  /** What is to be told beside the answer, as printable ASCII: metadata takes nothing else. */
  remarked: string | undefined;
  readonly #call: ServerCall;
  readonly #abort = new AbortController();
  readonly #leave = (): void => this.#abort.abort(callerGone);

  /** `otherwise` is how long a caller without a deadline is taken to wait. @throws CausewayError permission-denied */
  constructor(call: ServerCall, otherwise: Duration) {
    this.#call = call;
    this.method = call.getPath();
    this.peer = identityOf(call);
    this.actor = actorOf(call);
    this.again = call.metadata.get(againKey).length > 0;
    this.remaining = remainingOf(call, otherwise);
    this.deadline = Date.now() + this.remaining;
    call.once('cancelled', this.#leave);
  }

  /** Made when first asked for, which is dear: most calls of many claims never do. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  remark(text: string): void {
    this.remarked = text.replace(/[^\x20-\x7e]/g, '?');
  }

  /** From its answer on: an answered call is told to be cancelled too, when its stream closes. */
  answered(): void {
    this.#call.off('cancelled', this.#leave);
  }
}

function actorOf({ metadata }: ServerCall): string {
  const [said] = metadata.get(actorKey);
  return typeof said === 'string' ? clip(said) : 'unknown';
}
