export * from './fake-manager.ts';
export * from './host.ts';
export * from './memory-files.ts';
