export * from './failover.ts';
export * from './failure.ts';
export { hedgeRead, hedgeWrite, type Policy } from './policy.ts';
