import { parseTokenId, resemblesUnlockKey } from '@causeway/identity';
import { parseName } from '@causeway/model';

/** The object that a request names: "network/red", "endpoint/red/web", "token/…". It need not exist. */
export type NamedObject = `${ObjectKind}/${string}`;

type ObjectKind = 'network' | 'endpoint' | 'host' | 'manager' | 'operator' | 'token';

/** What the requests of a method name; undefined: nothing. */
export type Naming<Request> = (request: Request) => NamedObject | undefined;

/** By name, by id, or as NETWORK/NAME. */
export const ofNetwork: Naming<{ readonly network: string }> = ({ network }) => named('network', network);
export const ofEndpoint: Naming<{ readonly endpoint: string }> = ({ endpoint }) => named('endpoint', endpoint);
export const ofEndpointId: Naming<{ readonly endpointId: string }> = (request) => named('endpoint', request.endpointId);
export const ofHost: Naming<{ readonly node: string }> = ({ node }) => named('host', node);
export const ofHostId: Naming<{ readonly nodeId: string }> = ({ nodeId }) => named('host', nodeId);

export function ofName(kind: 'network' | 'manager' | 'operator'): Naming<{ readonly name: string }> {
  return ({ name }) => named(kind, name);
}

/** A token's id is not secret. Any other text may be a part of the token, so it is left out. */
export const ofToken: Naming<{ readonly tokenId: string }> = ({ tokenId }) =>
  parseTokenId(tokenId).ok ? `token/${tokenId}` : undefined;

/** Text that cannot be a name is left out: it may be long, or something that a person has pasted by mistake. An unlock key is secret. */
function named(kind: ObjectKind, text: string): NamedObject | undefined {
  const parts = text.split('/');
  const isName = (part: string): boolean => parseName(part).ok && !resemblesUnlockKey(part);
  return parts.length <= 2 && parts.every(isName) ? `${kind}/${text}` : undefined;
}
