import type { Bytes } from './bytes.ts';
import type { EnvelopeVersion } from './envelope.ts';

/** The range of protocol versions that a node speaks, and the version with which it speaks. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
  readonly current: number;
}

/** `Vsn` of Go: the versions of memberlist's own protocol, and of the application's (the delegate's). */
export interface Versions {
  readonly protocol: VersionRange;
  readonly delegate: VersionRange;
}

/** What memberlist sends since 0.2 (2019). */
export const protocolVersions: VersionRange = { min: 1, max: 5, current: 2 };

/** Nodes that speak memberlist's protocol 1 are those that send version 0 of the envelope. */
export function speaking(envelope: EnvelopeVersion | undefined): VersionRange {
  return envelope === 0 ? { ...protocolVersions, current: 1 } : protocolVersions;
}

/** From which highest protocol version on a node does what. Relays are of serf, which asks for this version of memberlist. */
export const understands = { tcpPings: 3, nacks: 4, checksums: 5, relays: 5 } as const;

export const versionsLength = 6;

export function writeVersions({ protocol, delegate }: Versions): Bytes {
  return Uint8Array.of(protocol.min, protocol.max, protocol.current, delegate.min, delegate.max, delegate.current);
}

/** Undefined: the range of memberlist's protocol is impossible. Go drops such a node, and crashed on fewer bytes until 2026. */
export function readVersions(bytes: Bytes): Versions | undefined {
  if (bytes.length !== versionsLength) return undefined;
  const [pMin = 0, pMax = 0, pCurrent = 0, dMin = 0, dMax = 0, dCurrent = 0] = bytes;
  if (pMin === 0 || pMin > pMax || pCurrent < pMin || pCurrent > pMax) return undefined;
  return {
    protocol: { min: pMin, max: pMax, current: pCurrent },
    delegate: { min: dMin, max: dMax, current: dCurrent },
  };
}
