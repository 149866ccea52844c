import { reportFailure } from '@causeway/proto/io';
import type { Log } from '@causeway/runtime';
import type {
  Server,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  sendUnaryData,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { authorize, everyone } from '../../call/policy.ts';
import type { Callers } from './callers.ts';

interface Guard {
  readonly callers: Callers;
  readonly log: Log;
}

type AnyStream = ServerWritableStream<unknown, unknown>;

/** The server, for libraries that add services of their own to it: only members of the cluster may call these services. */
export function membersOnly(server: Server, guard: Guard): Server {
  const addService = (definition: ServiceDefinition, handlers: UntypedServiceImplementation): void => {
    const guarded = Object.entries(handlers).map(([name, handle]) => {
      const method = Object.entries(definition).find(
        ([key, { originalName }]) => key === name || originalName === name,
      );
      const isStream = method?.[1].responseStream === true;
      return [name, isStream ? guardStream(guard, handle) : guardUnary(guard, handle)] as const;
    });
    server.addService(definition, Object.fromEntries(guarded));
  };
  return { addService } as unknown as Server;
}

function guardUnary(guard: Guard, handle: UntypedHandleCall): UntypedHandleCall {
  return (call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>): void => {
    try {
      check(guard, call);
    } catch (error) {
      answer(reportFailure(guard.log, call, error));
      return;
    }
    (handle as (call: unknown, answer: unknown) => void)(call, answer);
  };
}

function guardStream(guard: Guard, handle: UntypedHandleCall): UntypedHandleCall {
  return (call: AnyStream): void => {
    try {
      check(guard, call);
    } catch (error) {
      call.emit('error', reportFailure(guard.log, call, error));
      return;
    }
    (handle as (call: unknown) => void)(call);
  };
}

/** @throws CausewayError */
function check({ callers }: Guard, call: ServerUnaryCall<unknown, unknown> | AnyStream): void {
  authorize(everyone, { method: call.getPath(), peer: callers.identify(call) }, undefined);
}
