import { CausewayError } from '@causeway/model';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { checkText } from '../convert/text.ts';

/** Stands for a request whose bytes are not a message of its type. */
class Undecodable {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/**
 * The service, changed so that it accepts any bytes. grpc-js itself would refuse bytes that are not a message, as an
 * internal failure and without our error code. Handlers get the request from `decoded`.
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

/** The request, whose text can be stored and printed. @throws CausewayError invalid-argument if it is not so */
export function decoded<Request>(request: Request): Request {
  return checkText(intact(request));
}

/** The request, with any text. @throws CausewayError invalid-argument if the bytes are not a request */
export function intact<Request>(request: Request): Request {
  if (!(request instanceof Undecodable)) return request;
  const message = 'the request cannot be decoded: it is cut off, or it is not a protobuf message of the expected type';
  throw new CausewayError('invalid-argument', message, { field: 'request' }, { cause: request.cause });
}
