import { afterEach, beforeEach, it } from 'vitest';
import { type ContractHost, kernelContractCases } from '../testing/contract.ts';
import { describeOnKernel } from './testing/describe-on-kernel.ts';
import { realHost } from './testing/real-host.ts';

describeOnKernel('the real kernel keeps the contract', () => {
  let host: ContractHost;
  beforeEach(() => {
    host = realHost();
  });
  afterEach(() => host.dispose());

  for (const { name, run } of kernelContractCases) it(name, () => run(host));
});
