import type { RowKind } from '@causeway/model';
import { endpointRows } from './endpoint.ts';
import type { AnyRowMessages } from './row-messages.ts';

export * from './endpoint.ts';
export * from './network.ts';
export * from './node.ts';
export * from './node-keys.ts';

/** How the rows of each kind are sent. */
export const rowMessages: Readonly<Record<RowKind, AnyRowMessages>> = { endpoint: endpointRows };
