export { grpcConnect } from './grpc-clients.ts';
export { machineCommands } from './machine-commands.ts';
export { systemContext } from './system-context.ts';
