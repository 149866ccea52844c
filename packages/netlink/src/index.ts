/** Netlink as bytes: messages and their attributes written and read, and what the kernel answers. The protocol's own messages are the caller's. */

export { type Answer, readAnswer } from './answer.ts';
export * from './constants.ts';
export { KernelError } from './kernel-error.ts';
export { type NetnsIdentity, netnsIdentity } from './netns-identity.ts';
export { AttributeReader, DecodeError, MessageReader } from './reader.ts';
export { type Encode, MessageWriter } from './writer.ts';
