import { errorToService, serveUnary } from '@causeway/proto/io';
import { type Log, milliseconds } from '@causeway/runtime';
import type { handleServerStreamingCall, handleUnaryCall } from '@grpc/grpc-js';
import type { Call } from '../../api/call.ts';

/** For a caller who set no deadline; nothing waits longer on its behalf. */
const defaultLimit = milliseconds(30_000);

interface ServerCall {
  getDeadline(): Date | number;
  getPath(): string;
  once(event: 'cancelled', listener: () => void): unknown;
}

/** A use case as a gRPC handler. */
export function unary<Request, Response>(
  log: Log,
  serve: (request: Request, call: Call) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const handle = serveUnary<Request, Response>(
      (request) => serve(request, { remaining: remainingOf(call), signal: signalOf(call) }),
      (error) => log.error('call.failed', { op: call.getPath(), message: String(error) }),
    );
    handle(call, callback);
  };
}

/** A stream of answers; the next is asked for when the connection has taken the last. */
export function serverStreaming<Request, Response>(
  log: Log,
  serve: (request: Request, signal: AbortSignal) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const signal = signalOf(call);
    const pump = async (): Promise<void> => {
      for await (const response of serve(call.request, signal)) {
        if (signal.aborted) return;
        if (!call.write(response)) await drained(call, signal);
      }
      call.end();
    };
    pump().catch((error: unknown) => {
      const wire = errorToService(error);
      if (wire.code === 13) log.error('call.failed', { op: call.getPath(), message: String(error) });
      call.emit('error', wire);
    });
  };
}

function remainingOf(call: ServerCall): Call['remaining'] {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? milliseconds(Math.max(0, deadline - Date.now())) : defaultLimit;
}

function signalOf(call: ServerCall): AbortSignal {
  const abort = new AbortController();
  call.once('cancelled', () => abort.abort());
  return abort.signal;
}

function drained(call: { once(event: 'drain', listener: () => void): unknown }, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    call.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
