import type { Name } from '@causeway/model';

/** What an agent lacks on every kernel. */
export const cannotEncryptYet = 'this version of the agent cannot encrypt';

/** Why a host makes nothing of an encrypted network, for people. */
export function cannotEncrypt(network: Name, why = cannotEncryptYet): string {
  return `network ${network} is encrypted, and this host cannot encrypt: ${why}; attach the container to another network`;
}
