import type { Brand } from '@causeway/model';
import type { Namespace } from './kinds/table.ts';

/** A network namespace by the path it is mounted on: "/run/netns/cw-3f9a…". Empty: the one the process lives in. */
export type NetnsPath = Brand<string, 'NetnsPath'>;
export const home = '' as NetnsPath;

/**
 * Everything wanted or found in the namespaces of one scope: of a network's, its own and its containers'; of the host's, the
 * home namespace. owner.ts says what of it is ours.
 */
export type State = ReadonlyMap<NetnsPath, Namespace>;
