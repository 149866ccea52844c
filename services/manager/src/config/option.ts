import { CausewayError, clip, type Family, family, parseIp } from '@causeway/model';

/** Flag, variable, default and help of one option. The command line is made from a table of these. */
export interface OptionSpec {
  readonly flag: string;
  readonly variable: string;
  readonly help: string;
  readonly default?: string;
  readonly optional?: true;
}

export interface Address {
  /** As gRPC and people write it; IPv6 in brackets. */
  readonly text: string;
  /** Without port and brackets. */
  readonly ip: string;
  readonly isWildcard: boolean;
  readonly family: Family;
  readonly port: number;
}

/** @throws CausewayError invalid-argument */
export function readAddress(text: string, flag: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const ip = parseIp(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3]);
  if (!ip.ok || (match?.[1] !== undefined) !== ip.value.includes(':') || port < 1 || port > 65_535)
    return refuse(flag, text, 'IP:PORT, such as 192.0.2.1:7443 or [2001:db8::1]:7443');
  const host = family(ip.value) === 6 ? `[${ip.value}]` : ip.value;
  const isWildcard = ip.value === '0.0.0.0' || ip.value === '::';
  return { text: `${host}:${port}`, ip: ip.value, isWildcard, family: family(ip.value), port };
}

/** @throws CausewayError invalid-argument */
export function readPort(text: string, flag: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : refuse(flag, text, 'a port, 1 to 65535');
}

/** Each manager runs it from its own directory, so the path must not depend on that. @throws CausewayError invalid-argument */
export function readProgram(path: string): string {
  return path.startsWith('/') ? path : refuse('--ca-program', path, 'an absolute path');
}

export function refuse(flag: string, value: string, expected: string): never {
  const given = value === '' ? 'is missing' : `"${clip(value)}" is not valid`;
  throw new CausewayError('invalid-argument', `${flag} ${given}: expected ${expected}`, {
    field: flag,
    value: clip(value),
  });
}
