import { everyKindCases } from './contract/every-kind.ts';
import { homeCases } from './contract/home.ts';
import type { ContractCase } from './contract/host.ts';
import { ownWriteCases } from './contract/own-writes.ts';
import { viewCases } from './contract/views.ts';
import { allTwins } from './twins.ts';

export type { ContractCase, ContractHost } from './contract/host.ts';

/** Cases for every Kernel, each on a host of its own. Both the fake and the real kernel must pass. */
export const kernelContractCases: readonly ContractCase[] = [
  ...allTwins.flatMap((twin) => twin.cases),
  ...everyKindCases,
  ...viewCases,
  ...homeCases,
  ...ownWriteCases,
];
