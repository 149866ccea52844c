import {
  type Certificate,
  formatTrustBundle,
  parseTrustBundle,
  readCertificates,
  type TrustBundle,
} from '@causeway/identity';
import { CausewayError, unwrap } from '@causeway/model';
import { type Duration, milliseconds } from '@causeway/runtime';
import { type JsonObject, mapValues, number, object, omit, recordCodec, text } from './codec.ts';
import { type RecordKind, type Versioned, versioned } from './kind.ts';
import { SingleIndex } from './map-index.ts';

/** The cluster's CA. */
export interface Ca {
  /** Rises with each new root. */
  readonly generation: number;
  /** What members trust: the present root. While the CA rotates, then the former root. */
  readonly roots: TrustBundle;
  /** With what the present root signs. */
  readonly signer: CaSigner;
  /** The present root, signed by the former root: sent with certificates of the present root. Absent: there was no former. */
  readonly crossSigned?: Certificate;
  /** Life of members' certificates. */
  readonly life: Duration;
  /**
   * The sealing key of `signer`, sealed for each manager that was to have it when it was made, by name: base 64. Absent: managers
   * have it from elsewhere. A manager writes it to its disk when its view has it.
   */
  readonly sealingKeys?: Readonly<Record<string, string>>;
  /** Managers keep their sealing key locked; absent: open. */
  readonly autolock?: Autolock;
}

export interface Autolock {
  /** From this and the sealing key follows the unlock key. */
  readonly id: string;
  /** The content of every manager's sealing-key.json. */
  readonly file: string;
}

export interface CaSigner {
  /** external: a program that each manager has as a setting signs (decision 37). */
  readonly kind: 'sealed' | 'external';
  /**
   * sealed: the root's private key, sealed with the key that managers have on their disks: base 64. external: nothing, sealed with
   * that key, by which managers see that it was changed.
   */
  readonly key: string;
}

export const ca = {
  kind: 'ca',
  path: [],
  codec: recordCodec<Ca>(toJson, fromJson),
  keep: versioned<Ca>,
  index: () => new SingleIndex<Versioned<Ca>>(),
  listeners: 'record',
} as const satisfies RecordKind;

function toJson(
  { generation, roots, signer, crossSigned, life, sealingKeys, autolock }: Ca,
  original?: JsonObject,
): JsonObject {
  return {
    ...omit(original, 'crossSigned', 'sealingKeys', 'autolock'),
    generation,
    roots: formatTrustBundle(roots),
    signer: { kind: signer.kind, key: signer.key },
    ...(crossSigned !== undefined && { crossSigned: formatTrustBundle([crossSigned]) }),
    life,
    ...(sealingKeys !== undefined && { sealingKeys: { ...sealingKeys } }),
    ...(autolock !== undefined && { autolock: { id: autolock.id, file: autolock.file } }),
  };
}

function fromJson(json: JsonObject): Ca {
  const crossSigned = json['crossSigned'] === undefined ? undefined : readCertificate(text(json, 'crossSigned'));
  return {
    generation: number(json, 'generation'),
    roots: unwrap(parseTrustBundle(text(json, 'roots'))),
    signer: readSigner(object(json['signer'])),
    ...(crossSigned !== undefined && { crossSigned }),
    life: milliseconds(number(json, 'life')),
    ...(json['sealingKeys'] !== undefined && { sealingKeys: mapValues(object(json['sealingKeys']), String) }),
    ...(json['autolock'] !== undefined && { autolock: readAutolock(object(json['autolock'])) }),
  };
}

function readAutolock(json: JsonObject): Autolock {
  return { id: text(json, 'id'), file: text(json, 'file') };
}

function readSigner(json: JsonObject): CaSigner {
  const kind = text(json, 'kind');
  if (kind === 'sealed' || kind === 'external') return { kind, key: text(json, 'key') };
  throw new CausewayError('data-too-new', `the CA signs by "${kind}", which this version does not know`);
}

function readCertificate(pem: string): Certificate | undefined {
  return unwrap(readCertificates(pem))[0];
}
