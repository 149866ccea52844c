import { digestOf, parseTokenId } from '@causeway/identity';
import { CausewayError, clip, type NodeId, parseName, parseNodeId, unwrap } from '@causeway/model';
import type { JoinRequest } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { checkNotAnId } from './checks.ts';
import { inField } from './fields.ts';
import type { Join } from './join.ts';

const mostHosts = 20;
/** A DNS name (RFC 1123), or an IP address. */
const host = /^[0-9A-Za-z:.-]{1,253}$/;

/** `fresh`: the id that a new host gets. @throws CausewayError name-invalid, invalid-argument, token-invalid */
export function readJoin(message: JoinRequest, fresh: NodeId): Join {
  const { tokenId, tokenSecret: secret, nodeId, addresses, certificateRequest, timeMs } = message;
  const name = unwrap(parseName(message.name));
  checkNotAnId(name, 'name');
  checkHosts(addresses);
  return {
    token: { id: inField('token_id', parseTokenId(tokenId)), secret },
    name,
    ...(nodeId !== '' && { proposed: inField('node_id', parseNodeId(nodeId)) }),
    fresh,
    request: digestOf(certificateRequest),
    time: Number(timeMs),
  };
}

function checkHosts(addresses: readonly string[]): void {
  const field = 'addresses';
  if (addresses.length > mostHosts)
    throw new CausewayError(
      'invalid-argument',
      `${field}: ${addresses.length} are too many, the limit is ${mostHosts}`,
      { field },
    );
  const wrong = addresses.find((address) => !host.test(address));
  if (wrong === undefined) return;
  const message = `${field}: "${clip(wrong)}" is neither a DNS name nor an IP address`;
  throw new CausewayError('address-invalid', message, { field, value: clip(wrong) });
}
