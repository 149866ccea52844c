import { CausewayError } from '@causeway/model';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { checkText } from '../convert/legible.ts';

/** A request whose bytes are no message of its type. */
class Undecodable {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/**
 * The service, reading whatever bytes it is sent: grpc-js would refuse those that are no message by itself, as our own
 * failure and without our code. Handlers ask `decoded` for the request.
 */
export function lenient<Service extends ServiceDefinition>(service: Service): Service {
  const methods = Object.entries(service).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): unknown => {
      try {
        return method.requestDeserialize(bytes);
      } catch (cause) {
        return new Undecodable(cause);
      }
    };
    return [name, { ...method, requestDeserialize }];
  });
  return Object.fromEntries(methods) as Service;
}

/** The request itself, all text of which can be stored and printed. @throws CausewayError invalid-argument when it is not so */
export function decoded<Request>(request: Request): Request {
  return checkText(intact(request));
}

/** The request itself, with whatever text. @throws CausewayError invalid-argument when it is not one */
export function intact<Request>(request: Request): Request {
  if (!(request instanceof Undecodable)) return request;
  const message = 'the request is no message of its type: its bytes end too early or are not protobuf';
  throw new CausewayError('invalid-argument', message, { field: 'request' }, { cause: request.cause });
}
