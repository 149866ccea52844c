export * from './client-credentials.ts';
export * from './create-key.ts';
export * from './identity-directory.ts';
export * from './live-credential.ts';
export * from './peer-listener.ts';
export * from './removed-managers.ts';
export * from './renewal.ts';
export * from './secret-file.ts';
export { contextOf, contextOptions, joinerContext } from './tls.ts';
