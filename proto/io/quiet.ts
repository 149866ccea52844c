import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

/**
 * gRPC writes nothing to stderr of its own from now on. What fails comes to our code as an error, which says it with its code and
 * in words; gRPC's lines between would be neither.
 */
export function quietGrpc(): void {
  setLogVerbosity(logVerbosity.NONE);
}
