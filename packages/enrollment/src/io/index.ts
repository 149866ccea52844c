export * from './directory-home.ts';
export * from './grpc-door.ts';
export * from './grpc-exit.ts';
