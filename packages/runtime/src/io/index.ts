export * from './crypto-random.ts';
export * from './pino-log.ts';
export * from './system-clock.ts';
