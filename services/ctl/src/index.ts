export type { Clients, Connect } from './clients.ts';
export type { Context, Output } from './context.ts';
export { grpcConnect } from './io/grpc-clients.ts';
export { machineCommands } from './io/machine-commands.ts';
export { systemContext } from './io/system-context.ts';
export { createProgram } from './program.ts';
export { renderReference } from './render/reference.ts';
export { run } from './run.ts';
export { type Change, watchEndpoints, watchNetworks, watchNodes } from './watching.ts';
