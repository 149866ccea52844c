import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

/**
 * Stops gRPC from writing to stderr. Our code reports all failures itself, with a code and in plain words; lines of gRPC
 * would have neither.
 */
export function quietGrpc(): void {
  setLogVerbosity(logVerbosity.NONE);
  // grpc-js names a server by its IP address in TLS where a URL does, of which Node warns (DEP0123): nothing that an operator can mend.
  process.noDeprecation = true;
}
