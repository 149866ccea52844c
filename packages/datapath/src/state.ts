import type { Brand } from '@causeway/model';
import type { Namespace } from './kinds/table.ts';

/** A network namespace, by the path at which it is mounted: "/run/netns/cw-3f9a…". Empty: the process's own namespace. */
export type NetnsPath = Brand<string, 'NetnsPath'>;
export const hostNetns = '' as NetnsPath;

/**
 * The desired or found content of the namespaces of one scope. For a network these are its own namespace and those of its
 * containers; for the host, the host namespace. owner.ts says which part is ours.
 */
export type State = ReadonlyMap<NetnsPath, Namespace>;
