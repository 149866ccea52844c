export * from './cutting-proxy.ts';
export * from './etcd-process.ts';
export * from './free-ports.ts';
