import { gatewayPriorities, type NetnsPath } from '@causeway/datapath';
import {
  CausewayError,
  checkLabels,
  clip,
  family,
  type Ip,
  isVisible,
  type Labels,
  type Name,
  parseIp,
  parseName,
  parseReference,
  parseRequestId,
  type RequestId,
  unwrap,
} from '@causeway/model';
import type { AttachRequest } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { defaultIfname, parseIfname } from './ifname.ts';

/** A valid request to attach a container. */
export interface AttachSpec {
  readonly requestId: RequestId;
  /** Name or id. */
  readonly network: string;
  readonly name: Name;
  readonly netns: NetnsPath;
  readonly ifname: string;
  readonly addresses: readonly Ip[];
  readonly labels: Labels;
  /** The container's default route uses the interface with the highest priority. */
  readonly gatewayPriority: number;
}

/** PATH_MAX less the final zero (linux/limits.h). */
const longestPath = 4095;

/** Throws a CausewayError that names the wrong field. */
export function parseAttachSpec(request: AttachRequest): AttachSpec {
  return {
    requestId: unwrap(parseRequestId(request.requestId)),
    network: unwrap(parseName(unwrap(parseReference(request.network, 'network')), 'network')),
    name: unwrap(parseName(request.name)),
    netns: parseNetnsPath(request.netns),
    ifname: request.ifname === '' ? defaultIfname : unwrap(parseIfname(request.ifname)),
    addresses: parseAddresses(request.addresses),
    labels: parseLabels(request.labels),
    gatewayPriority: parseGatewayPriority(request.gatewayPriority),
  };
}

/** Whether both are the same request: a retry under one request id must repeat the whole spec. */
export function sameSpec(a: AttachSpec, b: AttachSpec): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Whether both specs are equal apart from the request id. */
export function asksTheSame({ requestId: _, ...a }: AttachSpec, { requestId: __, ...b }: AttachSpec): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function parseNetnsPath(text: string): NetnsPath {
  if (text.startsWith('/') && text.length <= longestPath && isVisible(text)) return text as NetnsPath;
  const message = `netns "${clip(text)}" is not an absolute path without control characters, such as /run/netns/web or /proc/4711/ns/net`;
  throw new CausewayError('netns-invalid', message, { field: 'netns', netns: clip(text) });
}

function parseGatewayPriority(priority: number): number {
  const { least, most } = gatewayPriorities;
  if (priority >= least && priority <= most) return priority;
  const message = `gateway priority ${priority} is not a number from ${least} to ${most}`;
  throw new CausewayError('invalid-argument', message, { field: 'gateway_priority' });
}

/** Sorts the labels, so that equal labels make equal specs. */
function parseLabels(labels: Labels): Labels {
  checkLabels(labels);
  return Object.fromEntries(Object.entries(labels).sort());
}

function parseAddresses(texts: readonly string[]): readonly Ip[] {
  const addresses = texts.map((text) => unwrap(parseIp(text)));
  const families = new Set(addresses.map(family));
  if (families.size === addresses.length) return addresses;
  throw new CausewayError('invalid-argument', 'addresses: request at most one IPv4 and one IPv6 address', {
    field: 'addresses',
  });
}
