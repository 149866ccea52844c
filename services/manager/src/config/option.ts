import { CausewayError, clip, type IpPort, parseIpPort } from '@causeway/model';

/** Flag, variable, default and help of one option. The command line is made from a table of these. */
export interface OptionSpec {
  readonly flag: string;
  readonly variable: string;
  readonly help: string;
  readonly default?: string;
  readonly optional?: true;
}

/** @throws CausewayError invalid-argument */
export function readAddress(text: string, flag: string): IpPort {
  return parseIpPort(text) ?? refuse(flag, text, 'IP:PORT, such as 192.0.2.1:7443 or [2001:db8::1]:7443');
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
