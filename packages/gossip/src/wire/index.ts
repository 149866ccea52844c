export { type Aead, nonceLength, tagLength } from './aead.ts';
export type { Bytes } from './bytes.ts';
export { decodeCompound, encodeCompound } from './compound.ts';
export { datagramRoom, decodeDatagram, encodeDatagram, type Layers, Packet, type Received } from './datagram.ts';
export type { Encryption, EnvelopeVersion } from './envelope.ts';
export { Keyring } from './keyring.ts';
export { labelBytes } from './label.ts';
export * from './limits.ts';
export { deflate, inflate } from './lzw.ts';
export * from './message.ts';
export { MsgpackReader } from './msgpack-reader.ts';
export { MsgpackWriter } from './msgpack-writer.ts';
export type { NodeState, PushPull, State } from './push-pull.ts';
export type { Decoded, Refusal } from './refusal.ts';
export {
  type ErrorMessage,
  encodeReply,
  encodeRequest,
  type StreamMessage,
  StreamReader,
} from './stream.ts';
export * from './struct.ts';
export { protocolVersions, readVersions, understands, type VersionRange, type Versions, writeVersions } from './vsn.ts';
