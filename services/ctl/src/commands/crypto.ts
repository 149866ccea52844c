import { CausewayError } from '@causeway/model';
import type { RotateKeysResponse } from '@causeway/proto/gen/causeway/v1/crypto_service.js';
import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command, group } from '../command.ts';
import { cryptoAnswer, keyRotationColumns, keyRotationPart, nextRotation } from '../render/crypto.ts';
import { hosts } from '../render/drift.ts';
import { followRotation, withoutRepeats } from './rotation.ts';

interface StatusInput {
  readonly network?: string;
}

const status = command<StatusInput>({
  name: 'status',
  summary: 'show how hosts protect what they send each other in encrypted networks',
  description:
    'One line for each pair of hosts that share an encrypted network, from the kernels of both. sasOk in -o json: each host sends with\n' +
    'an SA with which the other one receives; null: a host did not answer. Replay drops: what the two hosts sent each other, and dropped\n' +
    'as repeated or too late, since their agents started; new keys do not reset the number. Plaintext drops: what the two hosts dropped\n' +
    'because it came without ESP, since their kernels started, from any sender: kernels do not count it by sender. Exit 5 when a host\n' +
    'did not answer: stderr names the host, and the other pairs are printed.',
  arguments: [new Argument('[network]', 'only hosts that share this network, by name or id; when absent, all')],
  uses: ['managers', 'timeout', 'output'],
  progress: 'waiting for the hosts',
  examples: ['causeway crypto status', 'causeway crypto status vault -o json'],
  async run({ input, settings, clients, context }) {
    const found = await clients.managers.getCryptoStatus({ network: input.network ?? '' });
    const isTable = settings.output === 'table' || settings.output === 'wide';
    const notes = isTable ? nextRotation(found, context.clock.wall()) : [];
    const answer = { ...cryptoAnswer(found), notes };
    return found.unreachable.length === 0 ? answer : { ...answer, problem: notAsked(found.unreachable) };
  },
});

interface RotateInput {
  readonly now?: true;
}

const rotate = command<RotateInput>({
  name: 'rotate',
  summary: 'give all hosts new keys for encrypted networks, while packets flow',
  description:
    'A few hosts at a time make a new key; when all peers of a host use it, the former key is erased. Prints the progress, with -o json\n' +
    'one JSON object per line, until all keys are replaced. The rotation goes on when the command is ended and when a manager dies; the\n' +
    'command begins another rotation when it is repeated. Exit 5 when nothing but hosts without a session is waited for, or no manager\n' +
    'answers within --timeout.',
  options: [new Option('--now', 'all hosts at once')],
  uses: ['managers', 'timeout', 'output'],
  isUnbounded: true,
  examples: ['causeway crypto rotate', 'causeway crypto rotate --now -o json'],
  progress: 'waiting for the hosts',
  async run(call) {
    const request = { requestId: randomUuid(call.context.random), now: call.input.now === true };
    const progress = followRotation(call, (managers) => managers.rotateKeys(request));
    return { columns: keyRotationColumns, parts: withoutRepeats(complete(progress), keyRotationPart) };
  },
});

/** @throws CausewayError agent-unavailable: the last answer is of a rotation that is not over */
async function* complete(progress: AsyncIterable<RotateKeysResponse>): AsyncGenerator<RotateKeysResponse> {
  for await (const each of progress) {
    yield each;
    if (each.done && each.rotated < each.total) throw heldUp(each.unreachable);
  }
}

function notAsked(unreachable: readonly string[]): CausewayError {
  const message = `${hosts(unreachable.length)} could not be asked: ${unreachable.join(', ')}`;
  return new CausewayError('agent-unavailable', message, { hosts: unreachable.join(',') });
}

function heldUp(unreachable: readonly string[]): CausewayError {
  const message = `the rotation waits for hosts without a session, and goes on when they are back: ${unreachable.join(', ')}`;
  return new CausewayError('agent-unavailable', message, { hosts: unreachable.join(',') });
}

/** `causeway crypto` */
export const crypto = group('crypto', 'keys of encrypted networks', [status, rotate]);
