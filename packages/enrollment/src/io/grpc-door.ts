import type { Credential, Pin } from '@causeway/identity';
import { ClientCredentials, LiveCredential } from '@causeway/identity/io';
import { refusalIn } from '@causeway/proto';
import { CertificateServiceClient } from '@causeway/proto/gen/causeway/v1/certificate_service.grpc-client.js';
import { callUnary, type UnaryMethod } from '@causeway/proto/io';
import type { Clock } from '@causeway/runtime';
import type { Door, Knock, Limits } from '../door.ts';

/** Connections of a host that joins, or has joined. */
export function grpcKnock(clock: Pick<Clock, 'wall'>): Knock {
  return (address, by) => openDoor(address, by, clock);
}

function openDoor(address: string, by: Pin | Credential, clock: Pick<Clock, 'wall'>): Door {
  const now = (): number => clock.wall();
  const credentials =
    'chain' in by ? ClientCredentials.toManagers(new LiveCredential(by), now) : new ClientCredentials({ pin: by, now });
  // A connection of its own, which ends with the door.
  const client = new CertificateServiceClient(address, credentials, { 'grpc.use_local_subchannel_pool': 1 });
  const call = async <Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    limits: Limits,
  ): Promise<Response> => {
    try {
      return await callUnary(method, request, limits);
    } catch (error) {
      // The reason for which the joiner itself has refused the manager says more than that there is no connection.
      throw refusalIn(error) ?? error;
    }
  };
  return {
    getTrust: (request, limits) => call(client.getTrust.bind(client), request, limits),
    join: (request, limits) => call(client.join.bind(client), request, limits),
    close: () => client.close(),
  };
}
