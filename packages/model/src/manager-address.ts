import { type Family, family, type Ip, parseIp } from './ip.ts';

/** An address and a port, as IP:PORT or [IPv6]:PORT. */
export interface IpPort {
  /** As gRPC and people write it; IPv6 in brackets. */
  readonly text: string;
  readonly ip: Ip;
  readonly family: Family;
  readonly port: number;
  /** It is no address to connect to: it stands for all addresses of a host. */
  readonly isWildcard: boolean;
}

/** Undefined: the text is no IP:PORT. */
export function parseIpPort(text: string): IpPort | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const ip = parseIp(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3]);
  if (!ip.ok || (match?.[1] !== undefined) !== ip.value.includes(':') || port < 1 || port > 65_535) return undefined;
  const host = family(ip.value) === 6 ? `[${ip.value}]` : ip.value;
  const isWildcard = ip.value === '0.0.0.0' || ip.value === '::';
  return { text: `${host}:${port}`, ip: ip.value, family: family(ip.value), port, isWildcard };
}

/** A cluster has three, five or seven managers. */
export const mostManagers = 32;

/**
 * The addresses of managers in a list that a manager has sent, each once and in its order. What is no IP:PORT is left out, and so is
 * what is too much: a manager that is wrong, or that another has taken over, must not fill the lists of all hosts.
 */
export function readManagerAddresses(told: readonly string[]): readonly string[] {
  const valid = told.map(parseIpPort).flatMap((each) => (each === undefined || each.isWildcard ? [] : [each.text]));
  return [...new Set(valid)].slice(0, mostManagers);
}
