export { leaseTtl, SimCluster, type SimSettings } from './cluster.ts';
export { SimHost } from './host.ts';
