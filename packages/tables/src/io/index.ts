export * from './create-table-key.ts';
