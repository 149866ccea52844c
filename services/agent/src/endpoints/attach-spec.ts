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
  parseRequestId,
  type RequestId,
  unwrap,
} from '@causeway/model';
import type { AttachRequest } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { defaultIfname, parseIfname } from './ifname.ts';

/** A valid wish to attach a container. */
export interface AttachSpec {
  readonly requestId: RequestId;
  /** Name or id. */
  readonly network: string;
  readonly name: Name;
  readonly netns: NetnsPath;
  readonly ifname: string;
  readonly addresses: readonly Ip[];
  readonly labels: Labels;
  /** Of two interfaces of a container, the one with the larger is its way out. */
  readonly gatewayPriority: number;
}

/** PATH_MAX less the final zero (linux/limits.h). */
const longestPath = 4095;

/** Throws a CausewayError that names the field. */
export function parseAttachSpec(request: AttachRequest): AttachSpec {
  return {
    requestId: unwrap(parseRequestId(request.requestId)),
    network: unwrap(parseName(request.network, 'network')),
    name: unwrap(parseName(request.name)),
    netns: parseNetnsPath(request.netns),
    ifname: request.ifname === '' ? defaultIfname : unwrap(parseIfname(request.ifname)),
    addresses: parseAddresses(request.addresses),
    labels: parseLabels(request.labels),
    gatewayPriority: parseGatewayPriority(request.gatewayPriority),
  };
}

/** Same container, same interface, same wish: what a retry under one request id must repeat. */
export function sameSpec(a: AttachSpec, b: AttachSpec): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The same, whatever the request ids. */
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

/** In one order, so that the same labels are the same order. */
function parseLabels(labels: Labels): Labels {
  checkLabels(labels);
  return Object.fromEntries(Object.entries(labels).sort());
}

function parseAddresses(texts: readonly string[]): readonly Ip[] {
  const addresses = texts.map((text) => unwrap(parseIp(text)));
  const families = new Set(addresses.map(family));
  if (families.size === addresses.length) return addresses;
  throw new CausewayError('invalid-argument', 'addresses: at most one IPv4 and one IPv6 address may be asked for', {
    field: 'addresses',
  });
}
