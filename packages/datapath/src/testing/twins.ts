import { type KindName, kindOf, type Op } from '../kinds/table.ts';
import type { Twin } from './twin.ts';
import { address } from './twins/address.ts';
import { encapSocket } from './twins/encap-socket.ts';
import { fdb } from './twins/fdb.ts';
import { link } from './twins/link.ts';
import { neighbour } from './twins/neighbour.ts';
import { portGuard } from './twins/port-guard.ts';
import { route } from './twins/route.ts';
import { sysctl } from './twins/sysctl.ts';
import { xfrmPolicy } from './twins/xfrm-policy.ts';
import { xfrmState } from './twins/xfrm-state.ts';

/** One twin for each kind. The code does not compile if one is missing. */
export const twins: { readonly [Name in KindName]: Twin } = {
  ...{ link, address, route, neighbour, fdb, sysctl },
  'xfrm state': xfrmState,
  'xfrm policy': xfrmPolicy,
  'encap socket': encapSocket,
  'port guard': portGuard,
};

export const allTwins: readonly Twin[] = Object.values(twins);

/** undefined: the op is about a namespace. */
export function twinOf(op: Op): Twin | undefined {
  const kind = kindOf(op);
  return kind === undefined ? undefined : twins[kind.name as KindName];
}
