import {
  type ClusterId,
  type Endpoint,
  type EndpointId,
  InterfaceAddress,
  Ip,
  macForIp,
  type Name,
  type Network,
  type NetworkId,
  type Node,
  type NodeId,
  type NodeKeys,
  Prefix,
  Vni,
} from '@causeway/model';
import { createKeys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import type { KeyValue, StoreEvent } from '../store/store.ts';
import { View } from '../store/view.ts';

/** One write of a script. Numbers stand for ids, so that cases are easy to read: node 1 is "h1", network 7 is "n7". */
export type ScriptWrite =
  | {
      readonly put: 'node';
      readonly node: number;
      readonly vtep?: string;
      readonly underlayMtu?: number;
      readonly drained?: boolean;
    }
  | { readonly put: 'removed'; readonly node: number }
  /** `as`: fields that differ from the usual network. */
  | { readonly put: 'network'; readonly network: number; readonly mtu?: number; readonly as?: Partial<Network> }
  | { readonly put: 'endpoint'; readonly endpoint: number; readonly network: number; readonly node: number }
  | { readonly put: 'nodeKeys'; readonly node: number; readonly version: number }
  | { readonly delete: 'node'; readonly node: number }
  | { readonly delete: 'network'; readonly network: number }
  | { readonly delete: 'endpoint'; readonly endpoint: number; readonly network: number };

export const scriptCluster = 'c0ffee00c0ffee00' as ClusterId;

export function nodeId(n: number): NodeId {
  return `a${n.toString(16).padStart(15, '0')}` as NodeId;
}

export function networkId(n: number): NetworkId {
  return `b${n.toString(16).padStart(15, '0')}` as NetworkId;
}

export function endpointId(n: number): EndpointId {
  return `e${n.toString(16).padStart(15, '0')}` as EndpointId;
}

export function scriptNode(n: number, vtep = `192.0.2.${n}`, underlayMtu = 1500): Node {
  return { id: nodeId(n), name: `h${n}` as Name, dataPath: Ip(vtep), underlayMtu, version: '1' };
}

export function scriptNodeKeys(n: number, version: number): NodeKeys {
  const generation = { generation: version, publicKey: new Uint8Array(32).fill(n), createdAt: 1 };
  const signature = Uint8Array.of(n, version);
  return {
    node: nodeId(n),
    index: 0x100 + n,
    version,
    generations: version === 0 ? [] : [generation],
    chain: [],
    signature,
  };
}

export function scriptNetwork(n: number, mtu = 1450): Network {
  return {
    id: networkId(n),
    name: `n${n}` as Name,
    addressSpace: 'default' as Name,
    driver: 'overlay',
    internal: false,
    vni: Vni(4096 + n),
    mtu: { kind: 'automatic', bytes: mtu },
    subnets: [{ prefix: Prefix(`10.${n & 255}.0.0/16`), gateway: Ip(`10.${n & 255}.0.1`) }],
    labels: {},
  };
}

export function scriptEndpoint(endpoint: number, network: number, node: number): Endpoint {
  const ip = Ip(`10.${network & 255}.${(endpoint >> 8) & 255}.${endpoint & 255}`);
  return {
    id: endpointId(endpoint),
    network: networkId(network),
    name: `e${endpoint}` as Name,
    node: nodeId(node),
    addresses: [InterfaceAddress(`${ip}/16`)],
    mac: macForIp(ip),
  };
}

/** A store's history, played to views: each commit is one revision, and a view that begins later gets a snapshot. */
export class ViewScript {
  /** The view that follows the script; a test may replace it. */
  view: View;
  readonly #keys = createKeys();
  readonly #kvs = new Map<string, KeyValue>();
  #revision = 0n;

  constructor() {
    this.view = new View(this.#keys);
    const meta = records.meta.codec.encode({ clusterId: scriptCluster, epoch: 1n, schema: 1 });
    this.#put(this.#keys.meta, meta);
    this.reset();
  }

  get revision(): bigint {
    return this.#revision;
  }

  commit(...writes: readonly ScriptWrite[]): bigint {
    this.#revision++;
    const events = writes.map((write) => this.#write(write));
    this.view.apply({ kind: 'events', revision: this.#revision, events });
    return this.#revision;
  }

  lead(name: string): bigint {
    this.#revision++;
    const value = records.leader.codec.encode({ name, address: `${name}:7443`, since: 0 });
    this.#kvs.delete(this.#keys.leader);
    const kv = this.#put(this.#keys.leader, value);
    this.view.apply({ kind: 'events', revision: this.#revision, events: [{ kind: 'put', kv }] });
    return this.#revision;
  }

  /** As after a compaction: the view begins again from a snapshot, and has missed the writes `missed`. */
  reset(...missed: readonly ScriptWrite[]): void {
    this.#revision++;
    for (const write of missed) this.#write(write);
    this.view.apply(this.#snapshot());
  }

  /** A new view, as of another manager, which has not seen earlier changes. */
  fresh(): View {
    const view = new View(this.#keys);
    view.apply(this.#snapshot());
    return view;
  }

  #snapshot(): { kind: 'snapshot'; revision: bigint; kvs: KeyValue[] } {
    return { kind: 'snapshot', revision: this.#revision, kvs: [...this.#kvs.values()] };
  }

  #write(write: ScriptWrite): StoreEvent {
    if ('delete' in write) {
      const key = this.#keyOf(write);
      this.#kvs.delete(key);
      return { kind: 'delete', key, modRevision: this.#revision };
    }
    return { kind: 'put', kv: this.#putRecord(write) };
  }

  #keyOf(write: Extract<ScriptWrite, { delete: string }>): string {
    switch (write.delete) {
      case 'node':
        return this.#keys.node(nodeId(write.node));
      case 'network':
        return this.#keys.network(networkId(write.network));
      case 'endpoint':
        return this.#keys.endpoint(networkId(write.network), endpointId(write.endpoint));
    }
  }

  #putRecord(write: Extract<ScriptWrite, { put: string }>): KeyValue {
    switch (write.put) {
      case 'node': {
        const { drained } = write;
        const node = { ...scriptNode(write.node, write.vtep, write.underlayMtu), ...(drained && { drained }) };
        return this.#put(this.#keys.node(node.id), records.node.codec.encode(node));
      }
      case 'nodeKeys': {
        const keys = scriptNodeKeys(write.node, write.version);
        return this.#put(this.#keys.nodeKeys(keys.node), records.nodeKeys.codec.encode(keys));
      }
      case 'removed': {
        const member = { role: 'agent', id: nodeId(write.node) } as const;
        const value = records.removed.codec.encode({ ...member, at: 0, until: 0, reason: 'test' });
        return this.#put(this.#keys.removed('agent', member.id), value);
      }
      case 'network': {
        const network = { ...scriptNetwork(write.network, write.mtu), ...write.as };
        return this.#put(this.#keys.network(network.id), records.network.codec.encode(network));
      }
      case 'endpoint': {
        const endpoint = scriptEndpoint(write.endpoint, write.network, write.node);
        return this.#put(this.#keys.endpoint(endpoint.network, endpoint.id), records.endpoint.codec.encode(endpoint));
      }
    }
  }

  #put(key: string, value: Uint8Array): KeyValue {
    const createRevision = this.#kvs.get(key)?.createRevision ?? this.#revision;
    const kv = { key, value, createRevision, modRevision: this.#revision };
    this.#kvs.set(key, kv);
    return kv;
  }
}
