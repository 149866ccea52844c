import type { ErrorKind } from '@causeway/model';

/** Exit codes are part of the interface: scripts branch on them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unavailable: 5,
  drift: 6,
} as const;

export const exitCodeOfKind = {
  invalid: exitCodes.usage,
  'not-found': exitCodes.notFound,
  conflict: exitCodes.conflict,
  exhausted: exitCodes.failed,
  unavailable: exitCodes.unavailable,
  unsupported: exitCodes.unavailable,
  denied: exitCodes.failed,
  internal: exitCodes.failed,
} as const satisfies Record<ErrorKind, number>;

export const exitCodeMeaning: Readonly<Record<string, string>> = {
  [exitCodes.ok]: 'ok',
  [exitCodes.failed]: 'failed',
  [exitCodes.usage]: 'wrong usage or an invalid value',
  [exitCodes.notFound]: 'not found',
  [exitCodes.conflict]: 'conflict: a name or address is taken, a network or host is in use, or a host is drained',
  [exitCodes.unavailable]: 'unavailable or timed out: try again; or this host cannot do it, as the message says',
  [exitCodes.drift]: 'verify found drift',
  '130, 143':
    'ended by SIGINT or SIGTERM; if the command was changing something, stderr says that the outcome is unknown, and how to find out',
};
