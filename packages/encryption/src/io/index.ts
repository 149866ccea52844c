export * from './create-node-key.ts';
