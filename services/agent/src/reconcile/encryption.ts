import type { Name } from '@causeway/model';

/** Why a host makes nothing of an encrypted network, for people. */
export function cannotEncrypt(network: Name): string {
  return `network ${network} is encrypted, and this version of the agent cannot encrypt: attach the container to another network`;
}
