export * from './encryption.ts';
export * from './fake-manager.ts';
export * from './host.ts';
export * from './memory-files.ts';
export * from './memory-key-file.ts';
