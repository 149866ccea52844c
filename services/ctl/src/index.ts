export type { Clients, Connect } from './clients.ts';
export type { Context, Output } from './context.ts';
export { createProgram } from './program.ts';
export { renderReference } from './render/reference.ts';
export { run } from './run.ts';
export { type Change, watchEndpoints, watchNetworks, watchNodes } from './watching.ts';
