import { CausewayError } from './error.ts';
import type { Name } from './id.ts';

/** Why a host makes nothing of an encrypted network, for people. `why`: what the host lacks. */
export function cannotEncrypt(network: Name, why: string): string {
  return `network ${network} is encrypted, and this host cannot encrypt: ${why}; attach the container to another network`;
}

/** The refusal of an attach: the managers', if the host has told them, or the agent's. */
export function encryptionUnavailable(network: Name, why: string): CausewayError {
  return new CausewayError('encryption-unavailable', cannotEncrypt(network, why), { field: 'network', network });
}
