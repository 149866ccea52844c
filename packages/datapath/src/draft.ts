import type { InterfaceAddress, Ip, Mac, Prefix } from '@causeway/model';
import type { FdbTarget, Link, Namespace, NetnsPath, Route, State } from './state.ts';

/** A Namespace while it is being put together. */
export interface Draft extends Namespace {
  readonly links: Map<string, Link>;
  readonly addresses: Map<string, ReadonlySet<InterfaceAddress>>;
  readonly routes: Map<Prefix, Route>;
  readonly neighbours: Map<string, ReadonlyMap<Ip, Mac>>;
  readonly fdb: Map<string, ReadonlyMap<Mac, FdbTarget>>;
  readonly sysctls: Map<string, string>;
}

export function newNamespace(): Draft {
  return {
    links: new Map(),
    addresses: new Map(),
    routes: new Map(),
    neighbours: new Map(),
    fdb: new Map(),
    sysctls: new Map(),
  };
}

/** A copy to change. The tables of a link (`fdb`, `neighbours`, `addresses`) are shared, to be replaced whole. */
export function draftOf(state: State): Map<NetnsPath, Draft> {
  return new Map([...state].map(([netns, namespace]) => [netns, copy(namespace)]));
}

function copy(namespace: Namespace): Draft {
  return {
    links: new Map(namespace.links),
    addresses: new Map(namespace.addresses),
    routes: new Map(namespace.routes),
    neighbours: new Map(namespace.neighbours),
    fdb: new Map(namespace.fdb),
    sysctls: new Map(namespace.sysctls),
  };
}
