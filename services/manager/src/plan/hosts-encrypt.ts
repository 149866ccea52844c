import { CausewayError, listNames, type Network, type NetworkId } from '@causeway/model';

/** What hosts have said about themselves. */
export interface EncryptionFacts {
  /** Hosts of the network that cannot encrypt, and why. */
  cannotEncrypt(network: NetworkId): readonly { readonly name: string; readonly why: string }[];
}

/**
 * Refuses to encrypt a network while a host of it has said that it cannot encrypt: the host would get no new rows of the network.
 * @throws CausewayError encryption-unavailable
 */
export function checkHostsEncrypt({ id, name }: Network, facts: EncryptionFacts): void {
  const unable = facts.cannotEncrypt(id);
  const [first] = unable;
  if (first === undefined) return;
  const hosts = listNames(unable);
  const message = `network "${name}" has containers on ${hosts}, which cannot encrypt: ${first.why}; give these hosts a kernel that can, or detach the containers there first`;
  throw new CausewayError('encryption-unavailable', message, { field: 'encrypt', network: name, hosts });
}
