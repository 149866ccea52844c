import { everyKindCases } from './contract/every-kind.ts';
import { homeCases } from './contract/home.ts';
import type { ContractCase } from './contract/host.ts';
import { ownWriteCases } from './contract/own-writes.ts';
import { viewCases } from './contract/views.ts';
import { allTwins } from './twins.ts';

export type { ContractCase, ContractHost } from './contract/host.ts';

/** What every Kernel must do, each case on a host of its own: the fake and the real one both pass. */
export const kernelContractCases: readonly ContractCase[] = [
  ...allTwins.flatMap((twin) => twin.cases),
  ...everyKindCases,
  ...viewCases,
  ...homeCases,
  ...ownWriteCases,
];
