import {
  assertNever,
  type CausewayError,
  type Ip,
  type Mac,
  type Name,
  type Network,
  type NetworkId,
  type Node,
  type NodeId,
  type Vni,
} from '@causeway/model';
import { type Claimed, decodeClaim } from './claim.ts';
import { ClaimTable } from './claim-table.ts';
import {
  decodeText,
  endpointCodec,
  type KnownManager,
  knownManagerCodec,
  type LedTime,
  leaderCodec,
  ledTimeCodec,
  managerCodec,
  metaCodec,
  networkCodec,
  nodeCodec,
  type Silence,
  silenceCodec,
} from './codec.ts';
import { EndpointIndex } from './endpoint-index.ts';
import type { Keys, StoreKey } from './keys.ts';
import { RecordIndex } from './record-index.ts';
import type { KeyValue } from './store.ts';
import type {
  ClaimChange,
  Cluster,
  EventMark,
  LeaderRecord,
  RegisteredManager,
  Versioned,
  ViewChange,
} from './view-change.ts';
import { type ClaimedVni, decodeVniClaim } from './vni-claim.ts';

/** Where the effects of one change are gathered. */
export interface Told {
  readonly changes: ViewChange[];
  readonly claims: ClaimChange[];
}

/** The content of a view: key by key in, indexed out. */
export class Tables {
  readonly #keys: Keys;
  cluster: Cluster | undefined;
  leader: LeaderRecord | undefined;
  readonly managers = new Map<Name, RegisteredManager>();
  readonly knownManagers = new Map<Name, Versioned<KnownManager>>();
  eventMark: EventMark | undefined;
  recovering = false;
  readonly networks = new RecordIndex<NetworkId, Network>('network');
  readonly nodes = new RecordIndex<NodeId, Node>('node');
  readonly endpoints = new EndpointIndex();
  readonly addresses = new ClaimTable<Ip>();
  readonly macs = new ClaimTable<Mac>();
  /** Hosts that were silent when somebody last looked. */
  readonly silences = new Map<NodeId, Silence>();
  ledTime: LedTime | undefined;
  readonly vnis = new Map<Vni, ClaimedVni>();
  /** Records that could not be read, by key; what was known before them stands. */
  readonly damaged = new Map<string, CausewayError>();

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** A claim that stands: what it holds was taken then, whichever holder it has now. An object: its record was made then. */
  createRevisionOf(keyText: string): bigint | undefined {
    const key = this.#keys.parse(keyText);
    if (key?.kind === 'addr') return this.addresses.of(key.network).get(key.ip)?.created;
    if (key?.kind === 'mac') return this.macs.of(key.network).get(key.mac)?.created;
    if (key?.kind === 'vni') return this.vnis.get(key.vni)?.created;
    if (key?.kind === 'network') return this.networks.all.get(key.id)?.created;
    if (key?.kind === 'node') return this.nodes.all.get(key.id)?.created;
    if (key?.kind === 'endpoint') return this.endpoints.get(key.id)?.created;
    return undefined;
  }

  put(kv: KeyValue, told: Told): void {
    const key = this.#keys.parse(kv.key);
    if (key === undefined) return;
    const failure = this.#store(key, kv, told);
    if (failure === undefined) this.damaged.delete(kv.key);
    else this.damaged.set(kv.key, failure);
  }

