export * from './call.ts';
export * from './certificate-calls.ts';
export * from './connect-limit.ts';
export * from './credentials.ts';
export * from './descriptors.ts';
export * from './quiet.ts';
export * from './undecodable.ts';
