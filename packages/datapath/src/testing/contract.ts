import { announceCases } from './contract/announce.ts';
import { containerCases } from './contract/containers.ts';
import { everyKindCases } from './contract/every-kind.ts';
import type { ContractCase } from './contract/host.ts';
import { hostNetnsCases } from './contract/host-netns.ts';
import { ownWriteCases } from './contract/own-writes.ts';
import { viewCases } from './contract/views.ts';
import { allTwins } from './twins.ts';

export type { ContractCase, ContractHost } from './contract/host.ts';

/** Cases for every Kernel, each on a host of its own. Both the fake and the real kernel must pass. */
export const kernelContractCases: readonly ContractCase[] = [
  ...allTwins.flatMap((twin) => twin.cases),
  ...everyKindCases,
  ...viewCases,
  ...hostNetnsCases,
  ...ownWriteCases,
  ...containerCases,
  ...announceCases,
];
