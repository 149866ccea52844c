import { assertNever, messageOf, type Stamp } from '@causeway/model';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Log } from '@causeway/runtime';
import type { ClusterPosition } from '../disk/cluster-position.ts';
import type { HostEncryption } from '../encryption/host-encryption.ts';
import type { Tables } from '../tables/tables.ts';
import { cryptoFailure, cryptoResult } from './crypto-result.ts';
import type { SessionChannel } from './link.ts';
import type { Effect } from './machine.ts';
import type { Standing } from './standing.ts';

export interface EffectModules {
  readonly tables: Tables;
  readonly standing: Standing;
  readonly encryption: Pick<HostEncryption, 'begin' | 'hear' | 'end' | 'status' | 'order'>;
  readonly log: Log;
  /** Resolves when `seen` is saved. `restored`: a new cluster epoch has begun. */
  readonly remember: (seen: ClusterPosition, restored: boolean) => Promise<void>;
  /** Called when the tables contain every change that the host has missed. */
  readonly confirm: (stamp: Stamp) => Promise<void>;
  readonly verify: (repair: boolean) => Promise<Drift[]>;
}

/** Does what the session's machine asks for. Throws the error with which the session is to end. */
export async function carryOut(
  effect: Exclude<Effect, { readonly effect: 'welcomed' }>,
  { tables, standing, encryption, log, remember, confirm, verify }: EffectModules,
  channel: SessionChannel,
): Promise<void> {
  switch (effect.effect) {
    case 'remember':
      if (effect.alarm) log.error('cluster.epoch-changed', { epoch: String(effect.seen.epoch) });
      return await remember(effect.seen, effect.alarm);
    case 'replace':
      log.debug('table.replaced', { network: effect.table.network.name, revision: String(effect.table.revision) });
      return tables.replace(effect.table);
    case 'step':
      return tables.step(effect.delta);
    case 'resync':
      log.warn('table.resync', { networkId: effect.networkId, message: effect.why });
      return channel.send({ message: { oneofKind: 'resync', resync: { networkId: effect.networkId } } });
    case 'drop':
      log.debug('table.dropped', { networkId: effect.networkId });
      return tables.drop(effect.networkId);
    case 'confirm':
      return await confirm(effect.stamp);
    case 'verify':
      void answerVerify(effect.call, verify(effect.repair), channel);
      return;
    case 'tell-sas':
      void answerCrypto(effect.call, encryption, channel);
      return;
    case 'rekey':
      return encryption.order({ afterGeneration: effect.after });
    case 'keys':
      return await encryption.hear(effect.news);
    case 'drained':
      return standing.drained(effect.drained);
    case 'leave':
      throw effect.error;
    default:
      assertNever(effect);
  }
}

/** Runs beside the stream: a verification of many networks must not delay the messages that arrive meanwhile. */
async function answerVerify(call: bigint, verified: Promise<Drift[]>, channel: SessionChannel): Promise<void> {
  const result = await verified.then(
    (drift) => ({ call, drift, error: '' }),
    (error: unknown) => ({ call, drift: [], error: messageOf(error) }),
  );
  channel.send({ message: { oneofKind: 'verifyResult', verifyResult: result } });
}

/** Runs beside the stream, for the same reason. */
async function answerCrypto(
  call: bigint,
  encryption: Pick<HostEncryption, 'status'>,
  channel: SessionChannel,
): Promise<void> {
  const result = await encryption.status().then(
    (status) => cryptoResult(call, status),
    (error: unknown) => cryptoFailure(call, messageOf(error)),
  );
  channel.send({ message: { oneofKind: 'cryptoResult', cryptoResult: result } });
}
