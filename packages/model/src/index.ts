export * from './assert.ts';
export type { Brand } from './brand.ts';

export * from './endpoint.ts';
export * from './error.ts';
export * from './feed.ts';
export * from './id.ts';
export * from './ip.ts';
export * from './labels.ts';
export * from './mac.ts';
export * from './network.ts';
export * from './node.ts';
export * from './prefix.ts';
export * from './result.ts';
export * from './selector.ts';
export * from './stamp.ts';
export * from './vni.ts';
