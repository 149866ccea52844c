import { lookup } from 'node:dns/promises';
import type { Address } from '../swim/member.ts';
import type { Layers } from '../wire/datagram.ts';
import { labelBytes } from '../wire/label.ts';
import { AesGcm } from './aes-gcm.ts';
import { defaultAdvertised } from './ip.ts';
import { type CheckedOptions, parseHostPort } from './options.ts';
import { addressOf } from './readable.ts';

// What the options of a node mean.

export function layersOf(options: CheckedOptions): Layers {
  const { keyring, encryptionVersion: version = 1, label = '', compression = true } = options;
  const { verifyIncoming: refusesPlaintext = true, verifyOutgoing: encryptsOutgoing = true } = options;
  return {
    label: labelBytes(label),
    compresses: compression,
    encryption:
      keyring === undefined ? undefined : { aead: new AesGcm(), keyring, version, encryptsOutgoing, refusesPlaintext },
  };
}

export function advertised({ bindAddr, advertiseAddr, advertisePort }: CheckedOptions, port: number): Address {
  const isAll = bindAddr === '0.0.0.0' || bindAddr === '::';
  const text = advertiseAddr ?? (isAll ? defaultAdvertised() : bindAddr);
  return addressOf({ address: text, port: advertisePort ?? port });
}

/** Joins by each address of the hosts, with `join`, and returns how many answered. Throws if none did. */
export async function joinEach(hosts: readonly string[], join: (to: Address) => Promise<void>): Promise<number> {
  const found = await Promise.allSettled(hosts.map(resolve));
  const targets = found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  const joined = await Promise.allSettled(targets.map(join));
  const count = joined.filter(({ status }) => status === 'fulfilled').length;
  if (count > 0 || hosts.length === 0) return count;
  const reasons = [...found, ...joined].flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  throw new AggregateError(reasons, `no node answered: ${reasons.map((each) => (each as Error).message).join('; ')}`);
}

async function resolve(text: string): Promise<Address[]> {
  const { host, port } = parseHostPort(text);
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => addressOf({ address, port }));
}
