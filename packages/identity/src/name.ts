import {
  CausewayError,
  type ClusterId,
  clip,
  fail,
  ok,
  parseClusterId,
  parseName,
  parseNodeId,
  type Result,
} from '@causeway/model';

/** What a holder of a certificate is to its cluster. */
export type Role = (typeof roles)[number];

const roles = ['operator', 'manager', 'agent'] as const;

export function parseRole(text: string): Result<Role, CausewayError> {
  const role = roles.find((each) => each === text);
  if (role !== undefined) return ok(role);
  const message = `"${clip(text)}" is not a role: expected ${roles.join(', ')}`;
  return fail(new CausewayError('invalid-argument', message, { value: clip(text) }));
}

/** The name in a certificate: who the holder is, and in which cluster. The id of an agent is the id of its node. */
export interface PeerName {
  readonly cluster: ClusterId;
  readonly role: Role;
  readonly id: string;
}

const pattern = /^spiffe:\/\/([^/]*)\/(operator|manager|agent)\/([^/]*)$/;

/** The name as a SPIFFE id (https://spiffe.io/docs/latest/spiffe-specs/spiffe-id): the URI in a certificate. */
export function formatPeerName({ cluster, role, id }: PeerName): string {
  return `spiffe://${cluster}/${role}/${id}`;
}

/** For messages within one cluster: "agent/7c0e…". */
export function formatPeer({ role, id }: Pick<PeerName, 'role' | 'id'>): string {
  return `${role}/${id}`;
}

/** Strict: each name has exactly one form. */
export function parsePeerName(uri: string): Result<PeerName, CausewayError> {
  const [, domain = '', role, id = ''] = pattern.exec(uri) ?? [];
  const cluster = parseClusterId(domain);
  if (role === undefined || !cluster.ok) return notAName(uri);
  const parsed = role === 'agent' ? parseNodeId(id) : parseName(id);
  return parsed.ok ? ok({ cluster: cluster.value, role: role as Role, id: parsed.value }) : notAName(uri);
}

/** The DNS name of all managers of a cluster. etcd admits clients and members by it. */
export function managerDnsName(cluster: ClusterId): string {
  return `manager.${cluster}`;
}

function notAName(uri: string): Result<never, CausewayError> {
  const message = `"${clip(uri)}" is not the name of a peer: expected spiffe://CLUSTER/ROLE/ID with the role operator, manager or agent`;
  return fail(new CausewayError('certificate-invalid', message));
}
