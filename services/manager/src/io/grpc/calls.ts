import { decoded, remarkKey, reportFailure, serveUnary } from '@causeway/proto/io';
import { type Log, milliseconds } from '@causeway/runtime';
import { type handleServerStreamingCall, type handleUnaryCall, Metadata, type ServerUnaryCall } from '@grpc/grpc-js';
import type { CallContext } from '../../call/context.ts';
import type { Identity } from '../../call/identity.ts';
import { authorize, type Rule } from '../../call/policy.ts';
import type { CallLimit } from './call-limit.ts';
import type { Callers } from './callers.ts';
import type { Forwarder } from './forward.ts';
import { GrpcCall } from './grpc-call.ts';
import { type Refused, reportRefusal } from './refusals.ts';

/** Time limit of a call whose caller set no deadline; nothing waits longer on its behalf. */
const defaultLimit = milliseconds(30_000);

/** A stream may last until its reader leaves. */
export const endless = milliseconds(Number.POSITIVE_INFINITY);

/** What every handler needs besides its use case. */
export interface Serving {
  readonly log: Log;
  readonly forwarder: Forwarder;
  readonly callers: Pick<Callers, 'identify'>;
  readonly refused: Refused;
  /** Limits of calls with one answer, and of streams of answers. */
  readonly calls: CallLimit;
  readonly streams: CallLimit;
}

export type Answer<Request, Response> = (request: Request, call: CallContext) => Promise<Response>;
export type AnswerStream<Request, Response> = (request: Request, call: CallContext) => AsyncIterable<Response>;

/** A use case as a gRPC handler: this manager answers, or the leader where only the leader can. */
export function unary<Request, Response>(
  serving: Serving,
  rule: Rule<Request>,
  answer: Answer<Request, Response>,
): handleUnaryCall<Request, Response> {
  const serve = async (request: Request, call: ServerUnaryCall<Request, Response>): Promise<Response> => {
    let context: GrpcCall | undefined;
    let exit: (() => void) | undefined;
    try {
      context = new GrpcCall(call, serving.callers.identify(call), defaultLimit);
      exit = serving.calls.enter(context.peer);
      authorize(rule, context, request);
      const response = await answerOrAsk({ serving, rule, answer }, request, call, context);
      call.sendMetadata(headersOf(context.remarked));
      return response;
    } catch (error) {
      reportRefusal(serving.refused, rule, call, { error, peer: context?.peer, request });
      throw error;
    } finally {
      context?.answered();
      exit?.();
    }
  };
  return serveUnary(serve, serving.log);
}

interface Method<Request, Response> {
  readonly serving: Serving;
  readonly rule: Rule<Request>;
  readonly answer: Answer<Request, Response>;
}

/**
 * This manager's answer. Where only the leader can answer: the leader's. Where the leader does not answer and the rule
 * allows it: what this manager knows by itself.
 */
async function answerOrAsk<Request, Response>(
  { serving: { forwarder }, rule, answer }: Method<Request, Response>,
  request: Request,
  call: ServerUnaryCall<Request, Response>,
  context: GrpcCall,
): Promise<Response> {
  try {
    return await answer(request, context);
  } catch (error) {
    if (rule.leaderFirst !== true) {
      if (!forwarder.takes(error, call)) throw error;
      return await forwarder.unary(call, context);
    }
    if (!forwarder.mayAnswerFor(error, call)) throw error;
    const fromLeader = await forwarder.read(call, context);
    if (fromLeader.isAnswered) return fromLeader.response;
    context.remark(fromLeader.remark);
    context.withoutLeader = true;
    return await answer(request, context);
  }
}

/** A stream of answers. The next answer is requested when the connection has taken the last one. */
export function serverStreaming<Request, Response>(
  { log, forwarder, callers, refused, streams }: Serving,
  rule: Rule<Request>,
  answer: AnswerStream<Request, Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    let isBegun = false;
    let peer: Identity | undefined;
    let request: Request | undefined;
    const pump = async (responses: AsyncIterable<Response>, signal: AbortSignal): Promise<void> => {
      for await (const response of responses) {
        if (signal.aborted) return;
        isBegun = true;
        if (!call.write(response)) await drained(call, signal);
      }
      call.end();
    };
    const serve = async (): Promise<void> => {
      const context = new GrpcCall(call, callers.identify(call), endless);
      peer = context.peer;
      const exit = streams.enter(context.peer);
      try {
        request = decoded(call.request);
        authorize(rule, context, request);
        await pump(answer(request, context), context.signal);
      } catch (error) {
        if (isBegun || !forwarder.takes(error, call)) throw error;
        await pump(forwarder.stream(call), context.signal);
      } finally {
        exit();
      }
    };
    serve().catch((error: unknown) => {
      reportRefusal(refused, rule, call, { error, peer, request });
      call.emit('error', reportFailure(log, call, error));
    });
  };
}

function headersOf(remark: string | undefined): Metadata {
  const headers = new Metadata();
  if (remark !== undefined) headers.set(remarkKey, remark);
  return headers;
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
