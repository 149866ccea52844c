import { entryCases } from './contract/entries.ts';
import type { ContractCase } from './contract/host.ts';
import { linkCases } from './contract/links.ts';
import { ownWriteCases } from './contract/own-writes.ts';
import { viewCases } from './contract/views.ts';

export type { ContractCase, ContractHost } from './contract/host.ts';

/** What every Kernel must do, each case on a host of its own: the fake and the real one both pass. */
export const kernelContractCases: readonly ContractCase[] = [
  ...linkCases,
  ...entryCases,
  ...viewCases,
  ...ownWriteCases,
];
