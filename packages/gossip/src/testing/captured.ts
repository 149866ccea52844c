import { readFileSync } from 'node:fs';
import { AesGcm } from '../io/aes-gcm.ts';
import { noBytes, utf8 } from '../wire/bytes.ts';
import type { Layers } from '../wire/datagram.ts';
import { Keyring } from '../wire/keyring.ts';
import { bytesOf } from './hex.ts';

export interface Captured {
  readonly kind: 'udp' | 'request' | 'reply';
  readonly bytes: Uint8Array;
}

/** What real serf agents sent. */
export function captured(name: 'serf-plain' | 'serf-sealed'): readonly Captured[] {
  const text = readFileSync(new URL(`../../src/wire/golden/${name}.txt`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [kind = '', digits = ''] = line.split(' ');
      return { kind: kind as Captured['kind'], bytes: bytesOf(digits) };
    });
}

/** The settings of the agents of each capture. */
export const capturedLayers: { readonly [Name in Parameters<typeof captured>[0]]: Layers } = {
  'serf-plain': { label: noBytes, encryption: undefined, compresses: true },
  'serf-sealed': {
    label: noBytes,
    compresses: true,
    encryption: {
      aead: new AesGcm(),
      keyring: new Keyring(utf8('memberlist-ts-golden-packets-key')),
      version: 1,
      encryptsOutgoing: true,
      refusesPlaintext: true,
    },
  },
};
