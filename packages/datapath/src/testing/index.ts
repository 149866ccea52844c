export { connectivity, type Delivery, type Place } from './connectivity.ts';
export { type ContractCase, type ContractHost, kernelContractCases } from './contract.ts';
export { FakeKernel, type FakeKernelSettings } from './fake-kernel.ts';
export { addressesOf } from './twins/address.ts';
export { portEntriesOf, tunnelsOf } from './twins/fdb.ts';
export { neighboursOf } from './twins/neighbour.ts';
export { routesOf } from './twins/route.ts';
