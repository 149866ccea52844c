export { connectivity, type Delivery, type Place } from './connectivity.ts';
export { type ContractCase, type ContractHost, kernelContractCases } from './contract.ts';
export { FakeKernel, type FakeKernelSettings } from './fake-kernel.ts';
