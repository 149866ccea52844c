import type { FeedVersion } from '@causeway/model';
import { networkToMessage, rowChangesToMessage, written } from '@causeway/proto';
import { ConnectResponse, Delta } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { WireType } from '@protobuf-ts/runtime';
import type { DeltaParts } from './encode.ts';
import type { Sums } from './sums.ts';

const deltaField = fieldNumber(ConnectResponse, 'delta');
const digestField = fieldNumber(Delta, 'digest');
/** Length of a fixed64. */
const digestBytes = 8;
const digestFieldBytes = 1 + digestBytes;

/**
 * A delta as the bytes of a whole ConnectResponse, encoded once for the agents of all feed versions. The versions differ
 * only in the digest, which is at the end and has a fixed size. An older agent ignores fields that it does not know, as
 * protobuf prescribes.
 */
export class DeltaBytes {
  /** Digests of the network after the step. */
  readonly sums: Sums;
  readonly #newest: Uint8Array;
  readonly #feeds: readonly FeedVersion[];
  /** The bytes for older versions, made when the first agent needs them. */
  readonly #older = new Map<FeedVersion, Uint8Array>();

  constructor(parts: DeltaParts, feeds: readonly FeedVersion[]) {
    this.sums = parts.sums;
    this.#feeds = feeds;
    this.#newest = encode(parts);
  }

  get length(): number {
    return this.#newest.length;
  }

  /** The bytes for agents that speak this version. Every call with the same version returns the same array. */
  of(feed: FeedVersion): Uint8Array {
    const place = this.#feeds.indexOf(feed);
    if (place === this.#feeds.length - 1) return this.#newest;
    const known = this.#older.get(feed);
    if (known !== undefined) return known;
    const made = this.#newest.slice();
    putDigest(made, this.sums[place] ?? 0n);
    this.#older.set(feed, made);
    return made;
  }
}

function encode(parts: DeltaParts): Uint8Array {
  const body = Delta.toBinary(
    {
      networkId: parts.network,
      from: parts.from,
      to: parts.to,
      digest: 0n, // zero is not encoded; the digest is appended below
      ...(parts.changed && { network: networkToMessage(parts.changed.value, parts.changed.revision) }),
      ...rowChangesToMessage(parts.changes),
    },
    written,
  );
  const bytes = written
    .writerFactory()
    .tag(deltaField, WireType.LengthDelimited)
    .uint32(body.length + digestFieldBytes)
    .raw(body)
    .tag(digestField, WireType.Bit64)
    .raw(new Uint8Array(digestBytes))
    .finish();
  putDigest(bytes, parts.sums.at(-1) ?? 0n);
  return bytes;
}

function putDigest(bytes: Uint8Array, digest: bigint): void {
  const end = bytes.byteOffset + bytes.length;
  new DataView(bytes.buffer, end - digestBytes, digestBytes).setBigUint64(0, digest, true);
}

function fieldNumber(message: { readonly fields: readonly { localName: string; no: number }[] }, name: string): number {
  const field = message.fields.find(({ localName }) => localName === name);
  if (field === undefined) throw new TypeError(`the protocol has no field ${name}`);
  return field.no;
}
