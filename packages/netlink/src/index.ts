/**
 * Netlink messages as bytes: writing and reading them and their attributes, and the kernel's answers. The messages of a
 * protocol are up to the caller.
 */

export { type Answer, readAnswer } from './answer.ts';
export * from './constants.ts';
export { KernelError } from './kernel-error.ts';
export { type NetnsIdentity, netnsIdentity } from './netns-identity.ts';
export { AttributeReader, DecodeError, MessageReader } from './reader.ts';
export { type Encode, MessageWriter } from './writer.ts';
