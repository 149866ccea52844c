import { followCases } from './contract/follow.ts';
import { leaseCases } from './contract/lease.ts';
import { outageCases } from './contract/outage.ts';
import { txnCases } from './contract/txn.ts';
import type { StoreCase } from './contract/world.ts';

export type { StoreCase, StoreWorld } from './contract/world.ts';

/** What every Store must do. MemoryStore and EtcdStore pass this suite. */
export const storeContract: readonly StoreCase[] = [...txnCases, ...followCases, ...leaseCases, ...outageCases];
