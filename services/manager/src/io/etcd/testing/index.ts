export * from '../../etcd-server/free-ports.ts';
export * from './cutting-proxy.ts';
export * from './etcd-process.ts';
