import { NETLINK_ROUTE } from '@causeway/netlink';
import { isOurLink } from '../owner.ts';
import { RTNLGRP_LINK } from '../wire/constants.ts';
import { compareMaps } from './compare-maps.ts';
import type { Kind } from './kind.ts';
import { type Link, type LinkOp, sameLink } from './link/link.ts';
import { changeLink, makeLinks } from './link/plan.ts';
import { describeLinkDifference, printLink, printLinkOp } from './link/print.ts';
import { applyLink, readLinks, writtenLink } from './link/real.ts';
import { simulateLink } from './link/simulate.ts';
import { port } from './port.ts';
import { byKey } from './printing.ts';

/** Links: bridges, vxlan devices, veth pairs, and links that other programs made. */
export const link: Kind<'link', string, Link, LinkOp> = {
  name: 'link',
  slot: 'links',
  ops: ['link.add', 'link.set', 'link.delete'],
  parts: [port],
  stage: 'link',
  compare: (found, desired) => compareMaps(found?.links, desired?.links, sameLink),
  isOurs: isOurLink,
  describe: describeLinkDifference,
  list: ({ links }) => [...links].sort(byKey).map(([, each]) => `link ${printLink(each)}`),

  make: makeLinks,
  steps: changeLink,
  print: printLinkOp,
  device: (op) => (op.op === 'link.add' ? op.link.name : op.name),
  additive(op, found) {
    if (op.op === 'link.add') return found?.links.has(op.link.name) === true ? undefined : op;
    if (op.op === 'link.delete') return undefined;
    const { up, bridgePort } = op.change;
    const change = { ...(up !== undefined && { up }), ...(bridgePort !== undefined && { bridgePort }) };
    return Object.keys(change).length === 0 ? undefined : { ...op, change };
  },
  simulate: simulateLink,

  real: {
    protocol: NETLINK_ROUTE,
    groups: [RTNLGRP_LINK],
    derive: readLinks,
    apply: applyLink,
    written: writtenLink,
  },
};
