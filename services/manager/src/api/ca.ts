import { formatCertificates, formatPin, formatPins, pinOf, type SealingKey } from '@causeway/identity';
import { type CausewayError, isCausewayError, parseRequestId, unwrap } from '@causeway/model';
import type {
  MemberCertificate,
  RotateCaRequest,
  RotateCaResponse,
  ShowCaResponse,
} from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { seconds } from '@causeway/runtime';
import type { CallContext } from '../call/context.ts';
import type { Issuer } from '../cluster/ca/issuer.ts';
import { untrusting } from '../cluster/membership/plan-restart.ts';
import { expiryTime } from '../plan/expiry-time.ts';
import {
  beginRotation,
  finishRotation,
  forceWaitsFor,
  isRotating,
  type NextCa,
  settledAt,
  waitingFor,
} from '../plan/rotate-ca.ts';
import type { CertificateRecord } from '../store/records/certificate.ts';
import { untilView } from '../store/until-view.ts';
import type { View } from '../store/view.ts';
import type { ApiContext } from './modules.ts';
import { whileOutdated } from './while-outdated.ts';

/** How often a rotation that may be ended by force is looked at. */
const lookEvery = seconds(1);

/** Most members that an answer names. */
const mostNamed = 10;

export function showCa({ modules: { view, custody } }: ApiContext, issuer: Issuer): ShowCaResponse {
  const { generation, roots, life, autolock } = issuer.ca.value;
  const records = [...view.records('certificate').all.values()].map(({ value }) => value);
  const key = ({ role, name }: CertificateRecord): string => `${role} ${name}`;
  return {
    generation,
    roots: roots.map((root) => ({
      certificate: formatCertificates([root]),
      fingerprint: formatPin(pinOf(root)),
      expiresMs: BigInt(root.notAfter),
    })),
    lifeMs: BigInt(life),
    autolock: autolock !== undefined,
    locked: custody?.isLocked === true,
    certificates: records.sort((a, b) => (key(a) < key(b) ? -1 : 1)).map(certificateMessage),
  };
}

/** Ends when the rotation is done, or the caller leaves. */
export async function* rotateCa(
  context: ApiContext,
  issuer: Issuer,
  request: RotateCaRequest,
  call: CallContext,
): AsyncGenerator<RotateCaResponse, void> {
  context.leading();
  const id = unwrap(parseRequestId(request.requestId));
  const { writer, view, clock } = context.modules;
  const sealingKey = issuer.createSealingKey();
  const { reply: generation } = await whileOutdated(async () => {
    const { ca } = issuer;
    const next = isRotating(ca.value)
      ? { from: ca.revision, ca: ca.value }
      : await nextOrWhyNot(issuer, sealingKey, call.signal);
    return await writer.write(id, beginRotation(next), call);
  });
  const { actor, peer, method, signal } = call;
  const by = peer.kind === 'operator' ? peer.name : undefined;
  const now = (): number => expiryTime(view, clock.wall());
  const mayForce = (): boolean =>
    request.force &&
    view.ca?.value.generation === generation &&
    forceWaitsFor(view, now(), by).length === 0 &&
    settledAt(view) <= now();
  const progress = (): RotateCaResponse => progressOf(view, generation, now());
  const step = async (): Promise<RotateCaResponse> => {
    for (let more = mayForce() && !progress().done; more; ) {
      const change = { actor, peer, method, signal, cause: id };
      more = (await writer.apply(finishRotation(now(), { by }), change)).reply;
    }
    return progress();
  };
  const isNew = (shown: RotateCaResponse): boolean => JSON.stringify(progress()) !== JSON.stringify(shown);
  const changed = async (shown: RotateCaResponse): Promise<void> => {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const change = untilView(view, () => isNew(shown), either);
    // What a rotation by force waits for may be the time.
    await (request.force ? Promise.race([change, clock.sleep(lookEvery, either)]) : change);
    over.abort();
  };
  for (let shown = await step(), next = shown; ; shown = next) {
    yield shown;
    if (shown.done) return;
    do {
      await changed(shown);
      if (signal.aborted) return;
      next = await step();
    } while (JSON.stringify(next) === JSON.stringify(shown));
  }
}

async function nextOrWhyNot(
  issuer: Issuer,
  sealingKey: SealingKey,
  signal: AbortSignal,
): Promise<NextCa | CausewayError> {
  try {
    return await issuer.next(sealingKey, signal);
  } catch (error) {
    if (isCausewayError(error)) return error;
    throw error;
  }
}

function progressOf(view: View, generation: number, now: number): RotateCaResponse {
  const { ca } = view;
  const isOver = ca === undefined || ca.value.generation > generation || !isRotating(ca.value);
  const stores =
    isOver && ca?.value.generation === generation
      ? untrusting([...view.managers.values()], formatPins(ca.value.roots))
      : [];
  const done = isOver && stores.length === 0;
  const valid = [...view.records('certificate').all.values()].filter(({ value }) => value.expires > now).length;
  const waiting = isOver ? [] : waitingFor(view, now);
  return {
    generation,
    renewed: valid - waiting.length,
    total: valid,
    waiting: [...waiting.map(({ role, name }) => `${role} ${name}`), ...stores.map((name) => `etcd of ${name}`)].slice(
      0,
      mostNamed,
    ),
    done,
  };
}

function certificateMessage({
  role,
  id,
  name,
  serial,
  issued,
  expires,
  generation,
}: CertificateRecord): MemberCertificate {
  return { role, id, name, serial, issuedMs: BigInt(issued), expiresMs: BigInt(expires), generation };
}
