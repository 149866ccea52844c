export * from './fake-clock.ts';
export * from './folder-cycles.ts';
export * from './memory-lock.ts';
export * from './memory-log.ts';
export * from './seeded-random.ts';
export * from './warnings.ts';
