import { isIPv6 } from 'node:net';
import { type Delegate, type Profile, profiles } from '../swim/index.ts';
import type { EnvelopeVersion } from '../wire/envelope.ts';
import type { Keyring } from '../wire/keyring.ts';
import { maxMeta, maxName } from '../wire/limits.ts';
import type { VersionRange } from '../wire/vsn.ts';

export interface MemberlistOptions {
  /** The name of this node, unique in the cluster. */
  readonly name: string;
  /** The address to listen on. Default: 0.0.0.0, all addresses. */
  readonly bindAddr?: string;
  /** The port of both UDP and TCP. Default: 7946. 0: any that is free. */
  readonly bindPort?: number;
  /** Where other nodes reach this node. Default: `bindAddr`; if that is all addresses, the first of this machine that others may reach. */
  readonly advertiseAddr?: string;
  /** Default: the port that this node listens on. */
  readonly advertisePort?: number;
  /** With a keyring, the cluster encrypts. */
  readonly keyring?: Keyring;
  /** Default true. False, with a keyring: plain text is accepted too, while a cluster changes to encryption. */
  readonly verifyIncoming?: boolean;
  /** Default true. False, with a keyring: this node sends plain text, while a cluster changes to encryption. */
  readonly verifyOutgoing?: boolean;
  /** How datagrams and streams are sealed. Default 1. 0 is what memberlist sent before 2015; both are always read. */
  readonly encryptionVersion?: EnvelopeVersion;
  /** Nodes with another label are ignored. Default: none. */
  readonly label?: string;
  /** Default true: what this node sends is compressed where that is shorter. */
  readonly compression?: boolean;
  /** Times and counts. Default: `lan`. */
  readonly profile?: keyof typeof profiles | Profile;
  /** Bytes about this node that every node gets, at most 512. */
  readonly meta?: Uint8Array;
  /** Versions of the application's own protocol. Default: 0 to 0, as of Go programs without a delegate. */
  readonly delegateVersions?: VersionRange;
  readonly delegate?: Delegate;
}

export interface CheckedOptions extends MemberlistOptions {
  readonly bindAddr: string;
  readonly bindPort: number;
  readonly meta: Uint8Array;
  readonly profile: Profile;
}

/** Throws a RangeError that says which option is wrong. */
export function checkedOptions(options: MemberlistOptions): CheckedOptions {
  const { name, bindAddr = '0.0.0.0', bindPort = defaultPort, meta = new Uint8Array(), profile = 'lan' } = options;
  const length = Buffer.byteLength(name);
  if (length === 0 || length > maxName) throw new RangeError(`name: 1 to ${maxName} bytes, not ${length}`);
  checkMeta(meta);
  return { ...options, bindAddr, bindPort, meta, profile: typeof profile === 'string' ? profiles[profile] : profile };
}

export function checkMeta(meta: Uint8Array): void {
  if (meta.length > maxMeta) throw new RangeError(`meta: at most ${maxMeta} bytes, not ${meta.length}`);
}

export const defaultPort = 7946;

/** `host`, `host:port`, an IPv6 address, or `[address]:port`. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } {
  if (isIPv6(text)) return { host: text, port: defaultPort };
  const [, bracketed, bare, digits] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const port = digits === undefined ? defaultPort : Number(digits);
  const host = bracketed ?? bare;
  if (host === undefined || port < 1 || port > 0xff_ff) throw new RangeError(`not an address of a node: ${text}`);
  return { host, port };
}
