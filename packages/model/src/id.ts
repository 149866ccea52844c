import type { Brand } from './brand.ts';
import { CausewayError } from './error.ts';
import { fail, ok, type Result } from './result.ts';
import { clip } from './visible.ts';

/**
 * Types of all identifiers of the project. Ids of clusters, nodes, networks and endpoints are 16 lower-case hex digits.
 */
export type ClusterId = Brand<string, 'ClusterId'>;
export type NodeId = Brand<string, 'NodeId'>;
export type NetworkId = Brand<string, 'NetworkId'>;
export type EndpointId = Brand<string, 'EndpointId'>;
/** A UUID that identifies one mutating call, so that a retry after a lost reply gets the first answer again. */
export type RequestId = Brand<string, 'RequestId'>;
/** A name of a network, endpoint or node. It is a DNS label, so that DNS can serve it (RFC 1123 §2.1, plus "_"). */
export type Name = Brand<string, 'Name'>;

const idPattern = /^[0-9a-f]{16}$/;
const requestPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const namePattern = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** For ids of this form that another file declares. */
export function idParser<Id extends string>(what: string): (text: string) => Result<Id, CausewayError> {
  return (text) =>
    idPattern.test(text)
      ? ok(text as Id)
      : fail(
          new CausewayError('invalid-argument', `"${clip(text)}" is not a ${what} id: expected 16 hex digits`, {
            field: what,
          }),
        );
}

export const parseClusterId = idParser<ClusterId>('cluster');
export const parseNodeId = idParser<NodeId>('node');
export const parseNetworkId = idParser<NetworkId>('network');
export const parseEndpointId = idParser<EndpointId>('endpoint');

export function parseRequestId(text: string): Result<RequestId, CausewayError> {
  return requestPattern.test(text)
    ? ok(text as RequestId)
    : fail(
        new CausewayError('invalid-argument', `request_id "${clip(text)}" is not a lower-case UUID`, {
          field: 'request_id',
        }),
      );
}

/**
 * The text with which a caller names an existing object: a name, an id, or NETWORK/NAME. Only the store knows whether there is
 * such an object, but an empty part names none.
 */
export function parseReference(text: string, field: string): Result<string, CausewayError> {
  if (!text.split('/').includes('')) return ok(text);
  const what = text === '' ? `${field} is empty` : `${field} "${clip(text)}" has an empty part`;
  return fail(
    new CausewayError('invalid-argument', `${what}: give a name or an id`, {
      field,
      ...(text !== '' && { value: clip(text) }),
    }),
  );
}

export function parseName(text: string, field = 'name'): Result<Name, CausewayError> {
  if (namePattern.test(text)) return ok(text as Name);
  const message = `${field} "${clip(text)}" is not valid: expected 1 to 63 letters, digits, "_", "." or "-", beginning and ending with a letter or digit`;
  return fail(new CausewayError('name-invalid', message, { field, value: clip(text) }));
}
