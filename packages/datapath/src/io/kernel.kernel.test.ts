import { describeOnKernel } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, it } from 'vitest';
import { type ContractHost, kernelContractCases } from '../testing/contract.ts';
import { realHost } from './testing/real-host.ts';

describeOnKernel('the real kernel keeps the contract', () => {
  let host: ContractHost;
  beforeEach(() => {
    host = realHost();
  });
  afterEach(() => host.dispose());

  for (const { name, run } of kernelContractCases) it(name, () => run(host));
});