  /** Returns why the record could not be read. */
  #store(key: StoreKey, kv: KeyValue, told: Told): CausewayError | undefined {
    const revision = kv.modRevision;
    switch (key.kind) {
      case 'meta': {
        const meta = metaCodec.decode(kv.value);
        if (!meta.ok) return meta.error;
        const { clusterId: id, epoch, schema } = meta.value.value;
        const { foreign } = meta.value;
        this.cluster = { id, epoch, schema, revision, ...(foreign !== undefined && { foreign }) };
        told.changes.push({ kind: 'cluster', revision });
        return undefined;
      }
      case 'leader': {
        const claim = leaderCodec.decode(kv.value);
        if (!claim.ok) return claim.error;
        this.leader = { ...claim.value.value, term: kv.createRevision };
        told.changes.push({ kind: 'leader', leader: this.leader, revision });
        return undefined;
      }
      case 'manager': {
        const record = managerCodec.decode(kv.value);
        if (!record.ok) return record.error;
        const before = this.managers.get(key.name);
        const after = { ...record.value.value, revision };
        this.managers.set(key.name, after);
        told.changes.push({ kind: 'manager', ...(before !== undefined && { before }), after, revision });
        return undefined;
      }
      case 'known-manager': {
        const record = knownManagerCodec.decode(kv.value);
        if (!record.ok) return record.error;
        this.knownManagers.set(key.name, { ...record.value, revision });
        return undefined;
      }
      case 'recovery':
        this.recovering = true;
        return undefined;
      case 'network': {
        const record = networkCodec.decode(kv.value);
        if (!record.ok) return record.error;
        const after = { ...record.value, revision, created: kv.createRevision };
        told.changes.push({ kind: 'network', id: key.id, ...this.networks.set(key.id, after), revision });
        return undefined;
      }
      case 'node': {
        const record = nodeCodec.decode(kv.value);
        if (!record.ok) return record.error;
        const after = { ...record.value, revision, created: kv.createRevision };
        told.changes.push({ kind: 'node', id: key.id, ...this.nodes.set(key.id, after), revision });
        return undefined;
      }
      case 'node-silent': {
        const record = silenceCodec.decode(kv.value);
        if (!record.ok) return record.error;
        this.silences.set(key.id, record.value.value);
        return undefined;
      }
      case 'led-time': {
        const record = ledTimeCodec.decode(kv.value);
        if (!record.ok) return record.error;
        this.ledTime = record.value.value;
        return undefined;
      }
      case 'endpoint': {
        const record = endpointCodec.decode(kv.value);
        if (!record.ok) return record.error;
        const after = { ...record.value, revision, created: kv.createRevision };
        told.changes.push({ ...key, ...this.endpoints.set(after), revision });
        return undefined;
      }
      case 'addr':
        told.claims.push({ ...key, ...this.addresses.set(key.network, key.ip, claimed(kv)) });
        return undefined;
      case 'mac':
        this.macs.set(key.network, key.mac, claimed(kv));
        return undefined;
      case 'vni': {
        const before = this.vnis.get(key.vni);
        const claim = decodeVniClaim(kv.value);
        const after = { claim, created: kv.createRevision, revision: kv.modRevision };
        this.vnis.set(key.vni, after);
        told.claims.push({ ...key, ...(before !== undefined && { before }), after });
        return undefined;
      }
      case 'event-mark':
        this.eventMark = { text: decodeText(kv.value), revision };
        return undefined;
      case 'network-name':
      case 'node-name':
      case 'endpoint-name':
      case 'pool':
      case 'req':
        return undefined; // implied by the records, or asked of the store itself
      default:
        return assertNever(key);
    }
  }

  delete(keyText: string, revision: bigint, told: Told): void {
    this.damaged.delete(keyText);
    const key = this.#keys.parse(keyText);
    if (key === undefined) return;
    switch (key.kind) {
      case 'meta':
        this.cluster = undefined;
        told.changes.push({ kind: 'cluster', revision });
        return;
      case 'leader':
        this.leader = undefined;
        told.changes.push({ kind: 'leader', revision });
        return;
      case 'manager': {
        const before = this.managers.get(key.name);
        this.managers.delete(key.name);
        if (before !== undefined) told.changes.push({ kind: 'manager', before, revision });
        return;
      }
      case 'known-manager':
        this.knownManagers.delete(key.name);
        return;
      case 'network': {
        const gone = this.networks.delete(key.id);
        if (gone !== undefined) told.changes.push({ ...key, kind: 'network', before: gone, revision });
        return;
      }
      case 'node': {
        const gone = this.nodes.delete(key.id);
        if (gone !== undefined) told.changes.push({ ...key, kind: 'node', before: gone, revision });
        return;
      }
      case 'node-silent':
        this.silences.delete(key.id);
        return;
      case 'led-time':
        this.ledTime = undefined;
        return;
      case 'endpoint': {
        const gone = this.endpoints.delete(key.id);
        if (gone !== undefined) told.changes.push({ ...key, before: gone, revision });
        return;
      }
      case 'addr':
        told.claims.push({ ...key, ...this.addresses.delete(key.network, key.ip) });
        return;
      case 'mac':
        this.macs.delete(key.network, key.mac);
        return;
      case 'vni': {
        const before = this.vnis.get(key.vni);
        this.vnis.delete(key.vni);
        told.claims.push({ ...key, ...(before !== undefined && { before }) });
        return;
      }
      case 'recovery':
        this.recovering = false;
        return;
      case 'event-mark':
        this.eventMark = undefined;
        return;
      case 'network-name':
      case 'node-name':
      case 'endpoint-name':
      case 'pool':
      case 'req':
        return;
      default:
        assertNever(key);
    }
  }
}

function claimed(kv: KeyValue): Claimed {
  return { claim: decodeClaim(kv.value), created: kv.createRevision, revision: kv.modRevision };
}
