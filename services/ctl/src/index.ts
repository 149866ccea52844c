export type { Clients, Connect } from './clients.ts';
export type { Context, Output } from './context.ts';
export { watchEndpoints } from './nouns/endpoint.ts';
export { watchNetworks } from './nouns/network.ts';
export { watchNodes } from './nouns/node.ts';
export { createProgram } from './program.ts';
export { renderReference } from './render/reference.ts';
export { run } from './run.ts';
export type { Change } from './watching.ts';
