export * from './echo-server.ts';
export * from './test-cluster.ts';
