import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

/**
 * Stops gRPC from writing to stderr. Our code reports all failures itself, with a code and in plain words; lines of gRPC
 * would have neither.
 */
export function quietGrpc(): void {
  setLogVerbosity(logVerbosity.NONE);
}
