import { type Duration, randomUuid } from '@causeway/runtime';
import { Option } from 'commander';
import { command, group } from '../command.ts';
import { parseDurationOf } from '../parse.ts';
import { caAnswer, lifeAnswer, progressPart, rotationColumns } from '../render/ca.ts';
import { caAutolock, caUnlock } from './ca-lock.ts';
import { followRotation, withoutRepeats } from './rotation.ts';

const show = command<object>({
  name: 'show',
  summary: 'show the CA of the cluster, and how many members have a certificate of it',
  description:
    'The fingerprint is that in join tokens: the SHA-256 of the public key. If the key of the CA is outside of the cluster,\n' +
    'the command says for each manager which program issues certificates, and how the last call ended. With -o json, every certificate\n' +
    'is listed, with its holder.',
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway ca show', 'causeway ca show -o json'],
  async run({ clients, context }) {
    const [ca, { managers }] = await Promise.all([clients.managers.showCa({}), clients.managers.listManagers({})]);
    return caAnswer(ca, managers, context.clock.wall());
  },
});

interface RotateInput {
  readonly force?: true;
}

const rotate = command<RotateInput>({
  name: 'rotate',
  summary: 'replace the CA of the cluster, while everything runs',
  description:
    'Members renew their certificates; when all have, the former CA is not trusted any more, and tokens made before are void. Prints\n' +
    'the progress, with -o json one JSON object per line, until that is done. The rotation goes on when the command is ended and when a\n' +
    'manager dies; the same command shows its progress again. Exit 5 when no manager answers within --timeout.',
  options: [
    new Option(
      '--force',
      'end the rotation although hosts and other operators have not renewed: they must join again; managers are waited for',
    ),
  ],
  uses: ['managers', 'timeout', 'output'],
  isUnbounded: true,
  examples: ['causeway ca rotate', 'causeway ca rotate -o json'],
  progress: 'waiting for the members',
  async run(call) {
    const request = { requestId: randomUuid(call.context.random), force: call.input.force === true };
    const progress = followRotation(call, (managers) => managers.rotateCa(request));
    return { columns: rotationColumns, parts: withoutRepeats(progress, progressPart) };
  },
});

const set = command<{ readonly certificateLife: Duration }>({
  name: 'set',
  summary: 'change how long certificates of hosts, managers and operators are valid',
  description:
    'Certificates that are issued from now on have the new life. Others keep theirs until they are renewed, at half to four fifths of\n' +
    'it; "causeway ca rotate" renews all at once. A shorter life is of less use to a thief, but a host that is off for longer must join\n' +
    'again.',
  options: [
    new Option('--certificate-life <duration>', 'from 1h to 2160h (90 days)')
      .argParser(parseDurationOf('--certificate-life', '168h'))
      .makeOptionMandatory(),
  ],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: () => 'causeway ca show',
  examples: ['causeway ca set --certificate-life 168h'],
  async run({ input: { certificateLife: life }, clients, context }) {
    await clients.managers.setCertificateLife({ requestId: randomUuid(context.random), lifeMs: BigInt(life) });
    return lifeAnswer(life);
  },
});

/** `causeway ca` */
export const ca = group('ca', 'the certificate authority of the cluster', [show, rotate, set, caAutolock, caUnlock]);
