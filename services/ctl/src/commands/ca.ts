import { CausewayError, isCausewayError } from '@causeway/model';
import type { RotateCaResponse } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { milliseconds, randomUuid } from '@causeway/runtime';
import { Option } from 'commander';
import type { StreamPart } from '../answer.ts';
import { type Call, command, group } from '../command.ts';
import { caAnswer, progressPart, rotationColumns } from '../render/ca.ts';
import { caAutolock, caUnlock } from './ca-lock.ts';

const show = command<object>({
  name: 'show',
  summary: 'show the CA of the cluster, and how many members have a certificate of it',
  description:
    'The fingerprint is that in join tokens: the SHA-256 of the public key. With -o json, every certificate is listed, with its holder.',
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway ca show', 'causeway ca show -o json'],
  async run({ clients, context }) {
    return caAnswer(await clients.managers.showCa({}), context.clock.wall());
  },
});

interface RotateInput {
  readonly force?: true;
}

/** Pause before the progress is asked of another manager. */
const pause = milliseconds(250);

const rotate = command<RotateInput>({
  name: 'rotate',
  summary: 'replace the CA of the cluster, while everything runs',
  description:
    'Members renew their certificates; when all have, the former CA is not trusted any more, and tokens made before are void. Prints\n' +
    'the progress, with -o json one JSON object per line, until that is done. The rotation goes on when the command is ended and when a\n' +
    'manager dies; the same command shows its progress again. Exit 5 when no manager answers within --timeout.',
  options: [new Option('--force', 'end the rotation although members have not renewed: they must join again')],
  uses: ['managers', 'timeout', 'output'],
  isUnbounded: true,
  examples: ['causeway ca rotate', 'causeway ca rotate -o json'],
  progress: 'waiting for the members',
  run: async (call) => ({ columns: rotationColumns, parts: progress(call) }),
});

async function* progress(call: Call<RotateInput>): AsyncGenerator<StreamPart> {
  let before = '';
  for await (const each of rotation(call)) {
    const part = progressPart(each);
    const now = JSON.stringify(part.value);
    if (now !== before) yield part;
    before = now;
  }
}

/** The progress until the rotation is done. When a manager dies, another one goes on: the request id is the same. */
async function* rotation({ input, settings, context }: Call<RotateInput>): AsyncGenerator<RotateCaResponse> {
  const { clock, random, signal } = context;
  const request = { requestId: randomUuid(random), force: input.force === true };
  let failingSince: number | undefined;
  while (!signal.aborted) {
    // Connections of its own: the time of --timeout begins anew for each.
    const clients = context.connect(settings, signal);
    let failure: unknown = new CausewayError('manager-unavailable', 'the manager ended the answer');
    try {
      for await (const each of clients.managers.rotateCa(request)) {
        failingSince = undefined;
        yield each;
        if (each.done) return;
      }
    } catch (error) {
      failure = error;
    } finally {
      clients.close();
    }
    if (signal.aborted) return;
    failingSince ??= clock.now();
    const mayRetry = isCausewayError(failure) && failure.kind === 'unavailable';
    if (!mayRetry || clock.now() - failingSince >= settings.timeout) throw failure;
    await clock.sleep(pause, signal);
  }
}

/** `causeway ca` */
export const ca = group('ca', 'the certificate authority of the cluster', [show, rotate, caAutolock, caUnlock]);
