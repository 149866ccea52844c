import { clip } from '@causeway/model';
import { actorKey, againKey, clusterKey, decoded, errorToService, remarkKey } from '@causeway/proto/io';
import { type Log, milliseconds } from '@causeway/runtime';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';
import type { Call } from '../../api/call.ts';
import type { CallLimit } from './call-limit.ts';
import type { Forwarder } from './forward.ts';
import { LeaderRefusal, type WireStatus } from './leader-failure.ts';

/** For a caller who set no deadline; nothing waits longer on its behalf. */
const defaultLimit = milliseconds(30_000);

/** What every handler needs beside its use case. */
export interface Serving {
  readonly log: Log;
  readonly forwarder: Forwarder;
  /** Id of the cluster whose answers these are; undefined until it is known. */
  readonly cluster: () => string | undefined;
  /** Of calls that are answered once, and of streams of answers. */
  readonly calls: CallLimit;
  readonly streams: CallLimit;
}

interface ServerCall {
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  getPath(): string;
  once(event: 'cancelled', listener: () => void): unknown;
}

/** Made once: an abort without a reason makes one, with a stack, each time. */
const callerGone = new Error('the caller is gone');

type Serve<Request, Response> = (request: Request, call: Call) => Promise<Response>;

/** What answers a call that only the leader can answer. */
type Elsewhere<Request, Response> = (
  error: unknown,
  call: ServerUnaryCall<Request, Response>,
  limit: number,
  caller: Call,
) => Promise<Response>;

/** A use case as a gRPC handler: answered here, or by the leader where only that can. */
export function unary<Request, Response>(
  serving: Serving,
  serve: Serve<Request, Response>,
): handleUnaryCall<Request, Response> {
  return handler(serving, serve, async (error, call, limit) => {
    if (!serving.forwarder.takes(error, call)) throw error;
    return await serving.forwarder.unary(call, limit);
  });
}

/** The same for what each manager can answer, if not as well as the leader: where that says nothing, the answer is from here. */
export function read<Request, Response>(
  serving: Serving,
  serve: Serve<Request, Response>,
): handleUnaryCall<Request, Response> {
  return handler(serving, serve, async (error, call, limit, caller) => {
    if (!serving.forwarder.mayAnswerFor(error, call)) throw error;
    const asked = await serving.forwarder.read(call, limit);
    if (asked.isAnswered) return asked.response;
    caller.remark?.(asked.remark);
    return await serve(decoded(call.request), { ...caller, signal: caller.signal, alone: true });
  });
}

function handler<Request, Response>(
  { log, calls, cluster }: Serving,
  serve: Serve<Request, Response>,
  elsewhere: Elsewhere<Request, Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const remaining = remainingOf(call);
    const limit = Date.now() + remaining;
    const abort = new AbortController();
    const leave = (): void => abort.abort(callerGone);
    call.once('cancelled', leave);
    let remark: string | undefined;
    const caller: Call = {
      remaining,
      actor: actorOf(call),
      again: call.metadata.get(againKey).length > 0,
      get signal() {
        return abort.signal; // made when first asked for, which is dear: most calls of many claims never do
      },
      remark: (text) => {
        remark = text.replace(/[^\x20-\x7e]/g, '?');
      },
    };
    let exit: (() => void) | undefined;
    const answer = async (): Promise<Response> => {
      exit = calls.enter();
      return await serve(decoded(call.request), caller);
    };
    answer()
      .catch((error: unknown) => elsewhere(error, call, limit, caller))
      // An answered call is told to be cancelled too, when its stream closes.
      .finally(() => {
        call.off('cancelled', leave);
        exit?.();
      })
      .then(
        (response) => {
          call.sendMetadata(headersOf(cluster(), remark));
          callback(null, response);
        },
        (error: unknown) => callback(refusal(log, call, error)),
      );
  };
}

/** A stream of answers; the next is asked for when the connection has taken the last. */
export function serverStreaming<Request, Response>(
  { log, forwarder, streams }: Serving,
  serve: (request: Request, signal: AbortSignal) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const signal = signalOf(call);
    let isBegun = false;
    const pump = async (responses: AsyncIterable<Response>): Promise<void> => {
      for await (const response of responses) {
        if (signal.aborted) return;
        isBegun = true;
        if (!call.write(response)) await drained(call, signal);
      }
      call.end();
    };
    let exit: (() => void) | undefined;
    const begin = async (): Promise<void> => {
      exit = streams.enter();
      await pump(serve(decoded(call.request), signal));
    };
    begin()
      .catch((error: unknown) => {
        if (isBegun || !forwarder.takes(error, call)) throw error;
        return pump(forwarder.stream(call));
      })
      .finally(() => exit?.())
      .catch((error: unknown) => call.emit('error', refusal(log, call, error)));
  };
}

function headersOf(cluster: string | undefined, remark: string | undefined): Metadata {
  const headers = new Metadata();
  if (cluster !== undefined) headers.set(clusterKey, cluster);
  if (remark !== undefined) headers.set(remarkKey, remark);
  return headers;
}

function refusal(log: Log, call: ServerCall, error: unknown): WireStatus {
  if (error instanceof LeaderRefusal) return error.wire;
  const wire = errorToService(error);
  if (wire.code === status.INTERNAL) log.error('call.failed', { op: call.getPath(), message: String(error) });
  return wire;
}

function remainingOf(call: ServerCall): Call['remaining'] {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? milliseconds(Math.max(0, deadline - Date.now())) : defaultLimit;
}

/** What a caller says of itself: for people who read events, and no ground to allow anything. */
function actorOf({ metadata }: ServerCall): string {
  const [said] = metadata.get(actorKey);
  return typeof said === 'string' ? clip(said) : 'unknown';
}

function signalOf(call: ServerCall): AbortSignal {
  const abort = new AbortController();
  call.once('cancelled', () => abort.abort(callerGone));
  return abort.signal;
}

function drained(call: Drainable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    call.on('drain', done);
    signal.addEventListener('abort', done);
  });
}

interface Drainable {
  on(event: 'drain', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}
