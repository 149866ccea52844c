export * from './crypto-random.ts';
export * from './directory-lock.ts';
export * from './find-program.ts';
export * from './make-directory.ts';
export * from './pino-log.ts';
export * from './service-manager.ts';
export * from './system-clock.ts';
