import { afterEach, beforeEach, describe, it } from 'vitest';
import { type ContractHost, kernelContractCases } from '../testing/contract.ts';
import { enterThrowawayHome, realHost } from './testing/real-host.ts';

const missing = enterThrowawayHome();

describe.skipIf(missing !== undefined)(`the real kernel keeps the contract${missing ? ` (${missing})` : ''}`, () => {
  let host: ContractHost;
  beforeEach(() => {
    host = realHost();
  });
  afterEach(() => host.dispose());

  for (const { name, run } of kernelContractCases) it(name, () => run(host));
});
